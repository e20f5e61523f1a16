// SPDX-License-Identifier: GPL-2.0
//! The thread that compares answers: it evaluates their ids by the version that answered and by its shadow.
//!
//! It waits and computes nothing: its turns are computed by the workers when nobody else's wait. It holds no version, so
//! unloading one ends what is computed on it; nothing of an answer goes further than the sums.

use crate::{
    models::{
        model::Model,
        shadow::{Comparison, Sample, Shadow, Skip},
        vocabulary,
    },
    records::{entry::Entry, who::Who},
    shared::Shared,
    sys::{
        errno::{ECANCELED, EDQUOT},
        flight::Scales,
        neon::Section,
        task,
        thread::{should_stop, Body, Thread},
        trace,
        uapi::{Candidate, SISLM_FINISH_CANCELLED, SISLM_FINISH_STOP},
        wait::FOREVER,
        wiped::Wiped,
    },
    turn::{
        channel::{Purpose, State},
        evaluation::{Evaluation, Results, Rows},
        link::Link,
        sequence::Sequence,
        Aim, Turn,
    },
    users::Namespace, //
};
use kernel::{prelude::*, sync::Arc};

/// Its nice value. Nobody waits for it, and it holds nothing that others wait for.
const NICE: isize = 19;
/// Seconds between two looks at whether a comparison is still wanted.
const LOOK_SECONDS: u32 = 1;
/// What is asked of each row: the most likely token too.
const RESULTS: Results = Results::Scores { top: 1 };

/// What the thread needs.
struct Comparer {
    shared: Arc<Shared>,
    namespace: Arc<Namespace>,
}

/// The thread; stopped and joined when dropped.
pub(crate) struct ComparerThread {
    _thread: Thread<Comparer>,
}

impl ComparerThread {
    /// Starts it.
    pub(crate) fn start(shared: &Arc<Shared>) -> Result<Self> {
        let comparer = Comparer {
            shared: shared.clone(),
            namespace: shared.users.own()?,
        };
        let comparer = Arc::new(comparer, GFP_KERNEL)?;
        Ok(Self {
            _thread: Thread::spawn(comparer, c"sislm/shadow", 0, NICE)?,
        })
    }
}

impl Body for Comparer {
    fn run(&self) {
        let registry = &self.shared.registry;
        let mut place = 0usize;
        while !should_stop() {
            task::freeze_if_asked();
            let bell = registry.bell();
            let ready = || should_stop() || bell.is_rung();
            bell.wait.wait_exclusive(FOREVER, ready);
            bell.silence();
            registry.sweep_shadows();
            while let Some((found, shadow, sample)) = registry.next_sample(place) {
                // The next one's is the next that is looked for.
                place = found.saturating_add(1);
                let result = shadow.payer.pay(|| self.compare(&shadow, &sample));
                shadow.settle(sample, result);
                if should_stop() {
                    return;
                }
            }
        }
    }
}

/// Why a comparison that failed was skipped.
fn skip(error: Error) -> Skip {
    match error {
        ENOMEM => Skip::Memory,
        error if error == EDQUOT() => Skip::Memory,
        EMSGSIZE => Skip::Length,
        _ => Skip::Stopped,
    }
}

impl Comparer {
    /// Whether nobody wants what `shadow` finds.
    fn is_over(&self, shadow: &Shadow) -> bool {
        should_stop() || shadow.is_ended() || self.shared.scheduler.is_broken()
    }

    fn compare(&self, shadow: &Shadow, sample: &Sample) -> Result<Comparison, Skip> {
        let primary = sample.model.as_ref().ok_or(Skip::Stopped)?;
        let target = &shadow.target;
        if !self.is_alike(shadow, primary).map_err(skip)? {
            return Err(Skip::Vocabulary);
        }
        let comparison = self.evaluate_both(shadow, sample, primary).map_err(skip)?;
        let ns = comparison.primary_ns.saturating_add(comparison.shadow_ns);
        // CAST: Fewer tokens than positions.
        let (tokens, equal) = (comparison.tokens as u32, comparison.equal as u32);
        trace::shadow(primary.instance, target.instance, tokens, equal, ns);
        Ok(comparison)
    }

    /// Whether the ids of `primary` mean the same to the shadow.
    fn is_alike(&self, shadow: &Shadow, primary: &Arc<Model>) -> Result<bool> {
        if let Some(is_alike) = shadow.is_alike(primary) {
            return Ok(is_alike);
        }
        let target = &shadow.target;
        let mut is_alike = primary.facts.vocabulary == target.facts.vocabulary;
        if is_alike {
            let mut section = Section::new()?;
            let stop = || self.is_over(shadow);
            let mut digest = |model: &Model| vocabulary::digest(model, &mut section, stop);
            is_alike = digest(primary)? == digest(target)?;
        }
        shadow.set_alike(primary, is_alike);
        Ok(is_alike)
    }

