#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every field of every ioctl with a wrong value, the state table, descriptors that are no files, refused models.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program fields /models/random-llama-q4_0.gguf
program states /models/random-llama-q4_0.gguf
program files /models/random-llama-q4_0.gguf
