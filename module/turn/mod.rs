// SPDX-License-Identifier: GPL-2.0
//! A turn: work on one sequence that goes from step to step.
//!
//! It belongs to one place at a time: to its session while it is made, parked or over, to the
//! scheduler's queue, or to the step in flight; in the latter two with its session.

pub(crate) mod channel;
pub(crate) mod commitment;
pub(crate) mod configuration;
pub(crate) mod embedding;
pub(crate) mod evaluation;
pub(crate) mod generation;
pub(crate) mod guide;
pub(crate) mod link;
mod meter;
pub(crate) mod outcome;
mod record;
pub(crate) mod ring;
pub(crate) mod sequence;
pub(crate) mod sink;
pub(crate) mod stop;

use crate::{
    models::{
        backlog::Underway,
        draw::Draw,
        model::Model,
        shadow::{Answer, Shadow},
        workspace::Workspace,
    },
    records::entry::Entry,
    statistics::Statistics,
    sys::{
        clock::NEVER,
        flight::{Flight, RowPlan},
        neon::Section,
        task,
        uapi::{
            SISLM_FINISH_CANCELLED, SISLM_FINISH_CONTEXT, SISLM_FINISH_DEADLINE,
            SISLM_FINISH_ERROR, SISLM_FINISH_LENGTH, SISLM_FINISH_NONE, SISLM_FINISH_NUMERIC,
            SISLM_FINISH_STOP,
        },
    },
    turn::{
        embedding::Embedding, evaluation::Evaluation, generation::Generation, guide::Guide,
        sequence::Sequence, sink::Sink,
    }, //
};
use core::mem::MaybeUninit;
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// What comes after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another step.
    Step,
    /// Nothing until the session asks for more.
    Park,
    /// The turn is over.
    End,
}

/// What a turn can use of a step.
#[derive(Clone, Copy)]
pub(crate) struct Demand {
    /// Rows.
    pub(crate) rows: u32,
    /// Whether each of them has logits, and not the last alone.
    pub(crate) all_logits: bool,
}

impl Demand {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        rows: 0,
        all_logits: false,
    };
}

/// What a turn is for.
pub(crate) enum Aim {
    /// Answering a prompt.
    Generate(Generation),
    /// Log-probabilities of given tokens.
    Evaluate(Evaluation),
}

/// A turn.
pub(crate) struct Turn {
    /// By which model.
    pub(crate) model: Arc<Model>,
    /// Its tokens, keys and values.
    pub(crate) sequence: Sequence,
    /// What it is for.
    pub(crate) aim: Aim,
    /// `SISLM_FINISH_*`, once it is over.
    pub(crate) finish: u32,
    /// The error of `SISLM_FINISH_ERROR`.
    pub(crate) error: Option<Error>,
    /// Where times and positions are counted.
    pub(crate) statistics: Arc<Statistics>,
    clock: Option<Instant<Monotonic>>,
    /// What its record will say.
    entry: Entry,
    /// When it ends at the latest.
    pub(crate) deadline: u64,
    /// Time for each token, nanoseconds; 0 for no more than it takes.
    pub(crate) interval: u64,
    /// How its file was given the model.
    pub(crate) draw: Draw,
    /// Until it is over.
    underway: Option<Underway>,
    /// Who compares its answer.
    pub(crate) shadow: Option<Arc<Shadow>>,
}

/// Tells who listens that a turn begins. Apart from what makes it, whose stack is deep.
#[inline(never)]
fn announce(entry: &Entry, model: &Model, sequence: &Sequence, aim: &Aim) {
    let (prompt, reused) = match aim {
        Aim::Generate(generation) => (generation.ids.prompt.len(), generation.reused),
        Aim::Evaluate(_) => (sequence.tokens().len(), 0),
    };
    let name = model.name.with_version(model.version);
    // CAST: Fewer ids than positions.
    entry.begin(&name, prompt as u32, reused);
}

