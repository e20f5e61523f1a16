#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A turn ends where the model says, and where its user says: at tokens by key, name and id.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
for name in sound ends-by-key ends-by-name control-drawn add-eos; do
	sislm-client load /models/malformed/$name.gguf --name $name >/dev/null || not_ok "load-$name" "status $?"
done

# answer MODEL ARG...: the ids of its greedy answer to "a", and why it ended.
answer() {
	model=$1
	shift
	answer_json=$(sislm-client infer --json -m "$model" --preset greedy -n 12 "$@" a)
	echo "$(echo "$answer_json" | sed 's/.*"ids":\[\([0-9,]*\)\],"text.*/\1/') $(echo "$answer_json" | number finish_reason)"
}

free=$(answer sound --ignore-eos)
drawn=$(echo "$free" | cut -d , -f 3)
short=$(echo "$free" | cut -d , -f 1-3)
# The files are made for this token.
equal drawn "$drawn $(echo "$free" | cut -d ' ' -f 2)" "23 length"
equal ends-by-key "$(answer ends-by-key)" "$short stop"
equal ends-by-name "$(answer ends-by-name)" "$short stop"
equal ignored "$(answer ends-by-key --ignore-eos)" "$free"
equal no-end "$(answer control-drawn --ignore-eos)" "$free"
equal stop-id "$(answer control-drawn --stop-id "$drawn")" "$short stop"
equal stop-id-whatever-is-ignored "$(answer control-drawn --ignore-eos --stop-id 7 --stop-id "$drawn")" "$short stop"
equal stop-at-a-control-token "$(answer control-drawn --ignore-eos --stop '<|mark|>')" "$short stop"
equal stop-at-another-text "$(answer control-drawn --ignore-eos --stop '<|none|>')" "$free"
if said=$(sislm-client infer -m sound --stop-id 40 a 2>&1); then not_ok stop-id-no-token "it ran"
elif echo "$said" | grep -q 'no token 40'; then ok stop-id-no-token
else not_ok stop-id-no-token "$said"; fi
listed=$(sislm-client models --json | tr '{' '\n' | grep '"name":"ends-by-key"' | sed 's/.*"ends":\[\([0-9,]*\)\].*/\1/')
equal ends-are-listed "$listed" "2,$drawn"

# BOS before a text and EOS after it, at position 0 alone.
equal add-eos "$(sislm-client tokenize -m add-eos a)" "1 14 2"
equal add-eos-continued "$(sislm-client tokenize -m add-eos --continued a | wc -w)" 1

# The text on standard input: one line end is not part of it, and no more is read than the device takes.
equal line-end "$(echo a | sislm-client tokenize -m sound)" "$(printf a | sislm-client tokenize -m sound)"
equal line-end-of-a-prompt "$(echo a | sislm-client infer --json -m sound -n 1 | sed 's/.*"prompt_ids":\[\([0-9,]*\)\].*/\1/')" 1,14
equal endless "$(yes | sislm-client infer -m sound 2>&1 | grep -c 'more than the [0-9]* bytes')" 1
equal endless-tokenize "$(yes | sislm-client tokenize -m sound 2>&1 | grep -c 'more than the [0-9]* bytes')" 1
limit=$(sislm-client info --json | number prompt_max)
long=$(head -c $((limit + 1)) /dev/zero | tr '\0' a)
said=$(sislm-client tokenize -m sound "$long" 2>&1)
equal tokenize-too-long "$? $(echo "$said" | grep -c -- '--continued')" "8 1"
# llama.cpp's ways of saying nothing.
equal minus-one "$(sislm-client infer --json -m sound -n -1 --seed -1 --ctx 16 --ignore-eos a | number finish_reason)" context

for name in sound ends-by-key ends-by-name control-drawn add-eos; do
	unload $name
done
