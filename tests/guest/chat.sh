#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a model's file says of itself, and its chat template. The models are of tests/guest/programs.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
models=/run/sislm

for name in chat chat-longest chat-too-long; do
	sislm-client load "$models/$name.gguf" >/tmp/said-$name 2>&1 || not_ok "load-$name" "$(cat /tmp/said-$name)"
done
equal note "$(grep -c 'longer than the module keeps' /tmp/said-chat-too-long)" 1
equal no-note "$(cat /tmp/said-chat /tmp/said-chat-longest | grep -c 'longer than')" 0
sislm-client info >/tmp/info
equal info "$(grep -c 'tokenizer.chat_template: 65536 bytes' /tmp/info) $(grep -c 'general.name: chat$' /tmp/info)" "1 1"
# Two templates of three are kept.
equal kept "$(sislm-client info --json | grep -o '"tokenizer.chat_template":' | wc -l)" 2
# 64 KiB more than the one whose template is shorter, in all sums.
arena() { sislm-client models --json | tr '{' '\n' | grep "\"name\":\"$1\"" | number arena_bytes; }
more=$(($(arena chat-longest) - $(arena chat)))
equal accounted "$([ $more -gt 65000 ] && [ $more -lt 65700 ] && echo yes)" yes

for name in chat chat-longest chat-too-long; do
	unload $name
done