impl Turn {
    /// Not begun yet. Its own memory comes first: once it has its sequence, nothing fails.
    pub(crate) fn new(
        place: KBox<MaybeUninit<Self>>,
        model: Arc<Model>,
        sequence: Sequence,
        aim: Aim,
        statistics: Arc<Statistics>,
        entry: Entry,
    ) -> KBox<Self> {
        if !entry.compares() {
            model.metrics.begin();
        }
        announce(&entry, &model, &sequence, &aim);
        let rows = sequence.positions().saturating_sub(sequence.computed());
        // What is compared waits for all others.
        let underway = (!entry.compares()).then(|| Underway::new(&model.backlog, rows));
        let turn = Self {
            model,
            sequence,
            aim,
            finish: SISLM_FINISH_NONE,
            error: None,
            statistics,
            clock: None,
            entry,
            deadline: NEVER,
            interval: 0,
            draw: Draw::default(),
            underway,
            shadow: None,
        };
        KBox::write(place, turn)
    }

    /// Memory for one, charged to the caller.
    pub(crate) fn place() -> Result<KBox<MaybeUninit<Self>>> {
        Ok(KBox::new_uninit(GFP_KERNEL_ACCOUNT)?)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.finish != SISLM_FINISH_NONE
    }

    /// Ends it for `finish`, and makes its record.
    pub(crate) fn end(&mut self, finish: u32) {
        if !self.is_over() {
            self.pause_clock();
            self.underway = None;
            self.finish = finish;
            if finish == SISLM_FINISH_CANCELLED {
                self.statistics.add(|all| &all.cancelled, 1);
            }
            self.record();
            self.offer();
        }
    }

    /// Gives its answer to who compares it. Apart from what ends the turn, as the record is.
    #[inline(never)]
    fn offer(&self) {
        const COMPARED: [u32; 4] = [
            SISLM_FINISH_STOP,
            SISLM_FINISH_LENGTH,
            SISLM_FINISH_CONTEXT,
            SISLM_FINISH_DEADLINE,
        ];
        if let (Some(shadow), Aim::Generate(generation)) = (&self.shadow, &self.aim) {
            if COMPARED.contains(&self.finish) {
                let sequence = &self.sequence;
                shadow.offer(&Answer {
                    model: &self.model,
                    tokens: sequence.tokens(),
                    count: generation.ids.generated.len(),
                    is_whole: sequence.free() != 0,
                    kv_type: sequence.kv_type(),
                    scales: sequence.scales(),
                    generation: self.draw.generation,
                    session: self.entry.session(),
                    turn: self.entry.turn(),
                });
            }
        }
    }

    /// Ends it for an error.
    pub(crate) fn fail(&mut self, error: Error) {
        let finish = if error == EDOM {
            SISLM_FINISH_NUMERIC
        } else {
            SISLM_FINISH_ERROR
        };
        if !self.is_over() && finish == SISLM_FINISH_ERROR {
            self.error = Some(error);
        }
        self.end(finish);
    }

    /// Ends it with the text so far when its deadline is over: whether it is. There is room for text.
    pub(crate) fn expire(&mut self, now: u64, sink: &impl Sink) -> bool {
        if now < self.deadline || self.is_over() {
            return false;
        }
        if let Aim::Generate(generation) = &mut self.aim {
            generation.flush(sink);
        }
        self.statistics.add(|all| &all.expired, 1);
        self.end(SISLM_FINISH_DEADLINE);
        true
    }

    /// Whether it gives tokens in the end.
    pub(crate) fn gives_tokens(&self) -> bool {
        matches!(self.aim, Aim::Generate(_))
    }

    /// Whether each step gives a token.
    pub(crate) fn decodes(&self) -> bool {
        matches!(&self.aim, Aim::Generate(generation) if generation.decodes())
    }

