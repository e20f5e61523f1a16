// SPDX-License-Identifier: GPL-2.0
//! The users of the device, and what each of them has of it.

mod queue;
pub(crate) mod quota;
mod tally;

pub(crate) use queue::{UserQueue, UserWork};
pub(crate) use tally::Tally;

use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc, SpinLock,
    },
    task::Kuid,
    workqueue::{impl_has_work, new_work, Work, WorkItem}, //
};

use crate::{
    limits::Limits,
    statistics::Statistics,
    sys::{task, uapi},
};

/// A user, by effective user id when a file was opened.
#[pin_data]
pub(crate) struct User {
    id: Kuid,
    /// From 1; never used again.
    number: u64,
    sessions: Atomic<u32>,
    kv_bytes: Atomic<u64>,
    /// When a step was last led by a turn of theirs: the number of that step.
    served: Atomic<u64>,
    statistics: Arc<Statistics>,
    queue: Arc<UserQueue>,
    #[pin]
    work: Work<User>,
}

impl_has_work! {
    impl HasWork<Self> for User { self.work }
}

impl WorkItem for User {
    type Pointer = Arc<Self>;

    fn run(this: Arc<Self>) {
        this.queue.run(this.number);
    }
}

impl User {
    /// Its number, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// What they have done.
    pub(crate) fn statistics(&self) -> &Arc<Statistics> {
        &self.statistics
    }

    /// Lets what waits in their name be done.
    pub(crate) fn call(self: &Arc<Self>) {
        // Already called and not begun: then it will be.
        let _ = self.queue.queue().enqueue(self.clone());
    }

    /// Files that they have open.
    pub(crate) fn sessions(&self) -> u32 {
        self.sessions.load(Relaxed)
    }

    /// The answer of STATISTICS for them.
    pub(crate) fn answer_statistics(&self) -> uapi::Statistics {
        uapi::Statistics {
            kv_bytes: self.kv_bytes.load(Relaxed),
            ..self.statistics.answer()
        }
    }

    fn is_here(&self) -> bool {
        self.sessions.load(Relaxed) != 0 || self.kv_bytes.load(Relaxed) != 0
    }

    /// Adds to the bytes of keys and values; those before.
    pub(crate) fn add_kv(&self, bytes: u64) -> u64 {
        self.kv_bytes.fetch_add(bytes, Full)
    }

    /// Takes back what [`User::add_kv`] added.
    pub(crate) fn subtract_kv(&self, bytes: u64) {
        self.kv_bytes.fetch_sub(bytes, Full);
    }

    /// The last step that a turn of theirs led.
    pub(crate) fn served(&self) -> u64 {
        self.served.load(Relaxed)
    }

    /// Notes that a turn of theirs leads step `number`.
    pub(crate) fn serve(&self, number: u64) {
        self.served.store(number, Relaxed);
    }
}

/// Those with an open file or with memory, and their files in all.
struct Present {
    users: KVVec<Arc<User>>,
    sessions: u32,
}

/// The users.
#[pin_data]
pub(crate) struct Users {
    /// A spinlock: whoever opens a file must not keep others out when it is seldom let run.
    #[pin]
    present: SpinLock<Present>,
    last: Atomic<u64>,
    most: u32,
    /// Files that only an administrator can open.
    reserve: u32,
    /// Files of one user.
    share: u32,
    /// Of all of them.
    statistics: Arc<Statistics>,
    queue: Arc<UserQueue>,
}

/// An open file's share of the limits; given back when dropped.
pub(crate) struct Seat {
    users: Arc<Users>,
    user: Arc<User>,
}

impl Users {
    /// None, of whom each may have a quarter of the files; a sixteenth is left to administrators.
    pub(crate) fn new(limits: &Limits, statistics: &Arc<Statistics>) -> Result<Arc<Self>> {
        let most = limits.sessions;
        let reserve = (most / 16).max(1).min(most.saturating_sub(1));
        let share = (most / 4).max(1);
        let queue = UserQueue::new(most)?;
        let present = Present {
            users: KVVec::with_capacity(limits.turns(), GFP_KERNEL)?,
            sessions: 0,
        };
        Arc::pin_init(
            pin_init!(Self {
                present <- new_spinlock!(present, "sislm_users"),
                last: Atomic::new(0),
                most,
                reserve,
                share,
                statistics: statistics.clone(),
                queue,
            }),
            GFP_KERNEL,
        )
    }

    /// Where work in their names is queued.
    pub(crate) fn queue(&self) -> &Arc<UserQueue> {
        &self.queue
    }

    /// Open files.
    pub(crate) fn sessions(&self) -> u32 {
        self.present.lock().sessions
    }

    /// Counts another file of the calling task's user. `ENFILE`: over a limit.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Seat> {
        let (id, privileged) = (Kuid::current_euid(), task::is_administrator());
        let statistics = Statistics::of_user(&self.statistics);
        let statistics = Arc::new(statistics, GFP_KERNEL_ACCOUNT)?;
        let new = Arc::pin_init(
            pin_init!(User {
                id,
                number: self.last.fetch_add(1, Relaxed).wrapping_add(1),
                sessions: Atomic::new(0),
                kv_bytes: Atomic::new(0),
                served: Atomic::new(0),
                statistics,
                queue: self.queue.clone(),
                work <- new_work!("sislm_user"),
            }),
            GFP_KERNEL_ACCOUNT,
        )?;
        let mut present = self.present.lock();
        let known = present.users.iter().find(|user| user.id == id).cloned();
        let user = known.unwrap_or(new);
        let most = if privileged {
            self.most
        } else {
            self.most.saturating_sub(self.reserve)
        };
        let sessions = user.sessions.load(Relaxed);
        if present.sessions >= most || (!privileged && sessions >= self.share) {
            return Err(ENFILE);
        }
        if sessions == 0 {
            present
                .users
                .retain(|other| other.is_here() && other.id != id);
            let user = user.clone();
            present
                .users
                .push_within_capacity(user)
                .map_err(|_| ENFILE)?;
        }
        user.sessions.fetch_add(1, Full);
        present.sessions = present.sessions.saturating_add(1);
        let users = self.clone();
        drop(present);
        Ok(Seat { users, user })
    }
}

impl Seat {
    /// Whose file it is.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.user
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut present = self.users.present.lock();
        present.sessions = present.sessions.saturating_sub(1);
        self.user.sessions.fetch_sub(1, Full);
    }
}
