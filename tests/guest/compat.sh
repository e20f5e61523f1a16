#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A 32-bit program uses the device like any other.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
compat32 /models/random-llama-q4_0.gguf >/tmp/said 2>&1
found=$?
if [ $found = 126 ] || [ $found = 127 ] || grep -qi 'exec format' /tmp/said; then
	skip compat "this kernel or CPU runs no 32-bit programs"
	exit
fi
cat /tmp/said
[ $found = 0 ] || not_ok status "$found"
sislm-client unload compat || not_ok unload "status $?"