    /// Whether it gives text to a reader, and no caller guides it.
    pub(crate) fn gives_text(&self) -> bool {
        match &self.aim {
            Aim::Generate(generation) => !generation.is_guided(),
            Aim::Evaluate(_) => false,
        }
    }

    /// Whether it waits for its caller to guide it on.
    pub(crate) fn awaits_guide(&self) -> bool {
        match &self.aim {
            Aim::Generate(generation) => generation.awaits_guide() && !self.is_over(),
            Aim::Evaluate(_) => false,
        }
    }

    /// Goes on with an answer as its caller guides it: with `forced` ids, which may end it, then with
    /// a token that is drawn.
    pub(crate) fn guide(
        &mut self,
        guide: Guide,
        forced: &[u32],
        section: &mut Section,
        sink: &impl Sink,
    ) -> Result {
        let Aim::Generate(generation) = &mut self.aim else {
            return Err(EINVAL);
        };
        *generation.guide() = Some(guide);
        for id in forced {
            let finish = generation.take(*id, section, &self.model, &mut self.sequence, sink)?;
            task::relax();
            self.statistics.add(|all| &all.tokens, 1);
            self.entry.token(generation.ids.generated.len());
            if let Some(finish) = finish {
                self.end(finish);
                return Ok(());
            }
        }
        if self.sequence.lacks_blocks() {
            self.sequence.grow(&self.model)?;
        }
        Ok(())
    }

    /// Whether a step can be made now; a turn whose reader is slow must wait.
    pub(crate) fn has_room(&self, sink: &impl Sink) -> bool {
        match &self.aim {
            Aim::Generate(generation) => generation.is_guided() || sink.has_room(),
            Aim::Evaluate(evaluation) => evaluation.has_room(),
        }
    }

    /// The embedding that it makes, if it makes one.
    fn embedding(&self) -> Option<&Embedding> {
        match &self.aim {
            Aim::Generate(_) => None,
            Aim::Evaluate(evaluation) => evaluation.embedding(),
        }
    }

    /// Which of the passes of its model it makes: all turns of a step make the same.
    pub(crate) fn pass(&self) -> u32 {
        self.embedding().map_or(0, Embedding::pass)
    }

    /// Whether each of its rows has logits.
    fn wants_all_logits(&self) -> bool {
        matches!(self.aim, Aim::Evaluate(_)) && self.embedding().is_none()
    }

    /// What it can use of its next step.
    pub(crate) fn demand(&self) -> Demand {
        let (positions, computed) = (self.sequence.positions(), self.sequence.computed());
        Demand {
            rows: positions.saturating_sub(computed),
            all_logits: self.wants_all_logits(),
        }
    }

    /// Adds its next `count` rows to the step.
    pub(crate) fn join(&mut self, flight: &mut Flight, count: u32) -> Result {
        self.clock.get_or_insert_with(Instant::now);
        self.entry.join();
        let start = self.sequence.computed();
        let last = self.sequence.positions().saturating_sub(1);
        let all = self.wants_all_logits();
        let embedding = self.embedding();
        let hidden_state = embedding.is_some_and(Embedding::is_last_pass);
        let scales = *self.sequence.scales();
        let sees_all = embedding.is_some_and(Embedding::sees_all);
        let tokens = self.sequence.tokens().get(start as usize..).unwrap_or(&[]);
        let rows = (start..)
            .zip(tokens)
            .take(count as usize)
            .map(|(position, token)| RowPlan {
                position,
                token: *token,
                logits: all || embedding.is_none() && position == last,
                hidden_state,
                last: if sees_all { last } else { position },
                scales,
            });
        flight.add(self.sequence.table().ok_or(EINVAL)?, rows)
    }

    /// Memory of its keys and values, bytes.
    pub(crate) fn kv_bytes(&self) -> u64 {
        self.sequence.bytes(&self.model)
    }

