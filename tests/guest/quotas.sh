#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each limit of a user: its errno or finish reason, its counter, and the neighbour.
# kernels: stock debug rt
. "$(dirname "$0")/lib.sh"
chgrp sislm $device
sislm-client load /host/bin/long.gguf --name quotas >/dev/null || not_ok load "status $?"
quotas || status=1
equal client-limits "$(sislm-client limits 3200 --sessions 3 --deadline 50 --json | number sessions)" 3
equal client-deadline "$(sislm-client limits 3200 --json | number deadline_ms)" 50
equal infer-deadline "$(sislm-client infer --json -m quotas --ignore-eos --deadline 200 --tokens-per-second 5 "one ten" | number finish_reason)" deadline
unload quotas
# A machine that has less than one user may have.
reload sessions_max=12 user_sessions_max=12 prompts_max_kb=4 user_prompts_max_kb=64 kv_max_mb=1 user_kv_max_mb=64 || not_ok insmod "status $?"
chgrp sislm $device
sislm-client load /host/bin/long.gguf --name quotas >/dev/null || not_ok load "status $?"
quotas machine || status=1
unload quotas
# shellcheck disable=SC2119
reload
chgrp root $device
