/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of counts.bpf.c count, of all turns and steps while they are attached. */
#ifndef _COUNTS_H
#define _COUNTS_H

#include <linux/types.h>

struct counts {
	/* Events. */
	__u64 tokens, turns, steps;
	/* Sums of their fields. */
	__u64 answered, rows, turn_ns, step_ns;
};

#endif /* _COUNTS_H */
