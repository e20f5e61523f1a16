#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# cpu.max of a caller that refuses helpers; and nobody is woken where nothing is asked.
# kernels: stock
. "$(dirname "$0")/lib.sh"
chgrp sislm $device
sislm-client load /run/sislm/chat-slow.gguf --name held >/dev/null || not_ok load "status $?"
mkdir -p /tmp/cgroup
mount -t cgroup2 none /tmp/cgroup
echo +cpu >/tmp/cgroup/cgroup.subtree_control
mkdir /tmp/cgroup/held /tmp/cgroup/other
cpu_max held /tmp/cgroup || status=1
rmdir /tmp/cgroup/held /tmp/cgroup/other
umount /tmp/cgroup

unload held
sislm-client load /run/sislm/long.gguf --name quick >/dev/null || not_ok load-quick "status $?"

# Threads of the module, and how often each has come and gone.
switches() {
	for process in /proc/[0-9]*; do
		read -r name 2>/dev/null <"$process/comm" || continue
		case $name in sislm/*) ;; *) [ "${process#/proc/}" = "$reader" ] || [ "${process#/proc/}" = "$writer" ] || continue ;; esac
		echo "$name $(sed -n 's/ctxt_switches:\t/ /p' "$process/status" | tr -d '\n')"
	done
}
# Sessions that asked, that have not read their answer, that have not asked; and who waits for records.
sislm-client trace --follow >/dev/null & reader=$!
exec 3<>$device 4<>$device 5<>$device
printf 'one\n' >&3
timeout 60 cat <&3 >/dev/null
printf 'two\n' >&4
# An answer that is as long as is kept of it waits for its reader.
sh -c 'exec 9<>/dev/sislm; printf "three\n" >&9; exec sleep 1000' & writer=$!
# How long that takes is the machine's to say; who is woken for ever is not quiet for 20 seconds afterwards.
tries=0
before=$(switches)
until sleep 5 && last=$before && before=$(switches) && [ "$before" = "$last" ] || [ $tries = 60 ]; do tries=$((tries + 1)); done
sleep 20
equal idle-wakes-nobody "$(switches)" "$before"
check idle-threads test "$(echo "$before" | grep -c '^sislm/')" -ge 3
# It is of this that nothing was counted.
sislm-client infer -m quick -n 2 one >/dev/null
if [ "$(switches)" != "$before" ]; then ok turns-are-seen; else not_ok turns-are-seen "$before"; fi
kill $reader $writer
wait $reader $writer 2>/dev/null
exec 3>&- 4>&- 5>&-
unload quick
chgrp root $device
