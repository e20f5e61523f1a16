#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who may do what: the node's mode decides about using, CAP_SYS_ADMIN about loading and unloading.
# kernels: stock debug custom
. "$(dirname "$0")/lib.sh"
as_user() { su user -s /bin/sh -c "$1" 2>&1; }
model=/models/random-llama-q4_0.gguf
sislm-client load $model --name default >/dev/null || not_ok load "status $?"

equal mode "$(stat -c %a $device)" 660
as_user "exec sislm-client infer -n 1 he" >/tmp/said
equal outside-the-group "$?" 4
chgrp user $device
as_user "exec sislm-client infer --ignore-eos -n 2 he" >/tmp/said
equal in-the-group "$?" 0
sentence=$(as_user "exec sislm-client load $model --name other")
equal load-needs-the-capability "$? $(sislm-client models --json | grep -c '"other"')" "4 0"
if echo "$sentence" | grep -qi "CAP_SYS_ADMIN\|root"; then ok load-says-who-can; else not_ok load-says-who-can "$sentence"; fi
as_user "exec sislm-client unload default" >/tmp/said
equal unload-needs-the-capability "$?" 4
unload default
as_user "exec sislm-client infer he" >/tmp/said
equal no-model-and-no-right "$?" 4
chgrp root $device
