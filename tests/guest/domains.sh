#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# How the time of steps is divided between users, by weight, and between the tenants of one.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
chgrp sislm $device
sislm-client load /host/bin/long.gguf --name long >/dev/null || not_ok load "status $?"
domains backlog long || status=1
domains tenants long || status=1
domains weights long || status=1
unload long
chgrp root $device