    fn evaluate_both(
        &self,
        shadow: &Shadow,
        sample: &Sample,
        primary: &Arc<Model>,
    ) -> Result<Comparison> {
        let count = sample.count;
        let mut found = Wiped::with_capacity(count)?;
        let mut comparison = Comparison {
            tokens: count as u64,
            ..Comparison::default()
        };
        comparison.primary_ns = self.evaluate(
            shadow,
            (primary, &sample.scales),
            sample,
            |_, score, first| {
                found.push(Candidate {
                    id: first.id,
                    log_probability: score,
                })
            },
        )?;
        let target = &shadow.target;
        let scales = target.scales(None)?;
        comparison.shadow_ns =
            self.evaluate(shadow, (target, &scales), sample, |place, score, first| {
                let own = found.get(place).ok_or(EIO)?;
                let apart = i64::from(own.log_probability).saturating_sub(i64::from(score));
                comparison.difference = comparison.difference.saturating_add(apart);
                let equal = u64::from(own.id == first.id);
                comparison.equal = comparison.equal.saturating_add(equal);
                Ok(())
            })?;
        Ok(comparison)
    }

    /// Evaluates the ids by a model. `visit` is given each token of the answer by its place: its log-probability, and the
    /// token that is the most likely one there. The time that it took.
    fn evaluate(
        &self,
        shadow: &Shadow,
        (model, scales): (&Arc<Model>, &Scales),
        sample: &Sample,
        mut visit: impl FnMut(usize, i32, Candidate) -> Result,
    ) -> Result<u64> {
        let link = Link::last(&self.namespace, Who::compares(sample.session))?;
        let number = link.begin(State::Idle, Purpose::Evaluate).ok_or(EBUSY)?;
        let mut rows = Rows::new(RESULTS)?;
        let mut turn = self.make(model, scales, sample)?;
        // The row before the first token of the answer is the first that tells of it.
        let first = sample.ids.len().saturating_sub(sample.count);
        let first = first.checked_sub(1).ok_or(EINVAL)?;
        let mut row = 0usize;
        loop {
            self.shared.scheduler.enqueue(&link, turn);
            turn = self.wait_for(&link, number, (shadow, model))?;
            if turn.is_over() {
                return Err(turn.error.unwrap_or(EDOM));
            }
            let Aim::Evaluate(evaluation) = &mut turn.aim else {
                return Err(EIO);
            };
            evaluation.take_rows(&mut rows);
            for (score, best) in rows.next.iter().zip(rows.candidates()) {
                let place = row.checked_sub(first).filter(|it| *it < sample.count);
                if let Some(place) = place {
                    visit(place, *score, *best)?;
                }
                row = row.saturating_add(1);
            }
            let ns = evaluation.ns;
            if evaluation.is_complete() {
                turn.end(SISLM_FINISH_STOP);
                return Ok(ns);
            }
        }
    }

    /// Makes the turn of an evaluation.
    fn make(&self, model: &Arc<Model>, scales: &Scales, sample: &Sample) -> Result<KBox<Turn>> {
        // CAST: At most as many as there was room for.
        let count = sample.ids.len() as u32;
        if count > model.facts.context {
            return Err(EMSGSIZE);
        }
        model.content()?;
        let place = Turn::place()?;
        let mut sequence = Sequence::new(count, sample.kv_type, *scales, &self.namespace)?;
        sequence.append(&sample.ids)?;
        sequence.take_blocks(count, model)?;
        let aim = Aim::Evaluate(Evaluation::new(RESULTS, model.facts.passes)?);
        let statistics = self.namespace.user().statistics().clone();
        let who = Who::compares(sample.session);
        let entry = Entry::of_comparison(&self.shared.recorder, who, sample.turn);
        let model = model.clone();
        Ok(Turn::new(place, model, sequence, aim, statistics, entry))
    }

    /// Waits until the turn is parked or over. `ECANCELED`: nobody wants it any more, and `ENOMEM`: who answers needs its
    /// memory more; it has ended then.
    fn wait_for(
        &self,
        link: &Arc<Link>,
        number: u64,
        (shadow, model): (&Shadow, &Model),
    ) -> Result<KBox<Turn>> {
        loop {
            task::freeze_if_asked();
            if let Some(turn) = link.channel.lock().take() {
                return Ok(turn);
            }
            let is_scarce = model.pool.is_scarce();
            if is_scarce || self.is_over(shadow) {
                self.give_up(link);
                return Err(if is_scarce { ENOMEM } else { ECANCELED() });
            }
            let ready = || link.has_turn(number) || self.is_over(shadow);
            link.wait.wait_exclusive(LOOK_SECONDS, ready);
        }
    }

    /// Ends the turn of `link`, as that of a closed file: whoever has it frees it.
    fn give_up(&self, link: &Arc<Link>) {
        link.cancel_all();
        let withdrawn = self.shared.scheduler.withdraw(link);
        let (parked, _) = link.channel.lock().close();
        for mut turn in Iterator::chain(withdrawn.into_iter(), parked) {
            turn.end(SISLM_FINISH_CANCELLED);
        }
    }
}
