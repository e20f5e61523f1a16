#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Other kernel code asks: the sample module has the answer that a client has, under the limits of whom it names, and leaves nothing.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name asked >/dev/null || not_ok load "status $?"
chgrp user $device
answer=/sys/module/sislm_ask/parameters/answer
ask() { insmod /host/sislm_ask.ko model=asked "$@" 2>/tmp/asked; }
# refused NAME ERRNO PARAMETER...: the module is not loaded.
refused() {
	refused_name=$1
	refused_errno=$2
	shift 2
	ask "$@"
	equal "$refused_name" "$? $(grep -c sislm_ask /proc/modules)" "$refused_errno 0"
}

wanted=$(sislm-client infer -m asked --preset greedy -n 24 "one ten")
ask prompt='"one ten"' tokens=24 || not_ok ask "$(cat /tmp/asked)"
# As a file, the answer ends with a newline.
equal same-text "$(cat $answer)" "$wanted"
[ -n "$wanted" ] || not_ok text "there is none"
record=$(sislm-client trace --json | tail -n 1)
equal record "$(echo "$record" | number kind) $(echo "$record" | number uid) $(echo "$record" | number count)" "turn 0 24"
equal session-is-closed "$(sislm-client info --json | number sessions)" 1
if rmmod sislm 2>/dev/null; then not_ok stays "it was unloaded under a module that calls it"; else ok stays; fi
rmmod sislm_ask

refused unknown-model 2 model=other prompt=one
refused name-too-long 22 model="$(printf '%064d' 0)" prompt=one
refused name-of-none 22 model=asked/ prompt=one
refused answer-too-long 28 prompt=one tokens=0
# Of 256 positions.
sislm-client load /run/sislm/chat.gguf --name brief >/dev/null || not_ok load-brief "status $?"
refused prompt-too-long 90 model=brief prompt="$(printf '%01000d' 0)"

# The limits of the user that it names.
ask prompt=one tokens=2 uid=1000 || not_ok ask-as-user "$(cat /tmp/asked)"
equal record-of-user "$(sislm-client trace --json | tail -n 1 | number uid)" 1000
rmmod sislm_ask
sislm-client limits 1000 --sessions 1 >/dev/null || not_ok limits "status $?"
su user -s /bin/sh -c 'exec 3<>/dev/sislm; echo >/tmp/open; exec sleep 60' & holder=$!
until [ -e /tmp/open ]; do sleep 0.1; done
refused user-has-no-more 122 prompt=one uid=1000
kill $holder
wait $holder 2>/dev/null || true

# Who is killed while it waits is not waited for.
sislm-client load /run/sislm/chat-slow.gguf --name slow >/dev/null || not_ok load-slow "status $?"
before=$(sislm-client stats --json | number turns)
insmod /host/sislm_ask.ko model=slow prompt=one tokens=0 & asker=$!
until [ "$(sislm-client stats --json | number turns)" -gt "$before" ]; do sleep 0.1; done
kill -KILL $asker
wait $asker
equal killed "$? $(grep -c sislm_ask /proc/modules)" "137 0"
tries=0
until [ "$(sislm-client info --json | number sessions)" = 1 ] || [ $tries = 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
equal sessions-after "$(sislm-client info --json | number sessions)" 1
for name in slow brief asked; do unload $name; done
chgrp root $device
check rmmod rmmod sislm
check insmod insmod /host/sislm.ko
