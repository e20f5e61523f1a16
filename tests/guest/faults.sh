#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Allocations that fail while loading and generating: a clear error or the right answer, never anything else.
# kernels: debug
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
sislm-client load $model --name sound >/dev/null || not_ok load "status $?"
story() { sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten"; }
ids() { sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
wanted=$(story | ids)

# faulty CMD...: runs CMD with the faults on, for this process and its children alone.
faulty() { sh -c 'echo 1 >/proc/self/make-it-fail; exec "$@"' sh "$@"; }

for kind in failslab fail_page_alloc; do
	set=/sys/kernel/debug/$kind
	echo Y >$set/task-filter
	echo 0 >$set/verbose
	echo N >$set/ignore-gfp-wait
	[ ! -e $set/ignore-gfp-highmem ] || echo N >$set/ignore-gfp-highmem
	[ ! -e $set/min-order ] || echo 0 >$set/min-order
	loads=0 refused=0 wrong=
	for probability in 1 2 5 10 20 50 100; do
		echo $probability >$set/probability
		for try in 1 2 3; do
			echo -1 >$set/times
			faulty sislm-client load $model --name "faulty$try" >/tmp/said 2>&1
			case $? in
			0) loads=$((loads + 1)) ;;
			*) refused=$((refused + 1)) ;;
			esac
			faulty sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten" >/tmp/said 2>&1 &&
				[ "$(ids </tmp/said)" != "$wanted" ] && wrong="$wrong $probability"
			echo 0 >$set/times
			sislm-client unload "faulty$try" >/dev/null 2>&1
		done
	done
	echo 0 >$set/probability
	equal "$kind/no-wrong-answer" "$wrong" ""
	equal "$kind/models-after" "$(sislm-client info --json | number models)" 1
	equal "$kind/sessions-after" "$(sislm-client info --json | number sessions)" 1
	equal "$kind/blocks-after" "$(sislm-client stats --json | number kv_blocks)" 0
	equal "$kind/answer-after" "$(story | ids)" "$wanted"
	if [ $refused -gt 0 ]; then ok "$kind/$refused-of-21-loads-failed"; else not_ok "$kind/loads" "no fault was injected ($loads loads)"; fi
done
sislm-client unload sound || not_ok unload "status $?"
