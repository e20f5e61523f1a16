// SPDX-License-Identifier: GPL-2.0
//! The link between a session and its turn: what the turn knows of the session.

use crate::{
    channel::Channel,
    stop::HELD_MAX,
    sys::wait::WaitQueue,
    turn::Turn,
    users::User, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, AtomicFlag, Full, Relaxed},
        Arc,
        SpinLock, //
    },
};

/// Shared by a session and its turn; it may outlive the session.
#[pin_data]
pub(crate) struct Link {
    /// Text and turns on their way to the session.
    #[pin]
    pub(crate) channel: SpinLock<Channel>,
    /// Woken when text or a turn has come.
    #[pin]
    pub(crate) wait: WaitQueue,
    cancelled: AtomicFlag,
    /// Whether workers leave its turns to callers.
    unhelped: AtomicFlag,
    /// Callers that wait for its turn and compute.
    callers: Atomic<u32>,
    user: Arc<User>,
}

impl Link {
    /// Without a turn, for the user who opens the file.
    pub(crate) fn new(user: &Arc<User>, unhelped: bool) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                channel <- new_spinlock!(Channel::new(), "sislm_channel"),
                wait <- WaitQueue::new(),
                cancelled: AtomicFlag::new(false),
                unhelped: AtomicFlag::new(unhelped),
                callers: Atomic::new(0),
                user: user.clone(),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Who opened the file.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Whether its turns are left to callers.
    pub(crate) fn is_unhelped(&self) -> bool {
        self.unhelped.load(Relaxed)
    }

    /// Leaves its turns to callers, or no longer.
    pub(crate) fn set_unhelped(&self, unhelped: bool) {
        self.unhelped.store(unhelped, Relaxed);
    }

    /// A caller begins to compute; ends with [`Link::leave`].
    pub(crate) fn join(&self) {
        self.callers.fetch_add(1, Full);
    }

    /// Ends [`Link::join`].
    pub(crate) fn leave(&self) {
        self.callers.fetch_sub(1, Full);
    }

    /// Whether a step of its turn would be computed.
    pub(crate) fn has_team(&self) -> bool {
        !self.is_unhelped() || self.callers.load(Relaxed) != 0
    }

    /// Whether the turn is to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// Asks the turn to end, or takes that back before a new one.
    pub(crate) fn set_cancelled(&self, cancelled: bool) {
        self.cancelled.store(cancelled, Relaxed);
    }

    /// Whether text of another token fits.
    pub(crate) fn has_room(&self) -> bool {
        self.channel.lock().free() >= HELD_MAX
    }

    /// Takes text of the turn for the reader.
    pub(crate) fn give(&self, text: &[u8]) {
        if !text.is_empty() {
            self.channel.lock().push(text);
            self.wait.wake_all();
        }
    }

    /// Takes a turn that is parked or over. Gives back one that can go on at once, since the reader
    /// has made room meanwhile.
    pub(crate) fn receive(&self, turn: KBox<Turn>) -> Option<KBox<Turn>> {
        let left = self.channel.lock().put(turn);
        drop(left);
        self.wait.wake_all();
        self.channel.lock().take_resumable()
    }

    /// Whether a reader would get text or the end.
    pub(crate) fn is_readable(&self) -> bool {
        self.channel.lock().is_readable()
    }

    /// Whether the turn is over, though its end may not have been read.
    pub(crate) fn is_over(&self) -> bool {
        self.channel.lock().is_over()
    }
}
