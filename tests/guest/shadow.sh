#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Answers compared with those of another version: sums, draws, delays, changes meanwhile, and what the client says.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
one=/models/shadow/random-llama-q4_0.gguf
other=/models/shadow/random-llama-q8_0.gguf
count=36
if slow; then count=9; fi
check fresh reload
program shadow $one $other /models/random-llama-f16.gguf $count
check little-memory reload kv_max_mb=1
sislm-client limits 0 --kv-mb 1 >/dev/null || not_ok limits "status $?"
program shadow-pressure $one $other $((1024 * 1024))
check rmmod reload

# What the client says and does.
check load-primary sislm-client load $one --name tiny
check load-shadow sislm-client load $other --name tiny
check alias sislm-client alias prod tiny@1
equal on "$(sislm-client shadow prod --on tiny@2 --permille 1000 | head -n 1)" "prod: no answer yet, compared with tiny@2 (1000 of 1000 turns)"
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs tracefs $tracing 2>/dev/null
echo >$tracing/trace
echo 1 >$tracing/events/sislm/shadow/enable
sislm-client infer -m prod -n 20 --ignore-eos tires >/dev/null || not_ok infer "status $?"
tries=0
until [ "$(sislm-client shadow prod --json | number turns)" = 1 ] || [ $tries -gt 300 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
echo 0 >$tracing/events/sislm/shadow/enable
agree=$(sislm-client shadow prod --json | number equal)
equal traced "$(grep -c " shadow: primary=[1-9][0-9]* shadow=[1-9][0-9]* tokens=20 equal=$agree ns=[1-9]" $tracing/trace)" 1
said=$(sislm-client shadow)
equal too-little "$(echo "$said" | grep -c 'too little to conclude: 1 turns and 20 tokens')" 1
equal title "$(echo "$said" | head -n 1)" "prod: tiny@1, compared with tiny@2 (1000 of 1000 turns)"
equal json "$(sislm-client shadow prod --json | grep -c '"conclusive":false')" 1
equal records "$(sislm-client trace --json | grep -c '"kind":"compare"')" 2
chgrp user $device
su user -s /bin/sh -c "exec sislm-client shadow prod" >/tmp/said 2>&1
equal unprivileged-reads "$? $(grep -c CAP_SYS_ADMIN /tmp/said)" "4 1"
su user -s /bin/sh -c "exec sislm-client shadow prod --off" >/tmp/said 2>&1
equal unprivileged-sets "$? $(grep -c CAP_SYS_ADMIN /tmp/said)" "4 1"
chgrp root $device
check off sislm-client shadow prod --off
sislm-client shadow prod >/tmp/said 2>&1
equal gone "$? $(grep -c 'are compared with none' /tmp/said)" "5 1"

# The module goes while answers are compared.
check on-again sislm-client shadow prod --on tiny@2 --permille 1000
for round in 1 2 3; do
	sislm-client infer -m prod -n 200 --ignore-eos tires >/dev/null || not_ok "infer-$round" "status $?"
	check "rmmod-meanwhile-$round" reload
	sislm-client load $one --name tiny >/dev/null
	sislm-client load $other --name tiny >/dev/null
	sislm-client alias prod tiny@1 >/dev/null
	sislm-client shadow prod --on tiny@2 --permille 1000 >/dev/null || not_ok "on-$round" "status $?"
done
check rmmod-at-last reload
