// SPDX-License-Identifier: GPL-2.0
/* eBPF programs that count what the tracepoints of sislm tell, each in another way. */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "counts.h"

/* The fields that are read. Where they are is found when the program is loaded, by the module's own types. */
struct trace_event_raw_turn_end {
	__u32 count;
	__u64 cpu_ns;
} __attribute__((preserve_access_index));

struct counts counts;

char terms[] SEC("license") = "GPL";

/* By the event's name in tracefs: needs no types. */
SEC("tracepoint/sislm/token")
int token(void *event)
{
	__sync_fetch_and_add(&counts.tokens, 1);
	return 0;
}

/* The same, with fields of the event by their names. */
SEC("tracepoint/sislm/turn_end")
int turn_end(struct trace_event_raw_turn_end *event)
{
	__sync_fetch_and_add(&counts.turns, 1);
	__sync_fetch_and_add(&counts.answered, event->count);
	__sync_fetch_and_add(&counts.turn_ns, event->cpu_ns);
	return 0;
}

/* The tracepoint's arguments, whose types the verifier takes from the module. */
SEC("tp_btf/sislm:step")
int BPF_PROG(step, __u64 model, __u32 rows, __u32 turns, __u64 wall_ns, __u64 cpu_ns)
{
	__sync_fetch_and_add(&counts.steps, 1);
	__sync_fetch_and_add(&counts.rows, rows);
	__sync_fetch_and_add(&counts.step_ns, cpu_ns);
	return 0;
}
