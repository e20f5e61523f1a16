#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# eBPF programs on the module's tracepoints count what its metrics and records tell; the module has BTF of its own (tests/guest/bpf).
# kernels: stock rt
. "$(dirname "$0")/lib.sh"
if [ ! -e /sys/kernel/btf/vmlinux ]; then
	skip bpf "this kernel has no types"
	exit
fi
tracing=/sys/kernel/tracing
mountpoint -q $tracing || mount -t tracefs tracefs $tracing
# Without parameters of its own.
# shellcheck disable=SC2119
reload || not_ok insmod "status $?"
check btf test -s /sys/kernel/btf/sislm
check load sislm-client load /models/random-llama-q4_0.gguf --name counted
# shellcheck disable=SC2016
answers='for tokens in 3 5 8; do sislm-client infer -m counted --preset greedy --ignore-eos -n $tokens "one ten" >/dev/null || exit; done'
if counted=$(bpf-attach /run/sislm/counts.bpf.o sh -c "$answers" 2>/tmp/said); then ok attach; else not_ok attach "$counted $(cat /tmp/said)"; fi
count() { echo "$counted" | number "$1"; }
equal turns "$(count turns) $(count tokens) $(count answered)" "3 16 16"
equal steps "$(count steps)" "$(sislm-client stats --json | number steps)"
seconds=$(sislm-client metrics | sed -n 's/^sislm_engine_cpu_seconds_total{model="counted@1"} //p')
equal step-ns "$(count step_ns)" "$(echo "$seconds" | awk '{ printf "%.0f", $1 * 1e9 }')"
equal turn-ns "$(count turn_ns)" "$(sislm-client trace --json | grep '"kind":"turn"' | grep -o '"cpu_ns":[0-9]*' | cut -d : -f 2 | awk '{ sum += $1 } END { printf "%.0f", sum }')"
unload counted
