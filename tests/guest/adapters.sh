#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A model with adapters gives the golden digests that the host is held to (module/engine/tests/golden.adapters), also where
# sessions of several scales are computed together, and says of a file that is no adapter of it why.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
golden=/host/bin/golden.adapters

# evaluated SCALE: the digest of the model lora at that scale, of 257 ids below the vocabulary $2.
evaluated() {
	ids=$(awk -v vocabulary="$2" 'BEGIN { for (i = 0; i < 257; i++) printf "%s%d", i ? "," : "", (i * i * 31 + i * 7 + 3) % vocabulary }')
	answer=$(sislm-client eval --json -m lora --lora "0=$1" --ids "$ids")
	echo "$(echo "$answer" | number numerics) $(echo "$answer" | number logits_digest)"
}

compare() {
	check "$1/load" sislm-client load "/models/random-$1.gguf" --name lora --lora "/models/lora-$1.gguf=0.5"
	equal "$1/told" "$(sislm-client models --json | grep -o '"scale":[0-9.]*')" '"scale":0.5'
	grep "^$1 " "$golden" >/tmp/lora-golden
	# Together, so that rows of all scales are in one batch.
	while read -r _ scale _; do
		evaluated "$scale" "$2" >"/tmp/lora-$scale" &
	done </tmp/lora-golden
	wait
	while read -r _ scale digest; do
		equal "$1/times-$scale" "$(cat "/tmp/lora-$scale")" "$digest"
	done </tmp/lora-golden
	unload lora
}

compare llama-q4_0 512
slow || compare llama-f16 320
plain=$(grep '^random-llama-q4_0 f16 257 ' /host/bin/golden.digests | cut -d ' ' -f 4-)
sislm-client load /models/random-llama-q4_0.gguf --name lora --lora /models/lora-llama-q4_0.gguf >/dev/null
equal off "$(evaluated 0 512)" "$plain"
program serve-lora lora
unload lora

program adapters /models/random-llama-q4_0.gguf /models/lora-llama-q4_0.gguf

# refused NAME WORDS FILE: of a load of the f16 model with this adapter.
refused() {
	said=$(sislm-client load /models/random-llama-f16.gguf --name refused --lora "$3" 2>&1) && { not_ok "refused-$1" "loaded"; return; }
	case $said in *"its adapter 1: "*"$2"*) ok "refused-$1" ;; *) not_ok "refused-$1" "$said" ;; esac
}
refused shape "does not fit" /models/lora-llama-q4_0.gguf
refused model "general.type" /models/random-llama-q4_0.gguf
refused not-gguf "not a GGUF file" /etc/passwd
equal nothing-left "$(sislm-client models --json)" '{"models":[],"aliases":[]}'