    /// Notes its share of the computing time of a step of `turns` turns.
    pub(crate) fn charge(&mut self, cpu_ns: u64, turns: u32) {
        self.entry.charge(cpu_ns, turns);
    }

    /// Handles the logits of the step that is done, in which it had `count` rows from `first` on.
    pub(crate) fn after_step(
        &mut self,
        sink: &impl Sink,
        workspace: &Workspace,
        flight: &Flight,
        section: &mut Section,
        (first, count): (u32, u32),
    ) -> Next {
        self.sequence.advance(count);
        self.statistics
            .add(|all| &all.positions_computed, u64::from(count));
        let complete = self.sequence.computed() == self.sequence.positions();
        let generating = matches!(self.aim, Aim::Generate(_));
        // Prefill: the logits are not there before the last row.
        if generating && !complete {
            return Next::Step;
        }
        if let Aim::Evaluate(evaluation) = &mut self.aim {
            let last = evaluation.embedding().is_none_or(Embedding::is_last_pass);
            if complete && evaluation.begin_pass() {
                self.sequence.rewind();
            }
            if !last {
                return Next::Step;
            }
        }
        if generating {
            self.charge_time();
            if let Some(underway) = &mut self.underway {
                underway.end_prompt();
            }
        }
        match self.take_logits(sink, workspace, flight, section, (first, count)) {
            Ok(()) if self.is_over() => {}
            Ok(()) if self.gives_text() => return Next::Step,
            // Only the last row of a text gives an embedding of all of it.
            Ok(()) if !complete && self.has_room(sink) => return Next::Step,
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
        self.pause_clock();
        if self.is_over() {
            Next::End
        } else {
            Next::Park
        }
    }

    fn take_logits(
        &mut self,
        sink: &impl Sink,
        workspace: &Workspace,
        flight: &Flight,
        section: &mut Section,
        (first, count): (u32, u32),
    ) -> Result {
        let rows = first..first.saturating_add(count);
        let mut sampler = workspace.sampler.lock();
        match &mut self.aim {
            Aim::Generate(generation) => {
                let row = rows.last().ok_or(EINVAL)?;
                let logits = flight.logits(section, row)?.ok_or(EIO)?;
                let history = self.sequence.tokens();
                let token = generation.draw(section, &mut sampler, &logits, history)?;
                drop(sampler);
                let finish =
                    generation.take(token, section, &self.model, &mut self.sequence, sink)?;
                self.statistics.add(|all| &all.tokens, 1);
                self.entry.token(generation.ids.generated.len());
                if let Some(finish) = finish {
                    self.end(finish);
                }
            }
            Aim::Evaluate(evaluation) => {
                let start = self.sequence.computed().saturating_sub(count);
                let last = self.sequence.positions().saturating_sub(1);
                for (row, position) in rows.zip(start..) {
                    if evaluation.embedding().is_some() {
                        let state = flight.hidden_state(section, row)?;
                        evaluation.take_hidden_state(section, &state, (position, last))?;
                        task::relax();
                        continue;
                    }
                    let logits = flight.logits(section, row)?.ok_or(EIO)?;
                    let next = position as usize + 1;
                    let target = self.sequence.tokens().get(next).copied();
                    evaluation.take(section, &mut sampler, &logits, target)?;
                    task::relax();
                }
                if self.sequence.computed() == self.sequence.positions() {
                    evaluation.complete();
                }
            }
        }
        Ok(())
    }

    /// Adds the time since it was asked last to what the turn has taken.
    fn charge_time(&mut self) {
        let Some(start) = self.clock.replace(Instant::now()) else {
            return;
        };
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(0);
        match &mut self.aim {
            Aim::Generate(generation) => generation.charge(ns, &self.statistics),
            Aim::Evaluate(evaluation) => evaluation.charge(ns),
        }
    }

    /// Stops the clock: it waits for somebody else from here on.
    pub(crate) fn pause_clock(&mut self) {
        self.charge_time();
        self.clock = None;
    }
}
