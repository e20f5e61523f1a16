#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# TinyLlama's shape in Q4_0 loads and generates in 2 GB; the module's peak is at most the file's size plus 64 MB.
# The weights are zero where /share holds no tinyllama.gguf (scripts/models/random_gguf.py --shape tinyllama makes one).
# kernels: stock
# boot: MEM=2G SMP=2
. "$(dirname "$0")/lib.sh"
model=/share/tinyllama.gguf
if [ ! -e $model ]; then
	model=/tmp/tinyllama.gguf
	cp /models/header-tinyllama.gguf $model
	truncate -s "$(sed -n 's/^header-tinyllama.gguf //p' /models/sizes)" $model
fi
start=$(cut -d. -f1 /proc/uptime)
sislm-client load $model --name tinyllama || not_ok load "status $?"
echo "# loaded in $(($(cut -d. -f1 /proc/uptime) - start)) s"
info=$(sislm-client info --json)
peak=$(echo "$info" | number peak_bytes)
file=$(echo "$info" | number file_bytes)
echo "# peak $peak bytes for a file of $file"
if [ "$peak" -gt 0 ] && [ "$peak" -le $((file + 64 * 1048576)) ]; then ok peak; else not_ok peak "$peak for a file of $file"; fi
answer=$(sislm-client infer --json -m tinyllama --preset greedy --ignore-eos -n 3 "one ten")
equal generates "$(echo "$answer" | number finish_reason)" length
sislm-client unload tinyllama || not_ok unload "status $?"
rm -f /tmp/tinyllama.gguf
