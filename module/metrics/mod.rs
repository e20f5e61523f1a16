// SPDX-License-Identifier: GPL-2.0
//! What METRICS tells: counts of turns that are over and of steps, of a model or of all.

mod bounds;
mod histogram;

use crate::{
    statistics::Counter,
    sys::{
        task,
        uapi::{self, Record, SISLM_RECORD_EVALUATE, SISLM_RECORD_TURN},
    }, //
};
use histogram::Histogram;
use kernel::{prelude::*, sync::Arc};

/// Finish reasons that are counted apart.
const FINISHES: usize = uapi::METRICS_FINISHES;

/// Counts of a model, or of all.
#[pin_data]
pub(crate) struct Metrics {
    /// Those of all models, where one's are counted too.
    all: Option<Arc<Metrics>>,
    since_ns: u64,
    begun: Counter,
    /// Answers that are over, by `SISLM_FINISH_*`.
    answers: [Counter; FINISHES],
    evaluations: Counter,
    prompt_tokens: Counter,
    tokens: Counter,
    reused: Counter,
    steps: Counter,
    cpu_ns: Counter,
    first_token: Histogram,
    token: Histogram,
    request: Histogram,
    queue: Histogram,
    prompt: Histogram,
    answer: Histogram,
    rows: Histogram,
    turns: Histogram,
    section: Histogram,
}

impl Metrics {
    /// Of all models, all zero.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Self::within(None)
    }

    /// Of a model, which those of `all` include.
    pub(crate) fn of_model(all: &Arc<Self>) -> Result<Arc<Self>> {
        Self::within(Some(all.clone()))
    }

    /// One after the other: all at once are too much for a stack.
    fn within(all: Option<Arc<Self>>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                all,
                since_ns: task::real_ns(),
                begun: Counter::new(),
                answers: core::array::from_fn(|_| Counter::new()),
                evaluations: Counter::new(),
                prompt_tokens: Counter::new(),
                tokens: Counter::new(),
                reused: Counter::new(),
                steps: Counter::new(),
                cpu_ns: Counter::new(),
                first_token: Histogram::new(bounds::FIRST_TOKEN),
                token: Histogram::new(bounds::TOKEN),
                request: Histogram::new(bounds::REQUEST),
                queue: Histogram::new(bounds::REQUEST),
                prompt: Histogram::new(bounds::TOKENS),
                answer: Histogram::new(bounds::TOKENS),
                rows: Histogram::new(bounds::ROWS),
                turns: Histogram::new(bounds::TURNS),
                section: Histogram::new(bounds::SECTION),
            }),
            GFP_KERNEL,
        )
    }

    /// Counts a turn that begins.
    pub(crate) fn begin(&self) {
        self.begun.add(1);
        if let Some(all) = &self.all {
            all.begin();
        }
    }

    /// Counts a turn that is over, by its record; `load_ns` is the time before it began.
    pub(crate) fn end(&self, record: &Record, load_ns: u64) {
        if let Some(all) = &self.all {
            all.end(record, load_ns);
        }
        if record.kind == SISLM_RECORD_EVALUATE {
            self.evaluations.add(1);
        }
        self.prompt_tokens.add(u64::from(record.prompt_count));
        if record.kind != SISLM_RECORD_TURN {
            return;
        }
        if let Some(answers) = self.answers.get(record.finish as usize) {
            answers.add(1);
        }
        self.tokens.add(u64::from(record.count));
        self.reused.add(u64::from(record.reused));
        self.prompt.observe(u64::from(record.prompt_count));
        self.answer.observe(u64::from(record.count));
        self.queue.observe(record.queue_ns);
        let first = load_ns
            .saturating_add(record.queue_ns)
            .saturating_add(record.prefill_ns);
        self.request.observe(first.saturating_add(record.decode_ns));
        if record.count != 0 {
            self.first_token.observe(first);
        }
        // The first one comes with the prompt.
        let more = u64::from(record.count.saturating_sub(1));
        if let Some(ns) = record.decode_ns.checked_div(more) {
            self.token.observe(ns);
        }
    }

    /// Counts a step of `rows` rows of `turns` turns, which took `cpu_ns` of computing time.
    pub(crate) fn step(&self, rows: u32, turns: u32, cpu_ns: u64) {
        if let Some(all) = &self.all {
            all.step(rows, turns, cpu_ns);
        }
        self.steps.add(1);
        self.cpu_ns.add(cpu_ns);
        self.rows.observe(u64::from(rows));
        self.turns.observe(u64::from(turns));
    }

    /// Counts a section of so many weight bytes.
    pub(crate) fn section(&self, work: u64) {
        self.section.observe(work);
    }

    /// Writes the counts into the answer of METRICS.
    #[inline(never)]
    pub(crate) fn tell(&self, to: &mut uapi::Metrics) {
        let mut over = self.evaluations.get();
        for (to, from) in to.answers.iter_mut().zip(&self.answers) {
            *to = from.get();
            over = over.saturating_add(*to);
        }
        to.since_ns = self.since_ns;
        to.active = self.begun.get().saturating_sub(over);
        to.evaluations = self.evaluations.get();
        to.prompt_tokens = self.prompt_tokens.get();
        to.tokens = self.tokens.get();
        to.reused = self.reused.get();
        to.steps = self.steps.get();
        to.cpu_ns = self.cpu_ns.get();
        self.first_token.tell(&mut to.first_token);
        self.token.tell(&mut to.token);
        self.request.tell(&mut to.request);
        self.queue.tell(&mut to.queue);
        self.prompt.tell(&mut to.prompt);
        self.answer.tell(&mut to.answer);
        self.rows.tell(&mut to.rows);
        self.turns.tell(&mut to.turns);
        self.section.tell(&mut to.section);
    }
}
