#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One file per defect, each refused for its reason; files cut short; and the client's sentences about them.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
program malformed /models/malformed

# said NAME STATUS PATTERN ARG...: the client ends with STATUS and says PATTERN.
said() {
	name=$1 wanted=$2 pattern=$3
	shift 3
	sentence=$(sislm-client "$@" 2>&1)
	found=$?
	if [ $found != "$wanted" ]; then
		not_ok "$name" "status $found, wanted $wanted: $sentence"
	elif ! echo "$sentence" | grep -qi -- "$pattern"; then
		not_ok "$name" "no '$pattern' in: $sentence"
	else
		ok "$name"
	fi
}

said no-such-file 1 nonexistent load /tmp/nonexistent.gguf
said no-such-model 5 absent infer -m absent hello
said unload-no-such-model 5 absent unload absent
said not-a-gguf 6 gguf load /models/malformed/text.gguf
said unknown-architecture 6 general.architecture load /models/malformed/architecture-unknown.gguf
said tensor-named 6 blk.0.attn_q.weight load /models/malformed/tensor-missing-attn_q.gguf
said key-named 6 llama.block_count load /models/malformed/block-count-missing.gguf

said architecture-value 6 '"mamba"' load /models/malformed/architecture-unknown.gguf
said rope-scaling 6 'rotary positions.*"su"' load /models/malformed/rope-scaling-unknown.gguf
said experts 6 'mixture of experts' load /models/malformed/tensor-router.gguf
said split 6 'put all parts into one folder' load /models/malformed/split-second.gguf
said adapter 6 'no model of its own' load /models/malformed/adapter.gguf
said unknown-key 6 'llama.a_new.idea' load /models/malformed/key-unknown.gguf
said unknown-tensor 6 'attn_q_norm' load /models/malformed/tensor-unknown.gguf
said norm-format 6 'norms and biases' load /models/malformed/tensor-norm-type.gguf
said requantize 6 '--allow-requantize --pure' load /models/malformed/tensor-type-unsupported.gguf

# What comes in a model's place.
# place NAME BYTES PATTERN: bytes with printf's escapes.
place() { printf %b "$2" >/tmp/place.gguf; said "$1" 6 "$3" load /tmp/place.gguf; }
place git-lfs-pointer 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n' 'git lfs pull'
place web-page '<!doctype html><html>' 'web page'
place server-message 'Entry not found' 'web page'
place old-format 'tjgg\0001\0000\0000\0000................' 'before GGUF'
place archive 'PK\0003\0004..............................' 'archive'
# Line ends that became two bytes.
sed 's/$/\r/' </models/random-llama-q4_0.gguf >/tmp/place.gguf
said line-ends 6 'CR LF' load /tmp/place.gguf
rm -f /tmp/place.gguf

# What loads, and what is told about it.
# noted FILE PATTERN
noted() {
	note=$(sislm-client load "/models/malformed/$1.gguf" --name noted)
	if echo "$note" | grep -q -- "$2"; then ok "note-$1"; else not_ok "note-$1" "no '$2' in: $note"; fi
	if sislm-client models --json | grep -q -- "$2"; then ok "listed-$1"; else not_ok "listed-$1" "$(sislm-client models --json)"; fi
	unload noted
}
noted bos-outside bos_token_id
noted eos-outside eos_token_id
noted eot-outside 'ends a turn'
noted scores-missing 'no scores'
noted ends-by-name 'not marked as a control token'
noted sliding-window 'sliding window'
sislm-client load /models/malformed/sliding-window.gguf --name noted >/dev/null
equal context-is-that-of-the-file "$(sislm-client models --json | number context)" 64
unload noted
equal sound-without-a-note "$(sislm-client load /models/malformed/sound.gguf --name noted | wc -l)" 1
unload noted

# The parts of sound, together and when one is missing or cut.
whole=$(sislm-client load /models/malformed/sound.gguf --json | number model_sha256)
for number in 1 2 3; do
	part=/models/split/sound-0000$number-of-00003.gguf
	equal "split-digest-$number" "$(sislm-client load $part --json --name split | number model_sha256)" "$whole"
	equal "split-answer-$number" "$(sislm-client infer -m split --preset greedy -n 8 a)" "$(sislm-client infer -m sound --preset greedy -n 8 a)"
	unload split
done
unload sound
cp /models/split/sound-0000[12]-of-00003.gguf /tmp/
said split-missing 1 'sound-00003-of-00003.gguf.*put all parts into one folder' load /tmp/sound-00001-of-00003.gguf
head -c 4096 /models/split/sound-00003-of-00003.gguf >/tmp/sound-00003-of-00003.gguf
said split-cut 6 'ends' load /tmp/sound-00001-of-00003.gguf
rm -f /tmp/sound-*

# A file that shrinks between the look at its size and its end.
size=$(wc -c </models/random-gpt2-q8_0.gguf)
for cut in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	head -c $((size * cut / 16)) /models/random-gpt2-q8_0.gguf >/tmp/cut.gguf
	sislm-client load /tmp/cut.gguf >/tmp/said 2>&1
	equal "gpt2-cut-at-$cut-16" "$? $(sislm-client models --json | grep -c cut)" "6 0"
done
rm -f /tmp/cut.gguf
