// SPDX-License-Identifier: GPL-2.0
//! The shadow of an alias: a version whose opinion of its answers is counted, and never shown.
//!
//! A turn that ends leaves its ids in memory that was taken when the shadow was set: that takes no memory, cannot fail
//! and waits for nobody. There is room for one answer. While that one waits or is compared, others are only counted.

use crate::{
    models::{draw::Draw, model::Model, name::Name},
    sys::{
        charge::Payer,
        flight::Scales,
        uapi::{self, NAME_BYTES, SISLM_PAIRS_MAX},
        wait::WaitQueue,
        wiped::Wiped,
    },
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

/// Tells who compares that there is something to do.
#[pin_data]
pub(crate) struct Bell {
    /// Woken for it.
    #[pin]
    pub(crate) wait: WaitQueue,
    rung: AtomicFlag,
}

impl Bell {
    /// Silent.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                wait <- WaitQueue::new(),
                rung: AtomicFlag::new(false),
            }),
            GFP_KERNEL,
        )
    }

    /// Whether it was rung.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Relaxed)
    }

    /// Silences it: what it was rung for is seen from here on.
    pub(crate) fn silence(&self) {
        self.rung.xchg(false, Full);
    }

    fn ring(&self) {
        self.rung.xchg(true, Full);
        self.wait.wake_all();
    }
}

/// An answer that is over.
pub(crate) struct Answer<'a> {
    /// Of which model.
    pub(crate) model: &'a Arc<Model>,
    /// The tokens of its context, those of the answer last.
    pub(crate) tokens: &'a [u32],
    /// How many are the answer's.
    pub(crate) count: usize,
    /// Whether the context has all of them.
    pub(crate) is_whole: bool,
    /// `SISLM_KV_*`.
    pub(crate) kv_type: u32,
    /// Of the model's adapters.
    pub(crate) scales: &'a Scales,
    /// Of the alias, as in its record.
    pub(crate) generation: u64,
    /// Number of the file.
    pub(crate) session: u64,
    /// Number of the turn.
    pub(crate) turn: u64,
}

/// A copy of an answer; wiped once it is compared.
pub(crate) struct Sample {
    /// The tokens.
    pub(crate) ids: Wiped<u32>,
    /// Those of the answer.
    pub(crate) count: usize,
    /// By which model; none while nothing is here.
    pub(crate) model: Option<Arc<Model>>,
    /// `SISLM_KV_*`.
    pub(crate) kv_type: u32,
    /// Of the model's adapters.
    pub(crate) scales: Scales,
    /// Number of the file.
    pub(crate) session: u64,
    /// Number of the turn.
    pub(crate) turn: u64,
}

impl Sample {
    fn empty(room: usize) -> Result<Self> {
        Ok(Self {
            ids: Wiped::with_capacity(room)?,
            count: 0,
            model: None,
            kv_type: 0,
            scales: Scales::default(),
            session: 0,
            turn: 0,
        })
    }

    /// Copies an answer, if there is room: whether there was.
    fn fill(&mut self, answer: &Answer<'_>) -> bool {
        if self.ids.extend(answer.tokens).is_err() {
            return false;
        }
        self.count = answer.count;
        self.model = Some(answer.model.clone());
        self.kv_type = answer.kv_type;
        self.scales = *answer.scales;
        self.session = answer.session;
        self.turn = answer.turn;
        true
    }
}

/// Why an answer is not compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Another one is.
    Busy,
    /// The versions have different tokens.
    Vocabulary,
    /// It is too long, or not whole.
    Length,
    /// There is not the memory.
    Memory,
    /// A version was unloaded, or computing failed.
    Stopped,
}

/// What a comparison came to.
#[derive(Default)]
pub(crate) struct Comparison {
    /// Tokens of the answer.
    pub(crate) tokens: u64,
    /// How often both find the same one the most likely.
    pub(crate) equal: u64,
    /// Sum of the differences of their log-probabilities, millionths.
    pub(crate) difference: i64,
    /// Time that the version that answered took.
    pub(crate) primary_ns: u64,
    /// Time that the shadow took.
    pub(crate) shadow_ns: u64,
}

/// A version that answers, and the shadow.
struct Pair {
    /// Number of the version's load.
    instance: u64,
    /// Whether both have the same tokens, once that is known.
    is_alike: Option<bool>,
    /// As it is told.
    counts: uapi::Shadow,
}

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

impl Pair {
    fn skip(&mut self, skip: Skip) {
        let counts = &mut self.counts;
        let count = match skip {
            Skip::Busy => &mut counts.busy,
            Skip::Vocabulary => &mut counts.vocabulary,
            Skip::Length => &mut counts.length,
            Skip::Memory => &mut counts.memory,
            Skip::Stopped => &mut counts.stopped,
        };
        *count = count.saturating_add(1);
    }

    fn add(&mut self, comparison: &Comparison) {
        let counts = &mut self.counts;
        let tokens = comparison.tokens;
        // Squares of millionths would not fit.
        let thousandths = comparison.difference / 1000;
        let squared = thousandths
            .unsigned_abs()
            .saturating_mul(thousandths.unsigned_abs());
        let product = i64::try_from(tokens).unwrap_or(i64::MAX);
        let product = product.saturating_mul(thousandths);
        for (count, more) in [
            (&mut counts.turns, 1),
            (&mut counts.tokens, tokens),
            (&mut counts.equal, comparison.equal),
            (&mut counts.tokens_squared, tokens.saturating_mul(tokens)),
            (&mut counts.difference_squared, squared),
            (&mut counts.primary_ns, comparison.primary_ns),
            (&mut counts.shadow_ns, comparison.shadow_ns),
        ] {
            *count = count.saturating_add(more);
        }
        counts.difference = counts.difference.saturating_add(comparison.difference);
        counts.product = counts.product.saturating_add(product);
    }
}

#[kunit_tests(sislm_shadow)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_turns() {
        let mut pair = Pair {
            instance: 1,
            is_alike: None,
            counts: uapi::Shadow::default(),
        };
        for (tokens, equal, difference) in [(10, 9, 5_400_900), (20, 20, -2_000_999)] {
            pair.add(&Comparison {
                tokens,
                equal,
                difference,
                primary_ns: 3,
                shadow_ns: 4,
            });
        }
        pair.skip(Skip::Memory);
        let counts = &pair.counts;
        assert_eq!((counts.turns, counts.tokens, counts.equal), (2, 30, 29));
        assert_eq!((counts.primary_ns, counts.shadow_ns), (6, 8));
        assert_eq!((counts.difference, counts.memory), (3_399_901, 1));
        assert_eq!(counts.tokens_squared, 500);
        assert_eq!(counts.difference_squared, 5400 * 5400 + 2000 * 2000);
        assert_eq!(counts.product, 10 * 5400 - 20 * 2000);
    }
}
