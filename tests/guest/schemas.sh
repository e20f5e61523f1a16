#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Answers by grammars: regular expressions, Lark, and random JSON schemas with a model of random weights.
# kernels: stock debug
. "$(dirname "$0")/lib.sh"
sislm-client load /models/random-llama-q4_0.gguf --name schemas
guided() { sislm-client infer -m schemas --seed 7 "$@" one 2>/tmp/said; }

equal regex "$(guided --regex '[a-c]{3}(-[0-9])?' | grep -Ecx '[a-c]{3}(-[0-9])?')" 1
equal regex-again "$(guided --regex '[a-z]{9}')" "$(guided --regex '[a-z]{9}')"
printf 'start: "yes" | "no, " REST\nREST: /[a-f]{1,4}/\n' >/tmp/grammar
equal lark "$(guided --grammar /tmp/grammar | grep -Ecx 'yes|no, [a-f]{1,4}')" 1
echo '{"type": "object", "properties": {"a": {"enum": ["b", 1]}}, "required": ["a"], "additionalProperties": false}' >/tmp/schema
equal schema "$(guided --json-schema /tmp/schema | grep -Ecx '[{]"a": ("b"|1)[}]')" 1
equal finish "$(guided --json-schema /tmp/schema --json | number finish_reason)" stop
guided --json-schema /tmp/schema -n 2 >/tmp/cut
equal cut-short "$? $(grep -c 'not whole' /tmp/said)" "11 1"
guided --regex '(' >/tmp/cut
equal no-grammar "$? $(grep -c 'no answer can be made' /tmp/said)" "2 1"
count=24
! slow || count=4
program schemas schemas "${SCHEMAS:-$count}"
unload schemas
