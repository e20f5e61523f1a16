// SPDX-License-Identifier: GPL-2.0
//! Generating an answer: sampling, text, stop strings, limits.

use crate::{
    models::model::Model,
    records::first,
    statistics::Statistics,
    sys::{
        neon::Section,
        sample::{Generator, Sampler, SharedDrawing},
        step::Logits,
        task,
        text::{detokenize, ends, TOKEN_BYTES_MAX},
        uapi::{
            Record, SISLM_FINISH_CONTEXT, SISLM_FINISH_LENGTH, SISLM_FINISH_STOP,
            SISLM_RECORD_GUIDED, SISLM_RECORD_TURN, SISLM_TOKENIZE_BOS,
        },
        wiped::{Secret, Wiped},
    },
    turn::{
        commitment::Commitment,
        configuration::Configuration,
        guide::Guide,
        outcome::{Ids, Outcome},
        sequence::Sequence,
        sink::Sink,
        stop::{Filter, StopIds},
    }, //
};
use kernel::{prelude::*, sync::UniqueArc};

/// The state of an answer.
pub(crate) struct Generation {
    /// The ids of the prompt, and those generated so far.
    pub(crate) ids: UniqueArc<Ids>,
    /// Seed of the generator.
    pub(crate) seed: u64,
    /// Positions kept from earlier turns.
    pub(crate) reused: u32,
    /// Time of tokenizing and setting up.
    pub(crate) load_ns: u64,
    /// Time until the first logits.
    pub(crate) prefill_ns: u64,
    /// Time from the first logits on.
    pub(crate) decode_ns: u64,
    drawing: SharedDrawing,
    generator: Generator,
    filter: Filter,
    text: Wiped<u8>,
    most: u32,
    ignore_eos: bool,
    stop_ids: StopIds,
    /// What its caller wants of the next token, when it has one that guides it; its text goes nowhere.
    guide: Option<Guide>,
    commitment: KBox<Commitment>,
    /// Whether logits have been there.
    decodes: bool,
}

impl Generation {
    /// Of an answer to `prompt`, of at most `most` tokens (the context's limit included).
    pub(crate) fn new(
        section: &mut Section,
        configuration: &Configuration,
        (prompt, commitment): (Wiped<u32>, KBox<Commitment>),
        seed: u64,
        reused: u32,
        most: u32,
    ) -> Result<Self> {
        let generated = Wiped::with_capacity(most as usize)?;
        let ids = Ids { prompt, generated };
        Ok(Self {
            ids: UniqueArc::new(ids, GFP_KERNEL_ACCOUNT)?,
            seed,
            reused,
            load_ns: 0,
            prefill_ns: 0,
            decode_ns: 0,
            drawing: configuration.drawing.clone(),
            generator: Generator::new(section, seed)?,
            filter: Filter::new(configuration.stop)?,
            text: Wiped::zeroed(TOKEN_BYTES_MAX)?,
            most: configuration.max_tokens,
            ignore_eos: configuration.ignore_eos,
            stop_ids: configuration.stop_ids,
            guide: None,
            commitment,
            decodes: false,
        })
    }

    /// What it knows of itself, when it is over.
    pub(crate) fn into_outcome(self) -> Outcome {
        Outcome {
            // CAST: Fewer ids than positions.
            prompt_count: self.ids.prompt.len() as u32,
            reused: self.reused,
            seed: self.seed,
            load_ns: self.load_ns,
            prefill_ns: self.prefill_ns,
            decode_ns: self.decode_ns,
            nonce: Secret::new(self.commitment.nonce()),
            commitment: self.commitment.value(),
            ids: Some(self.ids.into()),
            ..Outcome::none()
        }
    }

