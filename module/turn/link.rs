// SPDX-License-Identifier: GPL-2.0
//! The link between a session and its turn: what the turn knows of the session.

use crate::{
    records::who::Who,
    sys::{task, wait::WaitQueue},
    turn::{
        channel::{Channel, Purpose, State},
        meter::Meter,
        sink::Sink,
        stop::HELD_MAX,
        Turn,
    },
    users::{bucket::Bucket, Namespace, Path, Seat, User, LAST}, //
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

/// The class of nice 0.
const NICE_0: u32 = 20;

/// Shared by a session and its turn; it may outlive the session.
#[pin_data]
pub(crate) struct Link {
    /// The session's state, and text and turns on their way to it.
    #[pin]
    pub(crate) channel: SpinLock<Channel>,
    /// Woken when text or a turn has come, or the state has changed.
    #[pin]
    pub(crate) wait: WaitQueue,
    cancelled: AtomicFlag,
    /// Whether workers leave its turns to callers.
    unhelped: AtomicFlag,
    /// Callers that wait for its turn and compute.
    callers: Atomic<u32>,
    who: Who,
    /// Whether its turns are computed when nobody else's wait.
    last: bool,
    namespace: Arc<Namespace>,
    tenant: Atomic<u64>,
    /// Of who asked for its turn.
    class: Atomic<u32>,
    /// Where its turn was put into the scheduler's queue last.
    place: Atomic<u32>,
    /// The rate of its tokens.
    pub(crate) bucket: Bucket,
    /// What the file has used.
    pub(crate) meter: Meter,
    /// Kept for a closed file's turn: else those that are slow to end could be any number.
    #[pin]
    seat: SpinLock<Option<Seat>>,
}

impl Link {
    /// Without a turn, of a file that has this seat.
    pub(crate) fn new(seat: Seat, who: Who, unhelped: bool) -> Result<Arc<Self>> {
        let namespace = seat.namespace().clone();
        Self::make(namespace, Some(seat), who, unhelped)
    }

    /// Without a turn and without a file: its turns are computed when nobody else's wait.
    pub(crate) fn last(namespace: &Arc<Namespace>, who: Who) -> Result<Arc<Self>> {
        Self::make(namespace.clone(), None, who, false)
    }

    fn make(
        namespace: Arc<Namespace>,
        seat: Option<Seat>,
        who: Who,
        unhelped: bool,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                channel <- new_spinlock!(Channel::new(), "sislm_channel"),
                wait <- WaitQueue::new(),
                cancelled: AtomicFlag::new(false),
                unhelped: AtomicFlag::new(unhelped),
                callers: Atomic::new(0),
                who,
                last: seat.is_none(),
                namespace,
                tenant: Atomic::new(0),
                class: Atomic::new(NICE_0),
                place: Atomic::new(0),
                bucket: Bucket::new(),
                meter: Meter::new(),
                seat <- new_spinlock!(seat, "sislm_seat"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Who opened the file.
    pub(crate) fn user(&self) -> &Arc<User> {
        self.namespace.user()
    }

    /// The same, and where.
    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.namespace
    }

    /// Whether its turns are computed when nobody else's wait.
    pub(crate) fn comes_last(&self) -> bool {
        self.last
    }

    /// Whose turns are served with its own.
    pub(crate) fn domain(&self) -> Path {
        if self.last {
            return [LAST, 0, 0, u64::from(NICE_0)];
        }
        let id = u64::from(self.user().id());
        let class = u64::from(self.class.load(Relaxed));
        let tenant = self.tenant.load(Relaxed);
        [id, self.namespace.id(), tenant, class]
    }

    /// Says for whom its turns are.
    pub(crate) fn set_tenant(&self, tenant: u64) {
        self.tenant.store(tenant, Relaxed);
    }

    /// The calling task asks for a turn, which has its class.
    pub(crate) fn take_class(&self) {
        self.class.store(task::class(), Relaxed);
    }

    /// Where its turn was put last; the queue knows whether it is there.
    pub(crate) fn place(&self) -> u32 {
        self.place.load(Relaxed)
    }

    /// Notes where its turn is put.
    pub(crate) fn set_place(&self, place: u32) {
        self.place.store(place, Relaxed);
    }

    /// What records say of who opened it.
    pub(crate) fn who(&self) -> Who {
        Who {
            tenant: self.tenant.load(Relaxed),
            ..self.who
        }
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

    /// Begins a turn when the state is `from`; its number.
    pub(crate) fn begin(&self, from: State, purpose: Purpose) -> Option<u64> {
        let mut channel = self.channel.lock();
        let number = channel.begin(from, purpose)?;
        self.cancelled.store(false, Relaxed);
        Some(number)
    }

    /// Asks turn `number` to end, and no later one.
    pub(crate) fn cancel(&self, number: u64) {
        let channel = self.channel.lock();
        if !channel.is_gone(number) {
            self.cancelled.store(true, Relaxed);
        }
    }

    /// The session is closed: whatever goes on ends.
    pub(crate) fn cancel_all(&self) {
        self.cancelled.store(true, Relaxed);
    }

    /// Takes a turn that is parked or over. Gives back one that can go on at once, since the reader
    /// has made room meanwhile; as an error one whose file is closed, which has to be dropped.
    pub(crate) fn receive(&self, turn: KBox<Turn>) -> Result<Option<KBox<Turn>>, KBox<Turn>> {
        let left = self.channel.lock().put(turn);
        if let Some(turn) = left {
            return Err(turn);
        }
        self.wait.wake_all();
        Ok(self.channel.lock().take_resumable())
    }

    /// The file is closed, and has no turn that is being started or computed.
    pub(crate) fn leave_seat(&self) {
        let seat = self.seat.lock().take();
        drop(seat);
    }

    /// Whether the file is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.channel.lock().is_closed()
    }

    /// Whether a reader of turn `number` would get text or the end, or the turn is gone.
    pub(crate) fn is_readable(&self, number: u64) -> bool {
        let channel = self.channel.lock();
        channel.is_readable() || channel.is_gone(number)
    }

    /// Whether turn `number` is parked or over, or is gone. It stays over when somebody else has taken
    /// its facts.
    pub(crate) fn has_turn(&self, number: u64) -> bool {
        let channel = self.channel.lock();
        channel.has_turn() || channel.is_over() || channel.is_gone(number)
    }

    /// The turn is no more: whoever waits for it goes on, and a poller may write again.
    pub(crate) fn become_idle(&self, refused: Option<Error>) {
        self.channel.lock().become_idle(refused);
        self.wait.wake_all();
    }
}

impl Sink for Link {
    fn has_room(&self) -> bool {
        self.channel.lock().free() >= HELD_MAX
    }

    fn give(&self, text: &[u8]) {
        if !text.is_empty() {
            self.channel.lock().push(text);
            self.wait.wake_all();
        }
    }
}
