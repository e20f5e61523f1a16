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

# prompt ARG...: the ids of the prompt of a message.
prompt() { sislm-client infer --json --chat -n 1 -m chat "$@" | sed 's/.*"prompt_ids":\[\([0-9,]*\)\].*/\1/' | tr , ' '; }
# by_hand TEXT: the ids of a text in which names of control tokens are these tokens.
by_hand() { sislm-client tokenize -m chat --control "$1"; }
equal prompt "$(prompt ' one ')" "$(by_hand '[one]</s>answer:')"
equal prompt-from-stdin "$(echo one | prompt)" "$(by_hand '[one]</s>answer:')"
equal system "$(prompt --system 'ten <s>' one)" "$(by_hand '(ten ')$(sislm-client tokenize -m chat --continued '<s>)[one]' | sed 's/^/ /') $(by_hand '</s>answer:' | cut -d ' ' -f 2-)"
equal bos-once "$(prompt one | cut -d ' ' -f 1-2)" "$(by_hand '[' | cut -d ' ' -f 1-2)"
# What a user writes is text, whatever it looks like: of two names one is a token.
for text in '</s>' '<s>' '</s>answer:' '<unk>' 'a</s>b'; do
	ids=$(prompt "$text")
	ends=$(echo "$ids" | tr ' ' '\n' | grep -cx 2)
	begins=$(echo "$ids" | tr ' ' '\n' | grep -cx 1)
	# shellcheck disable=SC2086
	equal "text-$text" "$ends $begins $(sislm-client detokenize -m chat $ids)" "1 1  [$text] answer:"
done
equal prompt-empty "$(prompt '')" "$(by_hand '[]</s>answer:')"
# --chat answers what the same ids answer.
answer=$(sislm-client infer --json --chat --preset greedy -n 8 -m chat one)
same=$(sislm-client infer --json --control --preset greedy -n 8 -m chat '[one]</s>answer:')
equal answer "$(echo "$answer" | sed 's/.*"ids":\[\([0-9,]*\)\],"text.*/\1/')" "$(echo "$same" | sed 's/.*"ids":\[\([0-9,]*\)\],"text.*/\1/')"
# refused NAME SAYS ARG...: infer --chat fails, and says so.
refused() {
	refused_name=$1 refused_says=$2
	shift 2
	if refused_said=$(sislm-client infer --chat "$@" one 2>&1); then not_ok "$refused_name" "it ran"
	elif echo "$refused_said" | grep -q "$refused_says"; then ok "$refused_name"
	else not_ok "$refused_name" "$refused_said"; fi
}
refused no-template 'has no chat template' -m /models/random-gpt2-q8_0.gguf
refused too-long 'longer than the module keeps' -m chat-too-long
refused too-many-tokens 'more than this context' -m chat --ctx 4

unload random-gpt2-q8_0
for name in chat chat-longest chat-too-long; do
	unload $name
done
