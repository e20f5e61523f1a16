// SPDX-License-Identifier: GPL-2.0
//! Wait queues.
//!
//! `CondVar` waits uninterruptibly or with a lock, and `PollCondVar` waits for an RCU grace period
//! when it is dropped; a queue that lives as long as an open file needs neither.

use super::{bindings as sys, clock, task};
use kernel::{bindings, fs::File, prelude::*, task as states, types::Opaque};

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The condition holds.
    Ready,
    /// A signal waits.
    Signal,
    /// The time is over.
    Timeout,
}

/// Seconds of a wait without a timer.
pub(crate) const FOREVER: u32 = u32::MAX;

/// The shortest time that a timer measures well: 2 to 30 ms by the kernel's configuration.
const GLANCE_JIFFIES: c_long = 3;

/// A queue of waiting tasks.
///
/// # Invariants
///
/// `head` is an initialized, pinned wait queue head.
#[pin_data]
pub(crate) struct WaitQueue {
    #[pin]
    head: Opaque<bindings::wait_queue_head>,
}

// SAFETY: A wait queue head has its own lock.
unsafe impl Send for WaitQueue {}
// SAFETY: As above.
unsafe impl Sync for WaitQueue {}

impl WaitQueue {
    /// An empty queue.
    pub(crate) fn new() -> impl PinInit<Self> {
        let key = kernel::static_lock_class!();
        pin_init!(Self {
            // SAFETY: `slot` is valid and pinned; name and key are static.
            head <- Opaque::ffi_init(|slot| unsafe {
                bindings::__init_waitqueue_head(slot, c"sislm_wait".as_char_ptr(), key.as_ptr())
            }),
        })
    }

    /// Wakes all shared waiters and at most `count` exclusive ones.
    pub(crate) fn wake(&self, count: u32) {
        if count == 0 {
            return;
        }
        // SAFETY: The head is valid by the invariant.
        unsafe {
            bindings::__wake_up(
                self.head.get(),
                bindings::TASK_NORMAL,
                i32::try_from(count).unwrap_or(i32::MAX),
                core::ptr::null_mut(),
            )
        };
    }

    /// Wakes an exclusive waiter. The caller has nothing to do before that one has run, which may so
    /// run on the caller's CPU.
    pub(crate) fn wake_instead(&self) {
        // SAFETY: The head is valid by the invariant.
        unsafe { sys::__wake_up_sync(self.head.get(), bindings::TASK_NORMAL) };
    }

    /// Wakes all waiters, pollers too.
    pub(crate) fn wake_all(&self) {
        // SAFETY: The head is valid by the invariant; 0 wakes exclusive waiters without limit.
        unsafe {
            bindings::__wake_up(
                self.head.get(),
                bindings::TASK_NORMAL,
                0,
                core::ptr::null_mut(),
            )
        };
    }

    /// Registers the poller of `file`.
    pub(super) fn register(&self, file: &File, table: *mut bindings::poll_table) {
        // SAFETY: `table` is null or that of the poll in progress; the file is open, so its session
        // and this queue outlive every registration: epoll removes its own before release.
        unsafe { bindings::poll_wait(file.as_ptr(), self.head.get(), table) };
    }

    /// Waits until `ready`, a signal, or `seconds` are over. `ready` must not sleep.
    pub(crate) fn wait(&self, seconds: u32, ready: impl FnMut() -> bool) -> Woken {
        let state = states::TASK_INTERRUPTIBLE;
        wait_on(&[(self, false)], state, jiffies(seconds), ready)
    }

    /// Waits until `ready`, whatever signals come: for what ends soon by itself.
    pub(crate) fn wait_briefly(&self, ready: impl FnMut() -> bool) {
        let state = states::TASK_UNINTERRUPTIBLE;
        // Nothing but `ready` ends it.
        let _ = wait_on(&[(self, false)], state, jiffies(FOREVER), ready);
    }

    /// As [`WaitQueue::wait`], as one of the tasks of which [`WaitQueue::wake`] wakes some; frozen
    /// in suspend.
    pub(crate) fn wait_exclusive(&self, seconds: u32, ready: impl FnMut() -> bool) -> Woken {
        let state = states::TASK_INTERRUPTIBLE | states::TASK_FREEZABLE;
        wait_on(&[(self, true)], state, jiffies(seconds), ready)
    }

    /// As [`WaitQueue::wait_exclusive`], until `moment` of the clock at most.
    pub(crate) fn wait_exclusive_until(&self, moment: u64, ready: impl FnMut() -> bool) -> Woken {
        let state = states::TASK_INTERRUPTIBLE | states::TASK_FREEZABLE;
        let left = match moment {
            clock::NEVER => c_long::MAX,
            moment => {
                let left = moment.saturating_sub(clock::now());
                // SAFETY: Divides.
                c_long::try_from(unsafe { sys::sislm_jiffies(left) }).unwrap_or(c_long::MAX)
            }
        };
        wait_on(&[(self, true)], state, left, ready)
    }

    /// As [`WaitQueue::wait_exclusive`], but not above [`GLANCE_JIFFIES`].
    pub(crate) fn glance(&self, ready: impl FnMut() -> bool) -> Woken {
        let state = states::TASK_INTERRUPTIBLE | states::TASK_FREEZABLE;
        wait_on(&[(self, true)], state, GLANCE_JIFFIES, ready)
    }

    /// Waits in two queues at once.
    pub(crate) fn wait_either(
        &self,
        other: &WaitQueue,
        seconds: u32,
        ready: impl FnMut() -> bool,
    ) -> Woken {
        let queues = [(self, false), (other, false)];
        let state = states::TASK_INTERRUPTIBLE;
        wait_on(&queues, state, jiffies(seconds), ready)
    }
}

fn jiffies(seconds: u32) -> c_long {
    match seconds {
        FOREVER => c_long::MAX,
        // SAFETY: Multiplies.
        seconds => c_long::try_from(unsafe { sys::sislm_seconds(seconds) }).unwrap_or(c_long::MAX),
    }
}

/// Waits in `queues`, each as an exclusive waiter or not.
fn wait_on<const N: usize>(
    queues: &[(&WaitQueue, bool); N],
    state: c_int,
    mut left: c_long,
    mut ready: impl FnMut() -> bool,
) -> Woken {
    task::assert_outside_section();
    let entries: [Opaque<bindings::wait_queue_entry>; N] =
        core::array::from_fn(|_| Opaque::uninit());
    for entry in &entries {
        // SAFETY: The entry is writable and does not move any more.
        unsafe { bindings::init_wait(entry.get()) };
    }
    let woken = loop {
        for (entry, (queue, exclusive)) in entries.iter().zip(queues) {
            let (head, entry) = (queue.head.get(), entry.get());
            // SAFETY: Head and entry are valid; the entry leaves the queue below.
            unsafe {
                if *exclusive {
                    bindings::prepare_to_wait_exclusive(head, entry, state);
                } else {
                    bindings::prepare_to_wait(head, entry, state);
                }
            }
        }
        if ready() {
            break Woken::Ready;
        }
        if state & states::TASK_INTERRUPTIBLE != 0 && task::signal_pending() {
            break Woken::Signal;
        }
        if left == 0 {
            break Woken::Timeout;
        }
        // SAFETY: Task context without locks. A wake-up since `prepare_to_wait` makes it return at once.
        left = unsafe { bindings::schedule_timeout(left) };
    };
    for (entry, (queue, _)) in entries.iter().zip(queues) {
        // SAFETY: As above; afterwards nothing refers to the entry. Sets the task running.
        unsafe { bindings::finish_wait(queue.head.get(), entry.get()) };
    }
    woken
}
