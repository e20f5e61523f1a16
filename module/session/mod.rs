// SPDX-License-Identifier: GPL-2.0
//! A session: an open file.
//!
//! The session's mutex guards what turns leave behind; nobody holds it over user memory, an
//! allocation, tokenizing or a wait. What goes on at the moment is in the link's channel.

mod ask;
pub(crate) mod buffer;
mod choose;
pub(crate) mod comparer;
mod evaluate;
mod next;
mod prompt;
mod run;
mod settle;
mod show;
mod start;
pub(crate) mod starter;
mod stream;
pub(crate) mod user_work;

pub(crate) use start::tokenize;

use crate::{
    models::{draw::Draw, model::Model, registry::Use},
    records::who::Who,
    session::{prompt::Prompt, starter::Starter},
    shared::Shared,
    sys::{charge::Payer, lock, neon::Section, uapi::SISLM_FINISH_CANCELLED},
    turn::{configuration::Configuration, link::Link, outcome::Outcome, sequence::Sequence},
    users::prompts::Waiting, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        lock::{mutex::MutexBackend, Guard},
        Arc, Mutex,
    },
};

/// What the session's mutex guards.
pub(crate) struct Inner {
    /// As configured.
    pub(crate) configuration: Configuration,
    /// The model in use.
    pub(crate) using: Option<Use>,
    /// The context, unless a turn has it.
    pub(crate) sequence: Option<Sequence>,
    /// The prompt that waits.
    pub(crate) prompt: Prompt,
    /// Its bytes, as they are counted.
    pub(crate) waiting: Option<Waiting>,
    /// Who wrote it, and pays for a turn that a poller asks for.
    pub(crate) payer: Option<Payer>,
    /// Memory of the session's own sections.
    pub(crate) section: Option<Section>,
    /// The last turn.
    pub(crate) outcome: Outcome,
    /// The seed to use next, reported by CONFIGURE.
    pub(crate) next_seed: Option<u64>,
    /// The running evaluation.
    pub(crate) evaluated: evaluate::Evaluated,
    accounted: u64,
}

/// A locked session.
pub(crate) type Locked<'a> = Guard<'a, Inner, MutexBackend>;

/// What all sessions share.
pub(crate) struct Sessions {
    /// The module's state.
    pub(crate) shared: Arc<Shared>,
    /// Who starts turns for pollers.
    pub(crate) starter: Arc<Starter<Session>>,
}

/// An open file.
#[pin_data(PinnedDrop)]
pub(crate) struct Session {
    shared: Arc<Shared>,
    starter: Arc<Starter<Self>>,
    #[pin]
    inner: Mutex<Inner>,
    /// What its turn knows of it.
    pub(crate) link: Arc<Link>,
}

impl Session {
    /// Of a file being opened: takes a small struct and nothing else.
    pub(crate) fn open(all: &Sessions) -> Result<Arc<Self>> {
        let shared = &all.shared;
        let seat = shared.users.enter()?;
        let inner = Inner {
            configuration: Configuration::balanced(),
            using: None,
            sequence: None,
            prompt: Prompt::new(),
            waiting: None,
            payer: None,
            section: None,
            outcome: Outcome::none(),
            next_seed: None,
            evaluated: evaluate::Evaluated::default(),
            accounted: 0,
        };
        Arc::pin_init(
            try_pin_init!(Self {
                link: Link::new(seat, Who::opens(), !shared.limits.helpers)?,
                shared: shared.clone(),
                starter: all.starter.clone(),
                inner <- new_mutex!(inner, "sislm_session"),
            }? Error),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// The module's state.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Locks it; `EINTR` when the task is killed.
    pub(crate) fn lock(&self) -> Result<Locked<'_>> {
        lock::lock_killable(&self.inner)
    }

    /// Locks it, also when the task is being killed.
    fn lock_always(&self) -> Locked<'_> {
        lock::lock_always(&self.inner)
    }

    /// Locks it, unless somebody else does.
    fn try_lock(&self) -> Option<Locked<'_>> {
        self.inner.try_lock()
    }

    /// Lets a turn that waited for room go on, if there is room.
    pub(crate) fn resume(&self) {
        let turn = self.link.channel.lock().take_resumable();
        if let Some(turn) = turn {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
    }

    /// The file is closed: ends its turn without waiting for it. No call is in progress any more.
    pub(crate) fn close(&self) {
        self.link.cancel_all();
        let unstarted = self.starter.withdraw(self);
        let withdrawn = self.shared().scheduler.withdraw(&self.link);
        let (parked, ring, ended) = {
            let mut channel = self.link.channel.lock();
            let ended = !channel.is_running() || channel.is_over();
            let (parked, ring) = channel.close();
            (parked, ring, ended)
        };
        if ended || unstarted || withdrawn.is_some() || parked.is_some() {
            self.link.leave_seat();
        }
        for mut turn in Iterator::chain(withdrawn.into_iter(), parked) {
            turn.end(SISLM_FINISH_CANCELLED);
        }
        drop(ring);
        let mut inner = self.inner.lock();
        let prompt = core::mem::replace(&mut inner.prompt, Prompt::new());
        inner.waiting = None;
        let freed = (inner.using.take(), inner.sequence.take(), prompt);
        // Freeing may take long: not under the lock.
        drop(inner);
        drop(freed);
    }
}

impl Inner {
    /// Drops the prompt that waits.
    fn drop_prompt(&mut self) {
        self.prompt = Prompt::new();
        self.waiting = None;
        self.payer = None;
    }

    /// Memory of the keys and values of its context, unless a turn has that.
    pub(super) fn kv_bytes(&self) -> u64 {
        let context = self.sequence.as_ref().zip(self.using.as_ref());
        context.map_or(0, |(sequence, using)| sequence.bytes(using.model()))
    }

    /// The model in use.
    pub(crate) fn model(&self) -> Result<Arc<Model>> {
        let using = self.using.as_ref().ok_or(ENOENT)?;
        Ok(using.model().clone())
    }

    /// How that was drawn.
    fn draw(&self) -> Draw {
        self.using.as_ref().map_or(Draw::default(), Use::draw)
    }
}

#[pinned_drop]
impl PinnedDrop for Session {
    fn drop(self: Pin<&mut Self>) {
        let accounted = self.inner.lock().accounted;
        let statistics = self.link.user().statistics();
        statistics.subtract(|all| &all.memory_sessions, accounted);
    }
}
