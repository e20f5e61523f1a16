#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Everything at once for 20 seconds, or STRESS_SECONDS: many processes and threads over all calls. The debug kernel runs it in soak.sh.
# kernels: stock custom rt
. "$(dirname "$0")/lib.sh"
program stress /models/random-llama-q4_0.gguf "${STRESS_SECONDS:-20}"
