#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Allocations that fail while loading and generating: a clear error or the right answer, never anything else.
# kernels: debug
. "$(dirname "$0")/lib.sh"
# From memory, so that the file's own pages are there.
model=/tmp/faults.gguf
cp /models/random-llama-q4_0.gguf $model

aim_faults
program faults $model

sislm-client load $model --name sound >/dev/null || not_ok load "status $?"
story() { sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten"; }
ids() { sed 's/.*"ids":\[\([0-9,]*\)\].*/\1/'; }
wanted=$(story | ids)

many=1000000
for kind in failslab fail_page_alloc; do
	set=/sys/kernel/debug/$kind
	echo Y >$set/task-filter
	injected=0 refused=0 wrong=
	for probability in 1 5 20 100; do
		echo $probability >$set/probability
		for try in 1 2 3; do
			echo $many >$set/times
			faulty sislm-client load $model --name "faulty$try" >/tmp/said 2>&1
			case $? in
			0) ;;
			7) refused=$((refused + 1)) ;;
			*) wrong="$wrong $probability:$(tail -n 1 /tmp/said)" ;;
			esac
			faulty sislm-client infer --json -m sound --preset greedy --ignore-eos -n 8 "one ten" >/tmp/said 2>&1
			case $? in
			0) [ "$(ids </tmp/said)" = "$wanted" ] || wrong="$wrong $probability:$(cat /tmp/said)" ;;
			7 | 9) ;;
			*) wrong="$wrong $probability:$(tail -n 1 /tmp/said)" ;;
			esac
			injected=$((injected + many - $(cat $set/times)))
			echo 0 >$set/times
			sislm-client unload "faulty$try" >/dev/null 2>&1
		done
	done
	echo 0 >$set/probability
	equal "$kind/nothing-wrong" "$wrong" ""
	equal "$kind/models-after" "$(sislm-client info --json | number models)" 1
	equal "$kind/sessions-after" "$(sislm-client info --json | number sessions)" 1
	equal "$kind/blocks-after" "$(sislm-client stats --json | number kv_blocks)" 0
	equal "$kind/answer-after" "$(story | ids)" "$wanted"
	echo "# $kind: $injected allocations failed, $refused of 12 loads with them"
	if [ $injected -gt 0 ] && [ $refused -gt 0 ]; then ok "$kind/faults-were-injected"; else not_ok "$kind/faults-were-injected" "$injected, $refused loads failed"; fi
done
sislm-client unload sound || not_ok unload "status $?"
rm -f $model
