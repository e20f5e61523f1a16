#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What CONFIGURE keeps of a context is as if it were computed again.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program slots /models/random-llama-q4_0.gguf any
# Layers of these carry a state from position to position.
for name in lfm2 qwen35; do
	program slots "/run/sislm/$name.gguf" all
done
