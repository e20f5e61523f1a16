// SPDX-License-Identifier: GPL-2.0
//! The calling task: signals, rescheduling, freezing.

use super::bindings as sys;
use kernel::{
    bindings,
    prelude::*,
    task::Kuid,
    time::{BootTime, ClockSource, RealTime},
    types::NotThreadSafe, //
};

/// While it lives, nothing but interrupts runs on this CPU instead of the calling task. Nothing that
/// sleeps is called meanwhile. Kernels with PREEMPT_RT stay preemptible: their spinlocks sleep.
pub(crate) struct Unpreempted {
    _task: NotThreadSafe,
}

impl Unpreempted {
    /// From here on.
    pub(crate) fn new() -> Self {
        // SAFETY: Ends when the value is dropped, on the same task.
        unsafe { sys::sislm_preempt_disable() };
        Self {
            _task: NotThreadSafe,
        }
    }
}

impl Drop for Unpreempted {
    fn drop(&mut self) {
        // SAFETY: Begun in `new`.
        unsafe { sys::sislm_preempt_enable() };
    }
}

/// Whether a signal waits.
pub(crate) fn signal_pending() -> bool {
    current!().signal_pending()
}

/// `Err(EINTR)` when a signal waits.
pub(crate) fn interrupted() -> Result {
    if signal_pending() {
        Err(EINTR)
    } else {
        Ok(())
    }
}

/// Whether the task is being killed.
pub(crate) fn dying() -> bool {
    // SAFETY: Reads the calling task's own state.
    unsafe { sys::sislm_fatal_signal_pending() }
}

/// `Err(EINTR)` when the task is being killed.
pub(crate) fn interrupted_by_death() -> Result {
    if dying() {
        Err(EINTR)
    } else {
        Ok(())
    }
}

/// Whether it has CAP_SYS_ADMIN.
pub(crate) fn is_administrator() -> bool {
    // SAFETY: Reads the calling task's credentials.
    unsafe { sys::sislm_task_admin() }
}

/// The process it belongs to, in the initial PID namespace.
pub(crate) fn process() -> u32 {
    current!().group_leader().pid().unsigned_abs()
}

/// Its effective user id, in the initial user namespace.
pub(crate) fn user() -> u32 {
    Kuid::current_euid().into_raw().val
}

/// The id of its cgroup (version 2).
pub(crate) fn cgroup() -> u64 {
    // SAFETY: Reads the calling task's own cgroup.
    unsafe { sys::sislm_task_cgroup() }
}

/// The number of its cgroup namespace; never used again. Containers have one each, as a rule.
pub(crate) fn cgroup_namespace() -> u64 {
    // SAFETY: Reads what the calling task is in.
    unsafe { sys::sislm_cgroup_namespace() }
}

/// Its class: its nice value above -20, and 40 for SCHED_IDLE.
pub(crate) fn class() -> u32 {
    // SAFETY: Reads the calling task's own priority.
    unsafe { sys::sislm_task_class() }
}

/// Whether another task should run here.
pub(crate) fn need_resched() -> bool {
    // SAFETY: Reads the calling task's own flags.
    unsafe { sys::sislm_need_resched() }
}

/// Lets another task run if one should. Kernel code that computes must ask by itself: `cond_resched`
/// is empty on arm64 and a normal wake-up is ignored until the next tick.
pub(crate) fn relax() {
    assert_outside_section();
    if need_resched() {
        yield_now();
    }
}

/// A number from the kernel's random generator.
pub(crate) fn random() -> u64 {
    // SAFETY: May be called anywhere.
    unsafe { bindings::get_random_u64() }
}

/// Bytes from the kernel's random generator.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: May be called anywhere; writes `N` bytes.
    unsafe { bindings::get_random_bytes(bytes.as_mut_ptr().cast(), N) };
    bytes
}

/// CLOCK_BOOTTIME in nanoseconds.
pub(crate) fn boot_ns() -> u64 {
    BootTime::ktime_get().unsigned_abs()
}

/// CLOCK_REALTIME in nanoseconds.
pub(crate) fn real_ns() -> u64 {
    RealTime::ktime_get().unsigned_abs()
}

/// Calls the scheduler in any case.
pub(crate) fn yield_now() {
    // SAFETY: Task context, no lock held that forbids sleeping: lockdep and DEBUG_ATOMIC_SLEEP check it.
    unsafe { bindings::schedule() };
}

/// Makes the calling kernel thread one of short slices.
pub(crate) fn prefer_latency() {
    // SAFETY: Changes the calling task's own scheduling.
    let code = unsafe { sys::sislm_prefer_latency() };
    kernel::warn_on!(code != 0);
}

/// Runs `body` at `nice`.
pub(crate) fn at_nice<R>(nice: c_int, body: impl FnOnce() -> R) -> R {
    // SAFETY: Changes the calling task's own priority, between -20 and 19.
    let before = unsafe { sys::sislm_set_nice(nice) };
    let result = body();
    // SAFETY: As above.
    unsafe { sys::sislm_set_nice(before) };
    result
}

/// Makes the calling kernel thread one that suspend can freeze.
pub(super) fn set_freezable() {
    // SAFETY: Changes the calling task's own flags.
    unsafe { sys::sislm_set_freezable() };
}

/// Stays here while the system is suspended.
pub(crate) fn freeze_if_asked() {
    // SAFETY: Task context; the caller holds no chunk and no lock.
    unsafe { sys::sislm_try_to_freeze() };
}

/// Warns in debug kernels when the caller is inside a NEON section.
#[inline]
pub(super) fn assert_outside_section() {
    #[cfg(CONFIG_DEBUG_ATOMIC_SLEEP)]
    {
        // SAFETY: Reads the calling task's own state.
        let inside = unsafe { sys::sislm_in_neon_section() };
        kernel::warn_on!(inside);
    }
}