    /// It is over: writes what it knows of itself into its record.
    pub(crate) fn tell(&mut self, record: &mut Record) {
        self.commitment.close();
        record.kind = SISLM_RECORD_TURN;
        record.seed = self.seed;
        record.prefill_ns = self.prefill_ns;
        record.decode_ns = self.decode_ns;
        record.sampling = first(self.commitment.sampling());
        // CAST: Fewer ids than positions.
        record.prompt_count = self.ids.prompt.len() as u32;
        record.count = self.ids.generated.len() as u32;
        record.reused = self.reused;
        record.commitment = self.commitment.value();
        if self.is_guided() {
            record.flags |= SISLM_RECORD_GUIDED;
        }
    }

    /// Its caller's wish, when it has one that guides it.
    pub(crate) fn guide(&mut self) -> &mut Option<Guide> {
        &mut self.guide
    }

    /// Whether a caller guides it.
    pub(crate) fn is_guided(&self) -> bool {
        self.guide.is_some()
    }

    /// Whether its caller has got what it asked for.
    pub(crate) fn awaits_guide(&self) -> bool {
        self.guide.as_ref().is_some_and(Guide::is_answered)
    }

    /// Draws the next token.
    pub(crate) fn draw(
        &mut self,
        section: &mut Section,
        sampler: &mut Sampler,
        logits: &Logits<'_>,
        history: &[u32],
    ) -> Result<u32> {
        self.decodes = true;
        let mask = self.guide.as_ref().map_or(&[] as &[u32], Guide::mask);
        let token = sampler.sample(
            section,
            logits,
            (&self.drawing, mask),
            history,
            &mut self.generator,
            task::relax,
        )?;
        if let Some(guide) = &mut self.guide {
            guide.take(token, section, sampler, logits)?;
        }
        Ok(token)
    }

    /// Takes a drawn token: into the context and as text to the reader. Why the turn is over, if it is.
    pub(crate) fn take(
        &mut self,
        token: u32,
        section: &mut Section,
        model: &Model,
        sequence: &mut Sequence,
        sink: &impl Sink,
    ) -> Result<Option<u32>> {
        // The space prefix of the first piece is no text when nothing but BOS comes before it.
        let first = matches!(sequence.tokens(), [only] if *only == model.facts.bos);
        let flags = if first { SISLM_TOKENIZE_BOS } else { 0 };
        let fits = sequence.push(token);
        self.ids.generated.push(token)?;
        self.commitment.add(token);
        let content = model.content()?;
        let over = !self.ignore_eos && ends(section, &content.memory, token)?;
        if over || self.stop_ids.contains(token) {
            self.flush(sink);
            return Ok(Some(SISLM_FINISH_STOP));
        }
        if self.guide.is_none() {
            let length = detokenize(section, &content.memory, token, flags, &mut self.text)?;
            let text = self.text.get(..length).ok_or(EIO)?;
            if self.filter.push(text, |text| sink.give(text)) {
                return Ok(Some(SISLM_FINISH_STOP));
            }
        }
        let finish = if self.most != 0 && self.ids.generated.len() >= self.most as usize {
            SISLM_FINISH_LENGTH
        } else if !fits {
            SISLM_FINISH_CONTEXT
        } else {
            return Ok(None);
        };
        self.flush(sink);
        Ok(Some(finish))
    }

    /// Gives what may begin a stop string: none will come.
    pub(crate) fn flush(&mut self, sink: &impl Sink) {
        self.filter.flush(|text| sink.give(text));
    }

    /// Whether logits have been there.
    pub(crate) fn decodes(&self) -> bool {
        self.decodes
    }

    /// Adds time to the phase that the turn is in.
    pub(crate) fn charge(&mut self, ns: u64, statistics: &Statistics) {
        if !self.decodes {
            self.prefill_ns = self.prefill_ns.saturating_add(ns);
            statistics.add(|all| &all.prefill_ns, ns);
        } else {
            self.decode_ns = self.decode_ns.saturating_add(ns);
            statistics.add(|all| &all.decode_ns, ns);
        }
    }
}
