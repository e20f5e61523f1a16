#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Answers, records and metrics under lockdown, which closes tracefs. It is not taken back, so the boot is one of its own.
# kernels: stock
# boot: SMP=1
. "$(dirname "$0")/lib.sh"
lockdown=/sys/kernel/security/lockdown
tracing=/sys/kernel/tracing
mount -t securityfs none /sys/kernel/security
mount -t tracefs none $tracing
if [ ! -e $lockdown ]; then
	skip lockdown "this kernel has none"
	exit
fi
check load sislm-client load /models/random-llama-q4_0.gguf --name locked
check tracefs-before cat $tracing/events/sislm/enable
echo confidentiality >$lockdown
equal locked "$(grep -o '\[.*\]' $lockdown)" "[confidentiality]"
if cat $tracing/events/sislm/enable >/tmp/said 2>&1; then not_ok tracefs-closed "$(cat /tmp/said)"; else ok tracefs-closed; fi

answer=$(sislm-client infer --json -m locked --ignore-eos -n 3 tires)
commitment=$(echo "$answer" | number commitment)
equal record "$(sislm-client trace --json | grep "$commitment" | number count)" 3
sislm-client trace --raw >/tmp/export
equal verify "$(sislm-client trace --json --verify /tmp/export | number records)" 2
equal metrics "$(sislm-client metrics | grep -F 'sislm_answers_total{model="locked@1",finish_reason="length"}' | cut -d ' ' -f 2)" 1
unload locked
