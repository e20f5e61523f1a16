#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How the time of steps is divided between users, by weight, and between the tenants of one: by the records.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
count=600
if slow; then count=100; fi
# Nobody else was served since.
fresh() {
	# shellcheck disable=SC2119
	reload || not_ok reload "status $?"
	chgrp sislm $device
	sislm-client load /host/bin/long.gguf --name long >/dev/null || not_ok load "status $?"
}
fresh
domains backlog long $count || status=1
domains tenants long || status=1
domains weights long || status=1
unload long
chgrp root $device
