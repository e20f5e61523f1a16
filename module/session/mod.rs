// SPDX-License-Identifier: GPL-2.0
//! A session: an open file.
//!
//! Lock order: misc_mtx (VFS) > registry > session > scheduler spinlock; the channel's spinlock is
//! as deep as the scheduler's and taken without it. Nobody holds a session while waiting for text.
//! User memory is copied under the session's mutex only.

mod evaluate;
mod run;
mod settle;
mod show;
mod start;
mod stream;

pub(crate) use start::tokenize;

use crate::{
    buffer::Buffer,
    configuration::Configuration,
    link::Link,
    model::{Model, Use},
    outcome::Outcome,
    sequence::Sequence,
    shared::Shared,
    sys::{neon::Section, uapi::SISLM_FINISH_CANCELLED},
    users::Seat,
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        lock::{mutex::MutexBackend, Guard},
        Arc, Mutex,
    },
};

/// What a running turn is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Text for readers.
    Stream,
    /// A RUN call in progress.
    Run,
    /// A RUN call that a signal ended.
    Abandoned,
    /// EVALUATE.
    Evaluate,
}

/// State of the device's table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is going on.
    Idle,
    /// Prompt bytes wait.
    Pending,
    /// A turn runs, or its end has not been read.
    Running(Purpose),
}

/// What the session's mutex guards.
pub(crate) struct Inner {
    /// State of the device's table.
    pub(crate) state: State,
    /// As configured.
    pub(crate) configuration: Configuration,
    /// The model in use.
    pub(crate) using: Option<Use>,
    /// The context, unless a turn has it.
    pub(crate) sequence: Option<Sequence>,
    /// Prompt bytes that wait.
    pub(crate) prompt: Buffer,
    /// Memory of the session's own sections.
    pub(crate) section: Option<Section>,
    /// The last turn.
    pub(crate) outcome: Outcome,
    /// Whether there has been a turn.
    pub(crate) asked: bool,
    /// Why a turn that a poller started could not be.
    pub(crate) refused: Option<Error>,
    /// The seed to use next, reported by CONFIGURE.
    pub(crate) next_seed: Option<u64>,
    /// Rows of the running evaluation that were copied out, of how many, with how many candidates.
    pub(crate) evaluated: (u32, u32, u32),
    /// Sum of its negative log-probabilities, millionths.
    pub(crate) nll: u64,
    accounted: u64,
}

/// A locked session.
pub(crate) type Locked<'a> = Guard<'a, Inner, MutexBackend>;

/// An open file.
#[pin_data(PinnedDrop)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    _seat: Seat,
    #[pin]
    inner: Mutex<Inner>,
    /// What its turn knows of it.
    pub(crate) link: Arc<Link>,
}

impl Session {
    /// Of a file being opened: takes a small struct and nothing else.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Arc<Self>> {
        let seat = shared.users.enter()?;
        let inner = Inner {
            state: State::Idle,
            configuration: Configuration::balanced(),
            using: None,
            sequence: None,
            prompt: Buffer::new(),
            section: None,
            outcome: Outcome::none(),
            asked: false,
            refused: None,
            next_seed: None,
            evaluated: (0, 0, 0),
            nll: 0,
            accounted: 0,
        };
        Arc::pin_init(
            try_pin_init!(Self {
                link: Link::new(seat.user(), !shared.limits.helpers)?,
                shared: shared.clone(),
                _seat: seat,
                inner <- new_mutex!(inner, "sislm_session"),
            }? Error),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The module's state.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Locks it.
    pub(crate) fn lock(&self) -> Locked<'_> {
        self.inner.lock()
    }

    /// Lets a turn that waited for room go on, if there is room.
    pub(crate) fn resume(&self) {
        let turn = self.link.channel.lock().take_resumable();
        if let Some(turn) = turn {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
    }

    /// The file is closed: ends its turn without waiting for it.
    pub(crate) fn close(&self) {
        self.link.set_cancelled(true);
        let withdrawn = self.shared().scheduler.withdraw(&self.link);
        let (parked, ring) = self.link.channel.lock().close();
        for mut turn in Iterator::chain(withdrawn.into_iter(), parked) {
            turn.end(SISLM_FINISH_CANCELLED);
        }
        drop(ring);
        let mut inner = self.lock();
        inner.prompt.clear();
        let freed = (inner.using.take(), inner.sequence.take());
        // Freeing may take long: not under the lock.
        drop(inner);
        drop(freed);
    }
}

impl Inner {
    /// The model in use.
    pub(crate) fn model(&self) -> Result<Arc<Model>> {
        let using = self.using.as_ref().ok_or(ENOENT)?;
        Ok(using.model().clone())
    }
}

#[pinned_drop]
impl PinnedDrop for Session {
    fn drop(self: Pin<&mut Self>) {
        let accounted = self.lock().accounted;
        self.shared().statistics.memory_sessions.subtract(accounted);
    }
}
