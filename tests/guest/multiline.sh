#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A prompt of several lines written by bash, which makes one write of each line; and the device used as the README says.
# kernels: stock debug custom
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name default >/dev/null || not_ok load "status $?"

asked() { sislm-client stats --json | number prompt_tokens; }
before=$(asked)
exec 3<>$device
printf 'one ten\nhe\ntires\n' >&3
answer=$(timeout 120 cat <&3 | wc -c)
if [ "$answer" -gt 0 ]; then ok answer; else not_ok answer "no byte"; fi
written=$(asked)
exec 3<&-

exec 3<>$device
echo -e "one ten\nhe\ntires" >&3
timeout 120 head -c 1 <&3 >/dev/null || not_ok echo "status $?"
exec 3<&-
echoed=$(asked)
# The client leaves one line end out of its standard input.
whole=$(printf 'one ten\nhe\ntires\n\n' | sislm-client tokenize --json -m default - | tr ',' '\n' | grep -c '[0-9]')
equal all-lines-are-one-prompt "$((written - before)) $((echoed - written))" "$whole $whole"

# Another file than the one written to has no answer: ENODATA, not a hang.
(echo hello >$device) 2>/dev/null && not_ok write-only "opened for writing only"
equal cat-of-a-fresh-file "$(timeout 10 cat <>$device 2>&1 | grep -ci 'no data')" 1
unload default
