#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What top shows of sessions, and what bench makes the device compute. The models are of tests/guest/programs.
# kernels: stock
. "$(dirname "$0")/lib.sh"
for name in chat chat-slow; do
	sislm-client load /run/sislm/$name.gguf >/tmp/said 2>&1 || not_ok "load-$name" "$(cat /tmp/said)"
done
top() { sislm-client top --once --json; }

equal nothing "$(top | grep -o '"sessions":.*')" '"sessions":[]}'
sislm-client infer -m chat-slow --ignore-eos one >/dev/null 2>&1 & writer=$!
tries=0
until top | grep -q '"state":"\(running\|busy\)"' || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
if [ $tries -lt 100 ]; then ok running; else not_ok running "$(top)"; fi
# It is said again with tokens per second: of the time between two samples.
sislm-client top --batch -n 2 -d 2 >/tmp/twice
equal twice "$(grep -c '^sessions: 1, ' /tmp/twice) $(grep -c '^$' /tmp/twice)" "2 1"
equal command "$(grep -c "^ *$writer  .* sislm-client$" /tmp/twice)" 2
rate=$(sed -n 's/^sessions: .*; \([0-9.]*\) tokens\/s, .*/\1/p' /tmp/twice)
case $rate in "" | 0.0) not_ok rate "$(cat /tmp/twice)" ;; *) ok rate ;; esac
equal user-sees-own "$(chmod 666 $device && su user -c 'sislm-client top --once --json' | grep -o '"sessions":.*')" '"sessions":[]}'
chmod 660 $device
# Of a turn that goes on, too.
live=$(top | grep -o '"sessions":.*')
if [ "$(echo "$live" | number engine_cpu_ns)" -gt 0 ] && [ "$(echo "$live" | number resident_kv_bytes)" -gt 0 ]; then ok live; else not_ok live "$live"; fi
keys=$(grep -h '^sislm-\(driver\|client-id\|engine-cpu\|resident-kv\):' "/proc/$writer/fdinfo/"*)
equal grammar "$(echo "$keys" | grep -v '^sislm-\(driver:.sislm\|client-id:.[0-9]*\|engine-cpu:.[0-9]* ns\|resident-kv:.[0-9]* KiB\)$')" ""
# The session has two descriptors, the device one.
equal client-ids "$(echo "$keys" | grep -c client-id) $(echo "$keys" | grep client-id | sort -u | wc -l)" "3 2"
kill "$writer"
# It was ended by a signal.
wait "$writer" || true
# A prompt that nobody reads the answer of.
exec 3<>$device
unload chat-slow
printf one >&3
equal pending "$(top | number pending) $(top | grep -o '"state":"[a-z]*"')" '1 "state":"pending"'
exec 3>&-

count() { sislm-client stats --json | number "$1"; }
prompts=$(count prompt_tokens) tokens=$(count tokens)
sislm-client bench -m chat -p 16,40 -n 8 -r 2 --svg /tmp/rows.svg >/tmp/rows
# Each test once without being counted and twice with it; a prompt is followed by one token, an answer follows one.
equal prompt-tokens $(($(count prompt_tokens) - prompts)) $((3 * (16 + 40 + 1)))
equal tokens $(($(count tokens) - tokens)) $((3 * (1 + 1 + 9)))
equal rows "$(grep -o ' \(pp\|tg\)[0-9]* ' /tmp/rows | tr -d '\n')" " pp16  pp40  tg8 "
equal plot "$(grep -o '>\(pp\|tg\)[0-9]*<' /tmp/rows.svg | tr -d '\n')" '>pp16<>pp40<>tg8<'
sislm-client bench --json -m chat -p 0 -n 4 -r 3 >/tmp/object
equal object "$(number test </tmp/object) $(grep -o '"samples_ns":\[[0-9]*,[0-9]*,[0-9]*\]' /tmp/object | wc -l)" "tg4 1"
sislm-client bench -m chat -p 512 >/tmp/said 2>&1
equal too-long "$? $(grep -c 'pp512 needs 513 positions' /tmp/said)" "2 1"
# Seven parts, each measured; the machine is emulated, which is said.
sislm-client bench --json -m chat --suite -r 2 >/tmp/object || not_ok suite-status "status $?"
equal suite "$(grep -o '"part":' /tmp/object | wc -l) $(number emulated </tmp/object)" "7 true"
equal suite-measured "$(grep -o '"measured":[0-9.e-]*' /tmp/object | grep -c ':.*[1-9]')" 7
equal suite-samples "$(grep -o '"samples":\[[0-9.e-]*,[0-9.e-]*\]' /tmp/object | wc -l)" 7
# Each position is computed once, on any machine.
equal suite-kv-hits "$(grep -o '"part":"KV hits of a turn".*' /tmp/object | number met)" true
sislm-client bench -m chat --suite -n 4 >/dev/null 2>&1
equal suite-alone $? 2
unload chat
