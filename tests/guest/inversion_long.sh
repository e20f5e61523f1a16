#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same beside more loops, at last so many that the caller waits for seconds; with the custom kernel, so in make test-all only.
# boot: SMP=2
# kernels: custom
LOOPS="30 110" exec "$(dirname "$0")/inversion.sh"
