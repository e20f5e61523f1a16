#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What CONFIGURE keeps of a context is as if it were computed again.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program slots /models/random-llama-q4_0.gguf
