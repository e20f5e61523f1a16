#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The server of the OpenAI API. The models are of tests/guest/programs.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
for name in chat chat-slow bert chat-tools; do
	sislm-client load /run/sislm/$name.gguf >/tmp/said 2>&1 || not_ok "load-$name" "$(cat /tmp/said)"
done
program serve chat chat-slow bert chat-tools
for name in chat chat-slow bert chat-tools; do
	unload $name
done
