#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every field of every ioctl with a wrong value, answers that a caller guides, the state table, descriptors that are no files, refused models.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program fields /models/random-llama-q4_0.gguf
program guided /models/random-llama-q4_0.gguf
program states /models/random-llama-q4_0.gguf
program files /models/random-llama-q4_0.gguf
# The device knows the ranges, the client says them.
sislm-client load /models/random-llama-q4_0.gguf --name ranges
found=$(sislm-client infer -m ranges --top-p 1.5 x 2>&1)
equal range-of-an-option "$found" "sislm-client: --top-p is out of its range: give 0.000001 to 1"
sislm-client unload ranges
