#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# 200 clients of the server at once, half of which hang up, beside a slow reader, a large body and a flood of headers; then its end.
# kernels: stock
. "$(dirname "$0")/lib.sh"
sislm-client load /run/sislm/chat.gguf >/tmp/said 2>&1 || not_ok load-chat "$(cat /tmp/said)"
# One arena: what each thread's own keeps in reserve would look like a leak.
export MALLOC_ARENA_MAX=1
program crowd chat 200
unload chat
