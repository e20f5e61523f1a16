#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Tests of scripts/kernel-log-check: each line that reports an error is found, each harmless one is not."""

import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "kernel-log-check"

REPORTS = """\
[   12.345678] WARNING: CPU: 0 PID: 71 at kernel/softirq.c:362 __local_bh_enable_ip+0x11c/0x168
[    4.000000] WARNING: possible circular locking dependency detected
[    4.000000] ============================================ WARNING: possible recursive locking detected
[    4.000000] WARNING: suspicious RCU usage
[    4.000000] WARNING: inconsistent lock state
[    4.000000] WARNING: bad unlock balance detected!
[    5.100000] BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585
[    5.100000] BUG: unable to handle page fault for address: ffff000000000000
[    5.100000] BUG: scheduling while atomic: sislm/0/88/0x00000002
[    5.100000] BUG: KASAN: slab-use-after-free in sislm_read+0x40/0x80
[    5.100000] BUG kmalloc-64 (Tainted: G           O      ): Redzone overwritten
[    5.100000] kernel BUG at mm/slub.c:4000!
[    5.100000] Internal error: Oops - BUG: 00000000f2000800 [#1]  SMP
[    5.100000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010
[    5.100000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100
[    6.000000] UBSAN: array-index-out-of-bounds in lib/sislm.c:12:3
[    6.000000] INFO: task sislm-client:77 blocked for more than 120 seconds.
[    6.000000] INFO: trying to register non-static key.
[    6.000000] rcu: INFO: rcu_preempt self-detected stall on CPU
[    6.000000] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[    6.000000] rcu: rcu_preempt kthread starved for 5000 jiffies!
[    6.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [sislm/1:90]
[    6.000000] Call trace:
[    6.000000] Call Trace:
[    6.000000] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
[    6.000000] refcount_t: underflow; use-after-free.
[    6.000000] list_add corruption. prev->next should be next
[    6.000000] sislm-client: page allocation failure: order:9, mode:0xcc0(GFP_KERNEL)
[    6.000000] Out of memory: Killed process 80 (sislm-client) total-vm:1000kB
[    6.000000]     not ok 2 claims_are_disjoint
[    6.000000] # sislm: pass:1 fail:1 skip:0 total:2 not ok 1 sislm
"""

HARMLESS = """\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x413fd0c1]
[    0.000000] kasan: KernelAddressSanitizer initialized (generic)
[    0.000000] rcu: 	RCU lockdep checking is enabled.
[    0.000000] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
[    0.000000] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[    1.000000] kmemleak: Kernel memory leak detector initialized (mem pool available: 15560)
[    1.000000] kmemleak: Automatic memory scanning thread started
[    4.063338] sislm: loading out-of-tree module taints kernel.
[    4.063494] sislm: module verification failed: signature and/or required key missing - tainting kernel
[    5.000000] debug: unmapping init memory
[    5.000000]     ok 1 claims_are_disjoint
[    5.000000] systemd[1]: Debug output goes to the journal
"""


def found(text):
    """(lines the check prints, its status) for a log."""
    with tempfile.NamedTemporaryFile("w", suffix=".log") as log:
        log.write(text)
        log.flush()
        done = subprocess.run([CHECK, log.name], capture_output=True, text=True, check=False)
    return done.stdout.splitlines(), done.returncode


def main():
    failed = 0
    cases = [(line, [line], 1) for line in REPORTS.splitlines()] + [(line, [], 0) for line in HARMLESS.splitlines()]
    cases.append((REPORTS + HARMLESS, REPORTS.splitlines(), 1))
    for number, (text, lines, status) in enumerate(cases):
        if found(text + "\n") == (lines, status):
            print(f"ok kernel-log/{number}")
        else:
            failed += 1
            print(f"not ok kernel-log/{number} {text[:100]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
