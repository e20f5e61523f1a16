// SPDX-License-Identifier: GPL-2.0
/* Inline functions and macros of the kernel that Rust cannot call by itself. */
#include <linux/capability.h>
#include <linux/cgroup.h>
#include <linux/cgroup_namespace.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/freezer.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/pgtable.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>

#include "helpers.h"

void sislm_set_freezable(void)
{
	set_freezable();
}

bool sislm_try_to_freeze(void)
{
	return try_to_freeze();
}

bool sislm_fatal_signal_pending(void)
{
	return fatal_signal_pending(current);
}

void sislm_preempt_disable(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
}

void sislm_preempt_enable(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

/* A normal wake-up sets only the lazy flag, which kernel code ignores until the next tick. */
bool sislm_need_resched(void)
{
	return test_thread_flag(TIF_NEED_RESCHED) || test_thread_flag(TIF_NEED_RESCHED_LAZY);
}

bool sislm_in_neon_section(void)
{
	return current->thread.kernel_fpsimd_state;
}

/* Both who opened and who calls: neither a passed descriptor nor a confused deputy gives the right. */
bool sislm_file_admin(const struct file *file)
{
	return file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN) && capable(CAP_SYS_ADMIN);
}

bool sislm_file_regular(const struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode);
}

bool sislm_file_directory(const struct file *file)
{
	return S_ISDIR(file_inode(file)->i_mode);
}

/* kernel_read() warns about files that fail this. */
bool sislm_file_readable(const struct file *file)
{
	return (file->f_mode & FMODE_READ) && (file->f_mode & FMODE_CAN_READ);
}

loff_t sislm_file_size(const struct file *file)
{
	return i_size_read(file_inode(file));
}

unsigned int sislm_online_cpus(void)
{
	return num_online_cpus();
}

unsigned int sislm_housekeeping_cpus(void)
{
	return cpumask_weight_and(housekeeping_cpumask(HK_TYPE_DOMAIN), cpu_online_mask);
}

unsigned long sislm_seconds(unsigned int seconds)
{
	return seconds * HZ;
}

/* Not before they are over. */
unsigned long sislm_jiffies(__u64 nanoseconds)
{
	return nsecs_to_jiffies(nanoseconds) + 1;
}

__u32 sislm_poll_requested(const struct poll_table_struct *table)
{
	return (__force __u32)poll_requested_events(table);
}

bool sislm_kiocb_nowait(const struct kiocb *kiocb)
{
	return (kiocb->ki_flags & IOCB_NOWAIT) || (kiocb->ki_filp->f_flags & O_NONBLOCK);
}

/* A short slice: soon on a CPU after a wake-up, with no larger share of it. */
int sislm_prefer_latency(void)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_NORMAL,
		.sched_runtime = 100 * NSEC_PER_USEC,
	};

	return sched_setattr_nocheck(current, &attr);
}

void sislm_memzero(void *memory, size_t bytes)
{
	memzero_explicit(memory, bytes);
}

int sislm_mutex_lock_killable(struct mutex *mutex)
{
	return mutex_lock_killable(mutex);
}

struct mem_cgroup *sislm_memcg_get_current(void)
{
	/* None: that which is charged at the moment, else that of the task. */
	return get_mem_cgroup_from_mm(NULL);
}

void sislm_memcg_put(struct mem_cgroup *memcg)
{
	mem_cgroup_put(memcg);
}

struct mem_cgroup *sislm_memcg_charge(struct mem_cgroup *memcg)
{
	return set_active_memcg(memcg);
}

/* What vmalloc_huge() takes at most: it fills up the largest page that a block is worth. */
unsigned long sislm_vmalloc_held(unsigned long bytes)
{
	if (bytes >= PMD_SIZE)
		return round_up(bytes, PMD_SIZE);
	if (bytes >= CONT_PTE_SIZE)
		return round_up(bytes, CONT_PTE_SIZE);
	return PAGE_ALIGN(bytes);
}

unsigned long sislm_total_pages(void)
{
	return totalram_pages();
}

/* Not frozen: its items may sleep for long in a user's name, and suspend waits for nobody. */
struct workqueue_struct *sislm_alloc_workqueue(unsigned int most)
{
	return alloc_workqueue("sislm", WQ_UNBOUND, clamp_t(unsigned int, most, 1, WQ_UNBOUND_MAX_ACTIVE));
}

/* The value before. */
int sislm_set_nice(int nice)
{
	int before = task_nice(current);

	set_user_nice(current, nice);
	return before;
}

/* Asked about everybody who opens the device: a refusal is no news for the audit log. */
bool sislm_task_admin(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/* As bpf_get_current_cgroup_id(): the inode of its directory. */
__u64 sislm_task_cgroup(void)
{
	__u64 id;

	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
	return id;
}

/* An exiting task has none. */
__u64 sislm_cgroup_namespace(void)
{
	return current->nsproxy ? current->nsproxy->cgroup_ns->ns.ns_id : 0;
}

__u32 sislm_task_class(void)
{
	return current->policy == SCHED_IDLE ? NICE_WIDTH : task_nice(current) - MIN_NICE;
}
