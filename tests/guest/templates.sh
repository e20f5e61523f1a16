#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Chat templates that would work for ever or fill the memory: each is stopped. The models are of tests/guest/programs.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
endless="chat-printing chat-comparing chat-growing chat-looping"
for name in chat chat-reading $endless; do
	sislm-client load "/run/sislm/$name.gguf" >/tmp/said 2>&1 || not_ok "load-$name" "$(cat /tmp/said)"
done
# refused NAME SAYS CMD...: a command that reads a message fails within half a minute, with a sentence.
refused() {
	refused_name=$1 refused_says=$2
	shift 2
	echo one | timeout 30 "$@" >/tmp/out 2>/tmp/said
	equal "$refused_name" "$? $(grep -c "$refused_says" /tmp/said)" "1 1"
}
for name in $endless; do
	refused "infer-$name" 'too much time or memory' sislm-client infer --chat -m "$name"
	refused "chat-$name" 'too much time or memory' sislm-client chat -m "$name"
done
refused infer-reading 'is not understood' sislm-client infer --chat -m chat-reading
refused chat-reading 'is not understood' sislm-client chat -m chat-reading
# shellcheck disable=SC2086
program templates chat $endless
for name in chat chat-reading $endless; do
	unload "$name"
done
