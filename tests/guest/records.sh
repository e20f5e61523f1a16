#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Decision records: who had what computed, for those who operate the machine.
# kernels: stock debug custom rt
. "$(dirname "$0")/lib.sh"
model=/models/random-llama-q4_0.gguf
count=1000
if slow; then count=200; fi
# Fewer are kept than there are turns.
reload trace_records=64 || not_ok insmod "status $?"
program records $model $count

check load sislm-client load $model --name traced
# One process exports, one follows.
sislm-client trace --follow --json >/tmp/followed & follower=$!
answer=$(sislm-client infer --json -m traced --ignore-eos -n 3 tires)
commitment=$(echo "$answer" | number commitment)
tries=0
until grep -q "$commitment" /tmp/followed || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
record=$(grep "$commitment" /tmp/followed)
equal followed "$(echo "$record" | number kind) $(echo "$record" | number seed) $(echo "$record" | number count)" "turn $(echo "$answer" | number seed) 3"
equal text-is-in-none "$(grep -c tires /tmp/followed)" 0
if [ "$(echo "$record" | number cpu_ns)" -gt 0 ]; then ok cpu; else not_ok cpu "$record"; fi

# Computed again, the answer is the same, and nothing else is.
sislm-client infer --json -m traced --ignore-eos --preset creative -n 20 tires >/tmp/answer
found=$(sislm-client replay --preset creative /tmp/answer)
equal replay "$? $found" "0 20 tokens are the same
the commitment is that of this answer"
found=$(sislm-client replay --json --preset balanced /tmp/answer)
equal replay-otherwise "$? $(echo "$found" | number commitment)" "12 false"
sixth=$(sed 's/.*"ids":\[\([0-9,]*\)\],"text.*/\1/' /tmp/answer | cut -d , -f 6)
sed "s/\(\"ids\":\[\([0-9]*,\)\{5\}\)$sixth,\([0-9,]*\],\"text\)/\1$(((sixth + 1) % 256)),\3/" /tmp/answer >/tmp/forged
found=$(sislm-client replay --json --preset creative /tmp/forged)
equal replay-forged "$? $(echo "$found" | number parts_at) $(echo "$found" | number commitment)" "12 5 false"

# An EVALUATE, and a turn that is cancelled.
sislm-client eval --json -m traced --ids 3,4,5 >/dev/null
check load-slow sislm-client load /run/sislm/chat-slow.gguf --name slow
sislm-client infer -m slow --ignore-eos one >/dev/null 2>&1 & writer=$!
until [ "$(sislm-client metrics | grep -F 'sislm_turns_active{model="slow@1"} ' | cut -d ' ' -f 2)" = 1 ]; do sleep 0.1; done
kill -INT $writer
wait $writer
unload traced
unload slow
sislm-client trace --json >/tmp/shown
# of KIND: the last record of it.
of() { grep "\"kind\":\"$1\"" /tmp/shown | tail -n 1; }
equal evaluated "$(of evaluate | number prompt_count) $(of evaluate | number finish)" "3 stop"
equal cancelled "$(of turn | number finish)" cancelled
equal loaded-and-unloaded "$(of load | number model) $(of load | number commitment)" "$(of unload | number model) $(of unload | number commitment)"
equal once-lost "$(grep -c '"kind":"lost"' /tmp/shown)" 1

sislm-client trace --raw >/tmp/export
check verify sislm-client trace --verify /tmp/export
equal as-many "$(sislm-client trace --json --verify /tmp/export | number records)" 64
# flip PLACE: that byte of the export, changed.
flip() {
	byte=$(od -An -tu1 -j "$1" -N 1 /tmp/export | tr -d ' ')
	cp /tmp/export /tmp/flipped
	# shellcheck disable=SC2059
	printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of=/tmp/flipped bs=1 seek="$1" conv=notrunc 2>/dev/null
}
for place in 1000 4097 9999; do
	flip $place
	sislm-client trace --verify /tmp/flipped >/tmp/said 2>&1
	equal "flipped-$place" "$? $(grep -c 'no whole export' /tmp/said)" "12 1"
done
head -c 1500 /tmp/export >/tmp/cut
sislm-client trace --verify /tmp/cut >/tmp/said 2>&1
equal cut "$?" 12

# The right is the caller's, and so is a descriptor that was given away.
chgrp user $device
said=$(su user -s /bin/sh -c "exec sislm-client trace" 2>&1)
equal unprivileged "$?" 4
case $said in *CAP_SYS_ADMIN* | *root*) ok says-who-can ;; *) not_ok says-who-can "$said" ;; esac
chgrp root $device

# The descriptor alone keeps the module: its reader has closed the device.
files=$(for file in "/proc/$follower/fd/"*; do readlink "$file"; done)
case $files in *"$device"*) not_ok device-closed "$files" ;; *) ok device-closed ;; esac
if rmmod sislm 2>/dev/null; then not_ok rmmod-while-read removed && insmod /host/sislm.ko; else ok rmmod-while-read; fi
if live $follower; then ok reader-lives; else not_ok reader-lives "it has ended"; fi
kill -9 $follower
wait $follower 2>/dev/null
tries=0
until reload || [ $tries = 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
equal rmmod-afterwards "$(sislm-client trace --json | wc -l)" 0
for wrong in 15 1048577; do
	rmmod sislm
	if insmod /host/sislm.ko trace_records=$wrong 2>/dev/null; then not_ok "trace_records=$wrong" taken; else ok "trace_records=$wrong"; fi
	[ -e $device ] || insmod /host/sislm.ko
done
