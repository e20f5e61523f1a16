// SPDX-License-Identifier: GPL-2.0
//! The start of a turn: all memory it needs is taken here, in the caller's context.

use super::{Inner, Locked, Purpose, Session, State};
use crate::{
    configuration::Configuration,
    generation::Generation,
    limits::CONTEXT_DEFAULT,
    model::{Model, Use},
    outcome::Outcome,
    ring::Ring,
    sequence::{Sequence, POSITIONS_AHEAD},
    sys::{
        neon::Section,
        task,
        text::Tokenizer,
        uapi::{SISLM_FINISH_ERROR, SISLM_TOKENIZE_BOS, SISLM_TOKENIZE_CONTROL},
        Progress,
    },
    turn::{Aim, Turn},
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// Nothing that `model` could mean.
const NO_TOKEN: u32 = !0;

/// Turns `text` into ids; `EINTR` on a signal.
pub(crate) fn tokenize(
    section: &mut Section,
    model: &Model,
    text: &[u8],
    flags: u32,
) -> Result<KVVec<u32>> {
    let mut ids = KVVec::new();
    if text.is_empty() && flags & SISLM_TOKENIZE_BOS == 0 {
        return Ok(ids);
    }
    let content = model.content()?;
    let mut tokenizer = Tokenizer::begin(section, &content.memory, text, flags)?;
    while tokenizer.run(section)? == Progress::More {
        task::relax();
        task::interrupted()?;
    }
    ids.extend_from_slice(tokenizer.ids(section)?, GFP_KERNEL_ACCOUNT)?;
    Ok(ids)
}

impl Session {
    /// Begins to use a model, unless this file does: the default one when none is configured. The
    /// session is not locked, since the registry comes first.
    pub(crate) fn bind(&self) -> Result {
        let wanted = {
            let inner = self.lock();
            if inner.using.is_some() {
                return Ok(());
            }
            inner.configuration.model
        };
        let using = self.shared().registry.take(wanted)?;
        let mut inner = self.lock();
        if inner.using.is_none() {
            inner.using = Some(using);
        }
        Ok(())
    }

    /// CONFIGURE: in IDLE only; gives the seed in use. Empties the context.
    pub(crate) fn configure(&self, configuration: Configuration) -> Result<u64> {
        let using: Use = self.shared().registry.take(configuration.model)?;
        let most = using.model().facts.context;
        if !configuration.stop_ids.fit(using.model().facts.vocabulary) {
            return Err(EINVAL);
        }
        if configuration.context > most {
            return Err(ERANGE);
        }
        let mut inner = self.lock_settled()?;
        if inner.state != State::Idle {
            return Err(EBUSY);
        }
        let seed = configuration.seed.unwrap_or_else(task::random);
        let helpers = self.shared().limits.helpers;
        self.link.set_unhelped(configuration.unhelped || !helpers);
        inner.configuration = configuration;
        inner.using = Some(using);
        inner.sequence = None;
        inner.next_seed = Some(seed);
        Ok(seed)
    }

    /// The context's positions by configuration and model.
    fn context(configuration: &Configuration, model: &Model) -> u32 {
        match configuration.context {
            0 => CONTEXT_DEFAULT.min(model.facts.context),
            asked => asked.min(model.facts.context),
        }
    }

    /// An empty context.
    pub(super) fn empty_sequence(&self, inner: &Inner, model: &Model) -> Result<Sequence> {
        let configuration = &inner.configuration;
        Sequence::new(
            Self::context(configuration, model),
            configuration.kv_type,
            self.link.user(),
            &self.shared().statistics,
        )
    }

    /// Starts a turn on the prompt that waits. On an error the session is idle again, but for
    /// `ERESTARTSYS`, when the prompt still waits.
    pub(super) fn start(self: &Arc<Self>, inner: &mut Locked<'_>, purpose: Purpose) -> Result {
        let before = Instant::<Monotonic>::now();
        inner.outcome = Outcome::none();
        inner.asked = true;
        match self.prepare(inner) {
            Ok(mut turn) => {
                if let Aim::Generate(generation) = &mut turn.aim {
                    generation.load_ns = u64::try_from(before.elapsed().as_nanos()).unwrap_or(0);
                }
                self.launch(inner, turn, purpose)
            }
            Err(EINTR) => Err(ERESTARTSYS),
            Err(error) => {
                inner.prompt.clear();
                inner.state = State::Idle;
                inner.outcome.finish = SISLM_FINISH_ERROR;
                inner.outcome.error = Some(error);
                Err(error)
            }
        }
    }

    /// Gives a turn to the scheduler.
    pub(super) fn launch(&self, inner: &mut Inner, turn: KBox<Turn>, purpose: Purpose) -> Result {
        inner.prompt.clear();
        inner.refused = None;
        inner.state = State::Running(purpose);
        self.link.set_cancelled(false);
        self.shared().statistics.turns.add(1);
        self.shared().scheduler.enqueue(&self.link, turn);
        Ok(())
    }

    /// Takes the ring of the channel, the first time, and empties it.
    pub(super) fn open_channel(&self) -> Result {
        let mut ring = None;
        if !self.link.channel.lock().has_ring() {
            ring = Some(Ring::new(self.shared().limits.ring as usize)?);
        }
        self.link.channel.lock().begin(&mut ring);
        Ok(())
    }

    fn prepare(self: &Arc<Self>, inner: &mut Locked<'_>) -> Result<KBox<Turn>> {
        if self.shared().scheduler.is_broken() {
            return Err(EIO);
        }
        let model = inner.model()?;
        let mut section = match inner.section.take() {
            Some(section) => section,
            None => Section::new()?,
        };
        let mut sequence = match inner.sequence.take() {
            Some(sequence) => sequence,
            None => self.empty_sequence(inner, &model)?,
        };
        let result = self.take_prompt(inner, &model, &mut section, &mut sequence);
        let turn = result.and_then(|generation| {
            self.open_channel()?;
            Ok(generation)
        });
        inner.section = Some(section);
        match turn {
            Ok(generation) => Turn::new(
                model,
                sequence,
                Aim::Generate(generation),
                self.shared().statistics.clone(),
            ),
            Err(error) => {
                inner.sequence = Some(sequence);
                Err(error)
            }
        }
    }

    /// Tokenizes the prompt, takes blocks for the turn and appends the prompt to the context.
    fn take_prompt(
        &self,
        inner: &mut Inner,
        model: &Model,
        section: &mut Section,
        sequence: &mut Sequence,
    ) -> Result<Generation> {
        let configuration = inner.configuration;
        let mut flags = 0;
        if sequence.positions() == 0 {
            flags |= SISLM_TOKENIZE_BOS;
        }
        if configuration.control {
            flags |= SISLM_TOKENIZE_CONTROL;
        }
        let mut prompt = tokenize(section, model, inner.prompt.bytes(), flags)?;
        let waiting = sequence.positions() > sequence.computed();
        if prompt.is_empty() && !waiting && model.facts.bos != NO_TOKEN {
            // Nothing to go on from: begin a sequence.
            prompt.push(model.facts.bos, GFP_KERNEL_ACCOUNT)?;
        }
        // CAST: At most two ids a byte, and two; a prompt has at most 16 MiB.
        let count = prompt.len() as u32;
        inner.outcome.prompt_count = count;
        inner.outcome.context = sequence.context();
        inner.outcome.positions = sequence.positions();
        inner.outcome.digest = model.digest;
        if count == 0 && !waiting {
            return Err(EINVAL);
        }
        if count > sequence.free() {
            return Err(EMSGSIZE);
        }
        let reused = sequence.computed();
        // The last token drawn needs no position.
        let left = sequence.free().saturating_sub(count);
        let most = match configuration.max_tokens {
            0 => left.saturating_add(1),
            asked => asked.min(left.saturating_add(1)),
        };
        let positions = sequence
            .positions()
            .saturating_add(count)
            .saturating_add(most.min(POSITIONS_AHEAD));
        sequence.take_blocks(positions, model)?;
        let seed = match configuration.seed.or(inner.next_seed.take()) {
            Some(seed) => seed,
            None => task::random(),
        };
        let mut ids = KVVec::with_capacity(prompt.len(), GFP_KERNEL_ACCOUNT)?;
        ids.extend_from_slice(&prompt, GFP_KERNEL_ACCOUNT)?;
        let generation = Generation::new(section, &configuration, ids, seed, reused, most)?;
        sequence.append(&prompt)?;
        let statistics = &self.shared().statistics;
        statistics.prompt_tokens.add(u64::from(count));
        statistics.positions_reused.add(u64::from(reused));
        Ok(generation)
    }
}
