/* SPDX-License-Identifier: GPL-2.0 */
/* Inline functions and macros of the kernel that Rust cannot call by itself. */
#ifndef _SISLM_HELPERS_H
#define _SISLM_HELPERS_H

#include <linux/types.h>

struct file;
struct kiocb;
struct mem_cgroup;
struct mutex;
struct poll_table_struct;
struct workqueue_struct;

void sislm_set_freezable(void);
bool sislm_try_to_freeze(void);
bool sislm_fatal_signal_pending(void);
void sislm_preempt_disable(void);
void sislm_preempt_enable(void);
bool sislm_need_resched(void);
bool sislm_in_neon_section(void);
bool sislm_file_admin(const struct file *file);
bool sislm_file_regular(const struct file *file);
bool sislm_file_directory(const struct file *file);
bool sislm_file_readable(const struct file *file);
loff_t sislm_file_size(const struct file *file);
unsigned int sislm_online_cpus(void);
unsigned int sislm_housekeeping_cpus(void);
unsigned long sislm_seconds(unsigned int seconds);
unsigned long sislm_jiffies(__u64 nanoseconds);
__u32 sislm_poll_requested(const struct poll_table_struct *table);
bool sislm_kiocb_nowait(const struct kiocb *kiocb);
int sislm_prefer_latency(void);
void sislm_memzero(void *memory, size_t bytes);
int sislm_mutex_lock_killable(struct mutex *mutex);
struct mem_cgroup *sislm_memcg_get_current(void);
void sislm_memcg_put(struct mem_cgroup *memcg);
struct mem_cgroup *sislm_memcg_charge(struct mem_cgroup *memcg);
unsigned long sislm_vmalloc_held(unsigned long bytes);
unsigned long sislm_total_pages(void);
bool sislm_task_admin(void);
__u64 sislm_task_cgroup(void);
__u64 sislm_cgroup_namespace(void);
__u32 sislm_task_class(void);
struct workqueue_struct *sislm_alloc_workqueue(unsigned int most);
int sislm_set_nice(int nice);

struct sislm_configure;
struct sislm_result;

/* What the exported functions of callers.c call, with what is served. */
struct sislm_callers {
	int (*open)(void *all, const struct sislm_configure *configuration, void **session);
	int (*ask)(void *session, const char *prompt, size_t length,
		   int (*answer)(void *data, const char *text, size_t length), void *data, struct sislm_result *result);
	void (*close)(void *session);
};

void sislm_serve_callers(const struct sislm_callers *table, void *all);

#endif /* _SISLM_HELPERS_H */
