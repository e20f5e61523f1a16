#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Counters, gauges and histograms: those of a model and of all are those of the answers that there were.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
# Without parameters of its own.
# shellcheck disable=SC2119
reload || not_ok insmod "status $?"
for name in one two; do
	check load-$name sislm-client load /models/random-llama-q4_0.gguf --name $name
done
# Of a prompt of 2 ids after the first, which is BOS.
for tokens in 3 5 1; do
	sislm-client infer -m one --ignore-eos -n $tokens "one ten" >/dev/null || not_ok infer "status $?"
done
sislm-client eval --json -m two --ids 3,4,5,6 >/dev/null || not_ok eval "status $?"
sislm-client metrics >/tmp/metrics || not_ok metrics "status $?"
# value NAME: of that line.
value() { grep -v '^#' /tmp/metrics | grep -F "$1 " | cut -d ' ' -f 2; }

equal answers "$(value 'sislm_answers_total{model="one@1",finish_reason="length"}')" 3
equal tokens "$(value 'sislm_answer_tokens_total{model="one@1"}') $(value 'sislm_answer_tokens_total{model="two@1"}')" "9 0"
prompts=$(sislm-client stats --json | number prompt_tokens)
equal prompt-tokens "$(value 'sislm_prompt_tokens_total{model="one@1"}')" "$prompts"
equal evaluations "$(value 'sislm_evaluations_total{model="two@1"}') $(value 'sislm_prompt_tokens_total{model="two@1"}')" "1 4"
for name in time_to_first_token_seconds request_duration_seconds queue_duration_seconds request_answer_tokens; do
	equal "$name" "$(value "sislm_${name}_count{model=\"one@1\"}") $(value "sislm_${name}_count{model=\"two@1\"}")" "3 0"
done
# An answer of one token has none after the first.
equal time_per_output_token_seconds "$(value 'sislm_time_per_output_token_seconds_count{model="one@1"}')" 2
equal buckets "$(value 'sislm_request_answer_tokens_bucket{le="1.0",model="one@1"}') $(value 'sislm_request_answer_tokens_bucket{le="4.0",model="one@1"}') $(value 'sislm_request_answer_tokens_bucket{le="16.0",model="one@1"}')" "1 2 3"
equal sum "$(value 'sislm_request_answer_tokens_sum{model="one@1"}')" 9.0
steps=$(sislm-client stats --json | number steps)
equal steps $(($(value 'sislm_steps_total{model="one@1"}') + $(value 'sislm_steps_total{model="two@1"}'))) "$steps"
equal steps-have-rows $(($(value 'sislm_step_rows_count{model="one@1"}') + $(value 'sislm_step_turns_count{model="two@1"}'))) "$steps"
case $(value 'sislm_engine_cpu_seconds_total{model="one@1"}') in 0.0 | 0 | "") not_ok engine-cpu "$(value 'sislm_engine_cpu_seconds_total{model="one@1"}')" ;; *) ok engine-cpu ;; esac
equal gauges "$(value 'sislm_turns_active{model="one@1"}') $(value 'sislm_kv_bytes{model="one@1"}') $(value sislm_device_models)" "0 0 2"
# Two loads, three answers and an EVALUATE.
equal records "$(value sislm_device_records_total)" 6
equal sections "$(value sislm_section_bytes_count)" "$(sislm-client stats --json | number sections)"
equal end "$(tail -n 1 /tmp/metrics)" "# EOF"

check load-slow sislm-client load /run/sislm/chat-slow.gguf --name slow
sislm-client infer -m slow --ignore-eos one >/dev/null 2>&1 & writer=$!
tries=0
until [ "$(sislm-client metrics | grep -F 'sislm_turns_active{model="slow@1"} ' | cut -d ' ' -f 2)" = 1 ] || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
if [ $tries -lt 100 ]; then ok active; else not_ok active "$(sislm-client metrics | grep active)"; fi
kill $writer
wait $writer 2>/dev/null

chgrp user $device
said=$(su user -s /bin/sh -c "exec sislm-client metrics" 2>&1)
equal unprivileged "$?" 4
case $said in *CAP_SYS_ADMIN* | *root*) ok says-who-can ;; *) not_ok says-who-can "$said" ;; esac
chgrp root $device
for name in one two slow; do unload $name; done
# shellcheck disable=SC2119
reload

# The same in sysfs, a value in a file, as long as the device is there.
facts=/sys/class/misc/sislm
for name in one two; do
	check sysfs-load-$name sislm-client load /models/random-llama-q4_0.gguf --name $name
done
info=$(sislm-client info --json)
equal sysfs "$(cat $facts/models) $(cat $facts/numerics) $(cat $facts/simd)" "2 $(echo "$info" | number numerics) $(echo "$info" | number simd)"
exec 7<>$device
equal sysfs-sessions "$(cat $facts/sessions)" 1
exec 7>&-
equal sysfs-sessions-closed "$(cat $facts/sessions)" 0
# What tells of others is for root.
equal sysfs-rights "$(cd $facts && stat -c '%a %n' models numerics sessions simd | tr '\n' ' ')" "400 models 444 numerics 400 sessions 444 simd "
while [ ! -e /tmp/enough ]; do cat $facts/models $facts/sessions; done >/tmp/read 2>/dev/null &
reader=$!
until grep -q 2 /tmp/read; do sleep 0.1; done
for time in 1 2 3 4 5; do
	# shellcheck disable=SC2119
	reload || not_ok "sysfs-reload-$time" "status $?"
done
touch /tmp/enough
wait $reader
equal sysfs-read-while-reloaded "$(sort -u /tmp/read | tr '\n' ' ')" "0 2 "
