// SPDX-License-Identifier: GPL-2.0
//! The users of the device, and what each of them has of it.

pub(crate) mod account;
pub(crate) mod allowance;
pub(crate) mod bucket;
mod domain;
mod namespace;
pub(crate) mod prompts;
mod queue;
pub(crate) mod quota;
mod tally;

pub(crate) use domain::{Path, LAST, LEVELS};
pub(crate) use namespace::Namespace;
pub(crate) use queue::{UserQueue, UserWork};
pub(crate) use tally::Tally;

use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, SpinLock,
    },
    task::Kuid,
    workqueue::{impl_has_work, new_work, Work, WorkItem}, //
};

use crate::{
    limits::Limits,
    statistics::Statistics,
    sys::{
        errno::EDQUOT,
        task,
        uapi::{self, SISLM_LIMITS_SET},
    },
    users::{
        account::Account,
        allowance::{Allowance, Allowances},
        bucket::Bucket,
    }, //
};

/// A user, by effective user id when a file was opened.
#[pin_data]
pub(crate) struct User {
    id: Kuid,
    /// From 1; never used again.
    number: u64,
    account: Account,
    allowances: Arc<Allowances>,
    bucket: Bucket,
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

    /// Its id, as the kernel has it.
    pub(crate) fn id(&self) -> u32 {
        self.id.into_raw().val
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

    /// What they have.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// What they may have.
    pub(crate) fn allowance(&self) -> Allowance {
        self.allowances.of(self.id())
    }

    /// Whether a model is chosen for them now. `EDQUOT`: as often as may be.
    pub(crate) fn choose(&self) -> Result {
        self.allowances.choose(self.id())
    }

    /// The rate of their tokens.
    pub(crate) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The answer of STATISTICS for them.
    pub(crate) fn answer_statistics(&self) -> uapi::Statistics {
        uapi::Statistics {
            kv_bytes: self.account.kv_bytes.get(),
            ..self.statistics.answer()
        }
    }
}

/// Those with an open file or with memory.
struct Present {
    users: KVVec<Arc<User>>,
    namespaces: KVVec<Arc<Namespace>>,
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
    allowances: Arc<Allowances>,
    /// Of all of them.
    statistics: Arc<Statistics>,
    queue: Arc<UserQueue>,
}

/// An open file, counted for its user and for all; no longer when dropped.
struct Counted {
    users: Arc<Users>,
    user: Arc<User>,
}

/// An open file's share of the limits; given back when dropped.
pub(crate) struct Seat {
    namespace: Arc<Namespace>,
    _counted: Counted,
}

impl Users {
    /// None; a sixteenth of the files is left to administrators.
    pub(crate) fn new(limits: &Limits, statistics: &Arc<Statistics>) -> Result<Arc<Self>> {
        let most = limits.sessions;
        let reserve = (most / 16).max(1).min(most.saturating_sub(1));
        let queue = UserQueue::new(most)?;
        let present = Present {
            users: KVVec::with_capacity(limits.turns(), GFP_KERNEL)?,
            namespaces: KVVec::with_capacity(limits.turns(), GFP_KERNEL)?,
            sessions: 0,
        };
        let allowances = Allowances::new(limits)?;
        Arc::pin_init(
            pin_init!(Self {
                present <- new_spinlock!(present, "sislm_users"),
                last: Atomic::new(0),
                most,
                reserve,
                allowances,
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

    /// Who computes for the module itself: nobody who has files, with an account of its own.
    pub(crate) fn own(&self) -> Result<Arc<Namespace>> {
        Namespace::new(self.caller()?, 0)
    }

    /// The calling task's user, with nothing yet.
    fn caller(&self) -> Result<Arc<User>> {
        let statistics = Statistics::of_user(&self.statistics);
        let statistics = Arc::new(statistics, GFP_KERNEL_ACCOUNT)?;
        Arc::pin_init(
            pin_init!(User {
                id: Kuid::current_euid(),
                number: self.last.fetch_add(1, Relaxed).wrapping_add(1),
                account: Account::new(),
                allowances: self.allowances.clone(),
                bucket: Bucket::new(),
                statistics,
                queue: self.queue.clone(),
                work <- new_work!("sislm_user"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Counts another file of the calling task's user. `EDQUOT`: over what the user may have; `ENFILE`:
    /// over that of all.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Seat> {
        let counted = self.count(self.caller()?)?;
        let new = Namespace::new(counted.user.clone(), task::cgroup_namespace())?;
        let namespace = self.namespace(new)?;
        Ok(Seat {
            namespace,
            _counted: counted,
        })
    }

    /// Counts another file of the user that is there, or of `new`.
    fn count(self: &Arc<Self>, new: Arc<User>) -> Result<Counted> {
        let privileged = task::is_administrator();
        let (own, most) = match privileged {
            true => (u64::MAX, self.most),
            false => (
                u64::from(new.allowance().user.sessions),
                self.most.saturating_sub(self.reserve),
            ),
        };
        let mut present = self.present.lock();
        let known = present.users.iter().find(|user| user.id == new.id);
        let user = known.cloned().unwrap_or_else(|| new.clone());
        let sessions = user.account.sessions.get();
        let allowed = if sessions >= own {
            Err(EDQUOT())
        } else if present.sessions >= most {
            Err(ENFILE)
        } else if sessions == 0 {
            present.add_user(&user)
        } else {
            Ok(())
        };
        if let Err(error) = allowed {
            drop(present);
            user.statistics.add(|all| &all.sessions_refused, 1);
            return Err(error);
        }
        user.account.sessions.add(1);
        present.sessions = present.sessions.saturating_add(1);
        drop(present);
        let users = self.clone();
        Ok(Counted { users, user })
    }

    /// Counts another file of the namespace that is there, or of `new`.
    fn namespace(&self, new: Arc<Namespace>) -> Result<Arc<Namespace>> {
        let most = match task::is_administrator() {
            true => u64::MAX,
            false => u64::from(new.user().allowance().namespace.sessions),
        };
        let mut present = self.present.lock();
        let is_same = |other: &&Arc<Namespace>| {
            Arc::ptr_eq(other.user(), new.user()) && other.id() == new.id()
        };
        let known = present.namespaces.iter().find(is_same);
        let namespace = known.cloned().unwrap_or_else(|| new.clone());
        let sessions = &namespace.account().sessions;
        let allowed = if sessions.get() >= most {
            Err(EDQUOT())
        } else if sessions.get() == 0 {
            present.add_namespace(&namespace)
        } else {
            Ok(())
        };
        if let Err(error) = allowed {
            drop(present);
            let statistics = namespace.user().statistics();
            statistics.add(|all| &all.sessions_refused, 1);
            return Err(error);
        }
        sessions.add(1);
        drop(present);
        Ok(namespace)
    }

    /// LIMITS: what the user `request` names may have, changed if it asks for that, and has.
    /// `ENOSPC`: no place for the limits of another user.
    pub(crate) fn limit(&self, request: &mut uapi::Limits) -> Result {
        if request.flags & SISLM_LIMITS_SET != 0 {
            self.allowances.change(request)?;
        }
        self.allowances.of(request.uid).answer(request);
        let present = self.present.lock();
        let known = present.users.iter().find(|user| user.id() == request.uid);
        let user = known.cloned();
        drop(present);
        if let Some(user) = user {
            // CAST: At most 4096 files.
            request.sessions_used = user.account.sessions.get() as u32;
            request.kv_used = user.account.kv_bytes.get();
            request.prompt_used = user.account.prompt_bytes.get();
            request.served_ns = user.statistics.served_ns.get();
        }
        Ok(())
    }
}

impl Present {
    /// Adds a user who had nothing, in the place of those who have nothing.
    fn add_user(&mut self, user: &Arc<User>) -> Result {
        self.users
            .retain(|other| other.account.is_used() && other.id != user.id);
        let user = user.clone();
        self.users.push_within_capacity(user).map_err(|_| ENFILE)
    }

    /// As [`Present::add_user`].
    fn add_namespace(&mut self, namespace: &Arc<Namespace>) -> Result {
        self.namespaces
            .retain(|other| other.account().is_used() && !Arc::ptr_eq(other, namespace));
        let namespace = namespace.clone();
        self.namespaces
            .push_within_capacity(namespace)
            .map_err(|_| ENFILE)
    }
}

impl Seat {
    /// Whose file it is, and where it was opened.
    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.namespace.account().sessions.subtract(1);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut present = self.users.present.lock();
        present.sessions = present.sessions.saturating_sub(1);
        self.user.account.sessions.subtract(1);
    }
}
