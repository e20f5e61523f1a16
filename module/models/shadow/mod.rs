// SPDX-License-Identifier: GPL-2.0
//! The shadow of an alias: a version whose opinion of its answers is counted, and never shown.
//!
//! A turn that ends leaves its ids in memory that was taken when the shadow was set: that takes no memory, cannot fail
//! and waits for nobody. There is room for one answer. While that one waits or is compared, others are only counted.

mod bell;
mod pair;
mod sample;

pub(crate) use bell::Bell;
pub(crate) use pair::{Comparison, Skip};
pub(crate) use sample::{Answer, Sample};

use crate::{
    models::{draw::Draw, model::Model, name::Name},
    sys::{
        charge::Payer,
        uapi::{self, NAME_BYTES, SISLM_PAIRS_MAX}, //
    },
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, AtomicFlag, Relaxed},
        Arc,
        SpinLock, //
    },
};
use pair::Pair;

/// What the lock of a shadow guards.
struct State {
    /// Where the next answer goes, unless there is one.
    spare: Option<KBox<Sample>>,
    /// The answer that waits.
    waiting: Option<KBox<Sample>>,
    pairs: KVec<Pair>,
}

/// A shadow.
#[pin_data]
pub(crate) struct Shadow {
    /// Whose answers are compared.
    pub(super) alias: Name,
    /// By which version.
    pub(crate) target: Arc<Model>,
    /// Who has set it, and pays for its memory.
    pub(crate) payer: Payer,
    permille: Atomic<u32>,
    ended: AtomicFlag,
    bell: Arc<Bell>,
    #[pin]
    state: SpinLock<State>,
}

impl Shadow {
    /// Of answers of `alias` by the version `target`, of contexts of at most `context` positions. The caller pays for it.
    pub(super) fn new(
        alias: Name,
        target: Arc<Model>,
        permille: u32,
        context: u32,
        bell: &Arc<Bell>,
    ) -> Result<Arc<Self>> {
        let room = context.min(target.facts.context) as usize;
        let state = State {
            spare: Some(KBox::new(Sample::empty(room)?, GFP_KERNEL_ACCOUNT)?),
            waiting: None,
            pairs: KVec::with_capacity(SISLM_PAIRS_MAX as usize, GFP_KERNEL_ACCOUNT)?,
        };
        Arc::pin_init(
            pin_init!(Self {
                alias,
                target,
                payer: Payer::current(),
                permille: Atomic::new(permille),
                ended: AtomicFlag::new(false),
                bell: bell.clone(),
                state <- new_spinlock!(state, "sislm_shadow"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// How many of 1,000 answers are compared from now on.
    pub(super) fn set_permille(&self, permille: u32) {
        self.permille.store(permille, Relaxed);
    }

    /// Ends it. Who compares takes it off the list: that frees memory.
    pub(super) fn end(&self) {
        self.ended.store(true, Relaxed);
        self.bell.ring();
    }

    /// Whether it has ended.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Takes a copy of an answer, if it is drawn and there is room for it.
    #[inline(never)]
    pub(crate) fn offer(&self, answer: &Answer<'_>) {
        if self.is_ended() || answer.count == 0 || answer.count >= answer.tokens.len() {
            return;
        }
        let draw = Draw {
            generation: answer.generation,
            ..Draw::default()
        };
        let permille = self.permille.load(Relaxed);
        let is_drawn = draw.is_compared(answer.session, answer.turn, permille);
        let mut sample = {
            let mut state = self.state.lock();
            let spare = state.spare.take();
            let Some(pair) = state.pair(answer.model) else {
                // Not reached: there is room for it.
                state.spare = spare;
                return;
            };
            pair.counts.ended = pair.counts.ended.saturating_add(1);
            pair.counts.drawn = pair.counts.drawn.saturating_add(u64::from(is_drawn));
            let skip = match &spare {
                _ if pair.is_alike == Some(false) => Some(Skip::Vocabulary),
                _ if !answer.is_whole => Some(Skip::Length),
                None => Some(Skip::Busy),
                Some(_) => None,
            };
            match (spare, skip) {
                (Some(sample), None) if is_drawn => sample,
                (spare, skip) => {
                    if let (true, Some(skip)) = (is_drawn, skip) {
                        pair.skip(skip);
                    }
                    state.spare = spare;
                    return;
                }
            }
        };
        // Not under the lock: it may be long.
        if sample.fill(answer) {
            self.state.lock().waiting = Some(sample);
            self.bell.ring();
        } else {
            let mut state = self.state.lock();
            if let Some(pair) = state.pair(answer.model) {
                pair.skip(Skip::Length);
            }
            state.spare = Some(sample);
        }
    }

    /// Takes the answer that waits.
    pub(crate) fn take(&self) -> Option<KBox<Sample>> {
        self.state.lock().waiting.take()
    }

    /// Counts what became of an answer of `model`, whose copy is given back.
    pub(crate) fn settle(&self, mut sample: KBox<Sample>, result: Result<Comparison, Skip>) {
        // Not under the lock: it may be long, and the last use of the model.
        sample.ids.wipe();
        let model = sample.model.take();
        let mut state = self.state.lock();
        if let Some(pair) = model.as_ref().and_then(|model| state.pair(model)) {
            match result {
                Ok(comparison) => pair.add(&comparison),
                Err(skip) => pair.skip(skip),
            }
        }
        state.spare = Some(sample);
        drop(state);
        drop(model);
    }

    /// Whether `model` has the tokens of the shadow, if that is known.
    pub(crate) fn is_alike(&self, model: &Arc<Model>) -> Option<bool> {
        self.state.lock().pair(model)?.is_alike
    }

    /// Notes whether it has.
    pub(crate) fn set_alike(&self, model: &Arc<Model>, is_alike: bool) {
        if let Some(pair) = self.state.lock().pair(model) {
            pair.is_alike = Some(is_alike);
        }
    }

    /// Entries that it has in the list: at least one.
    pub(super) fn entries(&self) -> u32 {
        // CAST: At most SISLM_PAIRS_MAX.
        (self.state.lock().pairs.len() as u32).max(1)
    }

    /// Tells of the pair at place `index`.
    pub(super) fn tell(&self, index: u32, to: &mut uapi::Shadow) {
        let (place, flags) = (to.index, to.flags);
        let state = self.state.lock();
        match state.pairs.get(index as usize) {
            Some(pair) => *to = pair.counts,
            None => *to = uapi::Shadow::default(),
        }
        drop(state);
        (to.index, to.flags) = (place, flags);
        to.alias = self.alias.bytes();
        to.shadow = name(&self.target);
        to.permille = self.permille.load(Relaxed);
    }
}

/// Name and version of a model.
fn name(model: &Model) -> [u8; NAME_BYTES] {
    model.name.with_version(model.version)
}

impl State {
    /// The pair of a version that answers, in place of the first one when there are too many.
    fn pair(&mut self, model: &Arc<Model>) -> Option<&mut Pair> {
        let is = |pair: &Pair| pair.instance == model.instance;
        let place = match self.pairs.iter().position(is) {
            Some(place) => place,
            None => {
                if self.pairs.len() >= SISLM_PAIRS_MAX as usize {
                    let _ = self.pairs.remove(0);
                }
                let pair = Pair {
                    instance: model.instance,
                    is_alike: None,
                    counts: uapi::Shadow {
                        primary: name(model),
                        ..Default::default()
                    },
                };
                self.pairs.push_within_capacity(pair).ok()?;
                self.pairs.len().checked_sub(1)?
            }
        };
        self.pairs.get_mut(place)
    }
}
