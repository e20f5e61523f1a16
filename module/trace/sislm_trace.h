/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: integers and the model's name, never any text. Documentation/metrics.rst describes them. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM sislm

#if !defined(_SISLM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SISLM_TRACE_H

#include <linux/tracepoint.h>

#include "../uapi/sislm.h"

TRACE_EVENT(turn_begin,
	TP_PROTO(u64 session, u64 turn, const char *model, u32 prompt, u32 reused),
	TP_ARGS(session, turn, model, prompt, reused),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, turn)
		__string_len(model, model, strnlen(model, SISLM_NAME_MAX))
		__field(u32, prompt)
		__field(u32, reused)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->turn = turn;
		__assign_str(model);
		__entry->prompt = prompt;
		__entry->reused = reused;
	),
	TP_printk("session=%llu turn=%llu model=%s prompt=%u reused=%u", __entry->session, __entry->turn,
		  __get_str(model), __entry->prompt, __entry->reused)
);

TRACE_EVENT(step,
	TP_PROTO(u64 model, u32 rows, u32 turns, u64 wall_ns, u64 cpu_ns),
	TP_ARGS(model, rows, turns, wall_ns, cpu_ns),
	TP_STRUCT__entry(
		__field(u64, model)
		__field(u32, rows)
		__field(u32, turns)
		__field(u64, wall_ns)
		__field(u64, cpu_ns)
	),
	TP_fast_assign(
		__entry->model = model;
		__entry->rows = rows;
		__entry->turns = turns;
		__entry->wall_ns = wall_ns;
		__entry->cpu_ns = cpu_ns;
	),
	TP_printk("model=%llu rows=%u turns=%u wall_ns=%llu cpu_ns=%llu", __entry->model, __entry->rows,
		  __entry->turns, __entry->wall_ns, __entry->cpu_ns)
);

TRACE_EVENT(token,
	TP_PROTO(u64 session, u64 turn, u32 count),
	TP_ARGS(session, turn, count),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, turn)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->turn = turn;
		__entry->count = count;
	),
	TP_printk("session=%llu turn=%llu count=%u", __entry->session, __entry->turn, __entry->count)
);

TRACE_EVENT(turn_end,
	TP_PROTO(u64 session, u64 turn, u32 count, u32 finish, u64 cpu_ns),
	TP_ARGS(session, turn, count, finish, cpu_ns),
	TP_STRUCT__entry(
		__field(u64, session)
		__field(u64, turn)
		__field(u32, count)
		__field(u32, finish)
		__field(u64, cpu_ns)
	),
	TP_fast_assign(
		__entry->session = session;
		__entry->turn = turn;
		__entry->count = count;
		__entry->finish = finish;
		__entry->cpu_ns = cpu_ns;
	),
	TP_printk("session=%llu turn=%llu count=%u finish=%u cpu_ns=%llu", __entry->session, __entry->turn,
		  __entry->count, __entry->finish, __entry->cpu_ns)
);

TRACE_EVENT(swap,
	TP_PROTO(const char *alias, u64 generation),
	TP_ARGS(alias, generation),
	TP_STRUCT__entry(
		__string_len(alias, alias, strnlen(alias, SISLM_NAME_MAX))
		__field(u64, generation)
	),
	TP_fast_assign(
		__assign_str(alias);
		__entry->generation = generation;
	),
	TP_printk("alias=%s generation=%llu", __get_str(alias), __entry->generation)
);

TRACE_EVENT(select,
	TP_PROTO(u64 session, const char *model, u32 choice, u32 candidates),
	TP_ARGS(session, model, choice, candidates),
	TP_STRUCT__entry(
		__field(u64, session)
		__string_len(model, model, strnlen(model, SISLM_NAME_MAX))
		__field(u32, choice)
		__field(u32, candidates)
	),
	TP_fast_assign(
		__entry->session = session;
		__assign_str(model);
		__entry->choice = choice;
		__entry->candidates = candidates;
	),
	TP_printk("session=%llu model=%s choice=%u candidates=%u", __entry->session, __get_str(model),
		  __entry->choice, __entry->candidates)
);

TRACE_EVENT(shadow,
	TP_PROTO(u64 primary, u64 shadow, u32 tokens, u32 equal, u64 ns),
	TP_ARGS(primary, shadow, tokens, equal, ns),
	TP_STRUCT__entry(
		__field(u64, primary)
		__field(u64, shadow)
		__field(u32, tokens)
		__field(u32, equal)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->primary = primary;
		__entry->shadow = shadow;
		__entry->tokens = tokens;
		__entry->equal = equal;
		__entry->ns = ns;
	),
	TP_printk("primary=%llu shadow=%llu tokens=%u equal=%u ns=%llu", __entry->primary, __entry->shadow,
		  __entry->tokens, __entry->equal, __entry->ns)
);

#endif /* _SISLM_TRACE_H */

/* Kbuild lets the one file that includes this with CREATE_TRACE_POINTS find it again. */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE sislm_trace
#include <trace/define_trace.h>
