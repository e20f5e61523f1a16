#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same with 1,000 schemas; with the custom kernel, so in make test-all only.
# kernels: custom
# boot: SMP=2
SCHEMAS=1000 exec "$(dirname "$0")/schemas.sh"
