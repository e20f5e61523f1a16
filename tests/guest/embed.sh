#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Embeddings: the host's by golden digests, llama.cpp's within what it rounds; by encoders, which make no text, and by a model
# that makes both.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
for name in bert gemma-embedding nomic-bert; do
	sislm-client load "/run/sislm/$name.gguf" || not_ok "load-$name" "status $?"
done
sislm-client load /models/bert-unigram.gguf || not_ok load-bert-unigram "status $?"
sislm-client load /models/random-llama-q4_0.gguf --name llama || not_ok load-llama "status $?"

# The golden digests (module/engine/tests/golden.architectures), which the host program is held to: by the ids of
# module/engine/tests/architectures.
ids=$(awk 'BEGIN { for (i = 0; i < 261; i++) printf "%s%d", i ? "," : "", (i * i * 31 + i * 7 + 3) % 320 }')
for key in bert bert-unigram gemma-embedding nomic-bert bert/q8_0; do
	name=${key%/*} kv=f16
	[ "$name" = "$key" ] || kv=${key#*/}
	answer=$(sislm-client embed -m "$name" --raw --pooling none --kv "$kv" --ids "$ids")
	found="$key $(echo "$answer" | number numerics) $(echo "$answer" | number embeddings_digest)"
	equal "$key-digest" "$found" "$(grep "^$key " /host/bin/golden.architectures)"
done
unload nomic-bert

# llama.cpp's ids of a text give what the text does.
hexadecimal=7468652074656120697320696e2074686520736561
ids=$(sed -n "s/^$hexadecimal|\([^|]*\)|.*/\1/p" /models/bert-unigram.ids | tr ' ' ,)
embedding() { sislm-client embed -m bert-unigram "$@" | sed 's/.*"embedding":\(\[.*\]\).*/\1/'; }
equal unigram-numbers "$(embedding --ids "$ids" | tr -cd , | wc -c)" 63
equal unigram "$(embedding 'the tea is in the sea')" "$(embedding --ids "$ids")"
equal unigram-kind "$(sislm-client models --json | grep -c '"tokenizer":"ugm"')" 1
unload bert-unigram

# More tokens than a step has rows.
ids=$(seq -s , 3 102)
# list ARG...: the numbers of the embedding, or of all.
list() { sislm-client embed --ids "$ids" "$@" | sed 's/.*"embeddings*":\(\[.*\]\).*/\1/'; }
for name in bert gemma-embedding llama; do
	states=$(list -m $name --raw --pooling none)
	equal $name-states "$(echo "$states" | tr -cd '[' | wc -c)" 101
	equal $name-first "$(list -m $name --raw --pooling first)" "$(echo "$states" | sed 's/^\[\(\[[^]]*\]\).*/\1/')"
	equal $name-last "$(list -m $name --raw --pooling last)" "$(echo "$states" | sed 's/.*\(\[[^]]*\]\)\]$/\1/')"
	# Beside another one that goes through the same passes.
	sislm-client embed -m $name --ids "$ids,7" >/tmp/beside &
	equal $name-company "$(list -m $name --raw --pooling none)" "$states"
	wait
	norm=$(list -m $name --pooling mean | tr -d '[]' | tr , '\n' | awk '{ sum += $1 * $1 } END { printf "%.4f", sum }')
	equal $name-norm "$norm" 1.0000
done
program encoder bert
told=$(sislm-client models --json | tr '{' '\n' | grep '"name":"bert"')
equal models "$(echo "$told" | number encoder) $(echo "$told" | number pooling)" "true none"
equal of-the-file "$(sislm-client embed -m bert --ids 3,4 | grep -o '"pooling":"[a-z]*"')" '"pooling":"none"'

# An encoder makes no text, and the client says what it makes.
# no_text COMMAND ARG...
no_text() {
	if said=$(sislm-client "$@" -m bert </dev/null 2>&1); then not_ok "$1" "it ran"
	else equal "$1" "$(echo "$said" | grep -c 'sislm-client embed')" 1; fi
}
no_text infer a
no_text eval a
no_text chat
ids=$(seq -s , 1 300),$(seq -s , 1 300)
if said=$(sislm-client embed -m bert --ids "$ids" 2>&1); then not_ok too-long "it ran"
else equal too-long "$(echo "$said" | grep -c '600 tokens are more than the 512')" 1; fi
for name in bert gemma-embedding llama; do unload $name; done

if [ ! -d /shared-models/kinds ]; then
	skip shared "no ../shared/models/kinds beside the repository"
	exit
fi
for reference in /shared-models/kinds/*.embd.json; do
	name=$(basename "$reference" .embd.json)
	if slow && [ "$name" != synth-embed-bert-cls ]; then continue; fi
	sislm-client load "${reference%.embd.json}.gguf" >/dev/null || not_ok "$name" "status $?"
	program embeddings "$name" "$reference"
	unload "$name"
done
