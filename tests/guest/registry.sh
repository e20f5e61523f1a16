#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Versions of a name, and aliases that give them: swap, canary, A/B and rollback, under load.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
one=/models/random-llama-q4_0.gguf
other=/models/random-llama-f16.gguf
swaps=200
count=2000
if slow; then swaps=40 count=400; fi
program registry $one $other $swaps
check rmmod reload

# drawn FILE: after a reload, who is given which of two versions.
drawn() {
	check "reload-for-$1" reload
	check "first-$1" sislm-client load $one --name tiny
	check "second-$1" sislm-client load $other --name tiny
	program draws tiny $count "/tmp/$1"
}
drawn once
drawn again
check draws-are-the-same cmp /tmp/once /tmp/again

# What the client says and does.
equal shown "$(sislm-client alias ab)" "ab: tiny@1=90 tiny@2=10 (set, generation $(sed -n 's/generation //p' /tmp/again))"
equal newest "$(sislm-client alias tiny --json | number name)" tiny@2
equal versions "$(sislm-client models | grep -c '^tiny@[12] ')" 2
answer=$(sislm-client infer --json -m tiny@1 -n 1 tires)
equal named "$? $(echo "$answer" | number model_sha256)" "0 $(sha256sum $one | cut -d ' ' -f 1)"
check swap sislm-client alias tiny tiny@1
equal swapped "$(sislm-client infer --json -m tiny -n 1 tires | number model_sha256)" "$(sha256sum $one | cut -d ' ' -f 1)"
equal recorded "$(sislm-client trace --json | grep -c '"kind":"alias"')" 2
sislm-client unload tiny@1 >/tmp/said 2>&1
equal held "$? $(grep -c 'an alias that was set gives it' /tmp/said)" "1 1"
check unpin sislm-client alias tiny --unpin
check unpin-ab sislm-client alias ab --unpin
equal gone "$(sislm-client alias ab >/dev/null 2>&1 && echo there)" ""
check replace sislm-client load $one --name tiny --replace
equal replaced "$(sislm-client models --json | grep -o '"version":[0-9]*' | tr '\n' ' ')" '"version":3 '
chgrp user $device
said=$(su user -s /bin/sh -c "exec sislm-client alias tiny tiny@3" 2>&1)
equal unprivileged "$? $(su user -s /bin/sh -c "exec sislm-client alias tiny" 2>&1 | cut -d ' ' -f 2)" "4 tiny@3"
chgrp root $device

# All of a directory.
mkdir -p /tmp/models.d
ln -s $one /tmp/models.d/first.gguf
ln -s $other /tmp/models.d/second.gguf
echo none >/tmp/models.d/broken.gguf
said=$(sislm-client load --all /tmp/models.d 2>&1)
equal load-all "$? $(echo "$said" | grep -c 'first@1\|second@1\|broken.gguf: ')" "6 3"
said=$(sislm-client load --all /tmp/models.d 2>&1)
equal load-all-again "$? $(sislm-client models | grep -c '^first@\|^second@')" "6 2"
for name in first second tiny; do check "unload-$name" sislm-client unload $name; done
check rmmod-at-last reload
