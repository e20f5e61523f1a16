// SPDX-License-Identifier: GPL-2.0
//! The start of a turn: all memory it needs is taken here, in the caller's context or in the name of
//! who wrote the prompt. The session is not locked meanwhile.

use super::{Inner, Locked, Session};
use crate::{
    models::{draw::Draw, model::Model, registry::Use},
    records::entry::Entry,
    session::{prompt::Prompt, starter::Startable},
    sys::{
        charge::Payer,
        clock::{self, SECOND},
        errno::EOPNOTSUPP,
        neon::Section,
        task,
        text::Tokenizer,
        uapi::{
            Literal, NAME_BYTES, SISLM_CHOICE_NONE, SISLM_FINISH_ERROR, SISLM_TOKENIZE_BOS,
            SISLM_TOKENIZE_CONTROL,
        },
        wiped::Wiped,
        Progress,
    },
    turn::{
        channel::{Purpose, State},
        commitment::Commitment,
        configuration::Configuration,
        generation::Generation,
        outcome::Outcome,
        ring::Ring,
        sequence::{Sequence, POSITIONS_AHEAD},
        Aim, Turn,
    },
    users::{Namespace, User}, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic},
};

/// Nothing that `model` could mean.
const NO_TOKEN: u32 = !0;

/// Turns `text` into ids, `literal` as in TOKENIZE; `EINTR` when `stop` says so. It takes a while that the length of a prompt
/// bounds, and no other signal than death ends it: begun again, it might never come to its end.
pub(crate) fn tokenize(
    section: &mut Section,
    model: &Model,
    text: &[u8],
    literal: &[Literal],
    flags: u32,
    stop: impl Fn() -> bool,
) -> Result<Wiped<u32>> {
    if text.is_empty() && flags & SISLM_TOKENIZE_BOS == 0 {
        return Ok(Wiped::new());
    }
    let content = model.content()?;
    let mut tokenizer = Tokenizer::begin(section, &content.memory, text, literal, flags)?;
    while tokenizer.run(section)? == Progress::More {
        task::relax();
        if stop() {
            return Err(EINTR);
        }
    }
    let found = tokenizer.ids(section)?;
    // Room for BOS, where there is nothing else.
    let mut ids = Wiped::with_capacity(found.len().max(1))?;
    ids.extend(found)?;
    Ok(ids)
}

/// What CONFIGURE answers.
pub(crate) struct Configured {
    /// The seed in use.
    pub(crate) seed: u64,
    /// Positions kept of the context.
    pub(crate) kept: u32,
    /// `SISLM_CHOICE_*`.
    pub(crate) choice: u32,
    /// The version in use.
    pub(crate) chosen: [u8; NAME_BYTES],
}

/// What a turn is made of.
struct Parts {
    model: Arc<Model>,
    draw: Draw,
    configuration: Configuration,
    prompt: Prompt,
    payer: Option<Payer>,
    sequence: Option<Sequence>,
    section: Option<Section>,
    seed: Option<u64>,
    namespace: Arc<Namespace>,
    outcome: Outcome,
}

impl Parts {
    /// Takes them out of a session.
    fn of(inner: &mut Inner, namespace: &Arc<Namespace>) -> Result<Self> {
        inner.waiting = None;
        Ok(Self {
            model: inner.model()?,
            draw: inner.draw(),
            configuration: inner.configuration.clone(),
            prompt: core::mem::replace(&mut inner.prompt, Prompt::new()),
            payer: inner.payer.take(),
            sequence: inner.sequence.take(),
            section: inner.section.take(),
            seed: inner.next_seed,
            namespace: namespace.clone(),
            outcome: Outcome::none(),
        })
    }

    /// Makes the turn. The prompt is appended to the context last: what fails leaves it as it was.
    fn make_turn(
        &mut self,
        entry: impl FnOnce() -> Entry,
        stop: impl Fn() -> bool,
    ) -> Result<KBox<Turn>> {
        let before = Instant::<Monotonic>::now();
        let allowance = self.namespace.user().allowance();
        let deadline = [self.configuration.deadline_ms, allowance.deadline_ms];
        let deadline = deadline.map(clock::in_milliseconds).into_iter().min();
        let place = Turn::place()?;
        let mut section = match self.section.take() {
            Some(section) => section,
            None => Section::new()?,
        };
        let generation = self.take_prompt(&mut section, stop);
        self.section = Some(section);
        let mut generation = generation?;
        let mut sequence = self.sequence.take().ok_or(EINVAL)?;
        if let Err(error) = sequence.append(&generation.ids.prompt) {
            self.sequence = Some(sequence);
            return Err(error);
        }
        let count = u64::from(self.outcome.prompt_count);
        let reused = u64::from(generation.reused);
        let statistics = self.namespace.user().statistics();
        statistics.add(|all| &all.prompt_tokens, count);
        statistics.add(|all| &all.positions_reused, reused);
        generation.load_ns = u64::try_from(before.elapsed().as_nanos()).unwrap_or(0);
        let mut turn = Turn::new(
            place,
            self.model.clone(),
            sequence,
            Aim::Generate(generation),
            statistics.clone(),
            entry(),
        );
        turn.draw = self.draw;
        turn.deadline = deadline.unwrap_or(clock::NEVER);
        turn.interval = SECOND
            .checked_div(u64::from(self.configuration.tokens_per_second))
            .unwrap_or(0);
        Ok(turn)
    }

    /// Tokenizes the prompt and takes blocks for the turn.
    fn take_prompt(
        &mut self,
        section: &mut Section,
        stop: impl Fn() -> bool,
    ) -> Result<Generation> {
        let configuration = &self.configuration;
        let model = &self.model;
        if model.is_encoder() {
            return Err(EOPNOTSUPP());
        }
        let sequence = match &mut self.sequence {
            Some(sequence) => sequence,
            none => none.insert(empty_sequence(configuration, model, &self.namespace)?),
        };
        let mut flags = 0;
        if sequence.positions() == 0 {
            flags |= SISLM_TOKENIZE_BOS;
        }
        if configuration.control {
            flags |= SISLM_TOKENIZE_CONTROL;
        }
        let mut prompt = match core::mem::replace(&mut self.prompt, Prompt::new()) {
            Prompt::Text(text) => tokenize(section, model, text.bytes(), &[], flags, stop)?,
            Prompt::Ids(ids) => {
                model.content()?;
                ids
            }
        };
        let waiting = sequence.positions() > sequence.computed();
        if prompt.is_empty() && !waiting && model.facts.bos != NO_TOKEN {
            // Nothing to go on from: begin a sequence.
            prompt = Wiped::with_capacity(1)?;
            prompt.push(model.facts.bos)?;
        }
        // CAST: At most two ids a byte, and two; a prompt has at most 16 MiB.
        let count = prompt.len() as u32;
        self.outcome.prompt_count = count;
        self.outcome.context = sequence.context();
        self.outcome.positions = sequence.positions();
        self.outcome.digest = model.digest;
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
        let seed = match configuration.seed.or(self.seed) {
            Some(seed) => seed,
            None => task::random(),
        };
        let commitment = Commitment::new(model, &configuration.drawing, seed, sequence, &prompt)?;
        let prompt = (prompt, commitment);
        Generation::new(section, configuration, prompt, seed, reused, most)
    }
}

/// The context's positions by configuration and model.
pub(super) fn context(configuration: &Configuration, model: &Model) -> u32 {
    match configuration.context {
        0 => model.context_default,
        asked => asked.min(model.facts.context),
    }
}

/// An empty context.
pub(super) fn empty_sequence(
    configuration: &Configuration,
    model: &Model,
    namespace: &Arc<Namespace>,
) -> Result<Sequence> {
    let scales = model.scales(configuration.scales.as_ref())?;
    Sequence::new(
        context(configuration, model),
        configuration.kv_type,
        scales,
        namespace,
    )
}

impl Inner {
    /// Whether `sequence`, of the present configuration, is of the same model, positions, type of keys and scales under
    /// another.
    fn goes_on(&self, configuration: &Configuration, using: &Use, sequence: &Sequence) -> bool {
        let model = using.model();
        let is_same = |before: &Use| Arc::ptr_eq(before.model(), model);
        self.using.as_ref().is_some_and(is_same)
            && sequence.context() == context(configuration, model)
            && sequence.kv_type() == configuration.kv_type
            && model
                .scales(configuration.scales.as_ref())
                .is_ok_and(|scales| scales == *sequence.scales())
    }
}

impl Startable for Session {
    fn user(&self) -> &Arc<User> {
        self.link.user()
    }

    fn start(session: &Arc<Self>, number: u64) {
        // A reader is told of an error.
        let _ = session.start(number);
    }
}

impl Session {
    /// Begins to use a model, unless this file does: the default one when none is configured.
    pub(crate) fn bind(&self) -> Result {
        let mut inner = self.lock()?;
        if inner.using.is_none() {
            let wanted = inner.configuration.model;
            let number = self.link.who().session;
            let registry = &self.shared().registry;
            let using = registry.take(wanted, self.link.user(), number)?;
            inner.using = Some(using);
        }
        Ok(())
    }

    /// The model in use, as of [`Session::bind`].
    pub(crate) fn model(&self) -> Result<Arc<Model>> {
        self.bind()?;
        self.lock()?.model()
    }

    /// CONFIGURE: in IDLE only; the positions kept of the context are at most `keep`. Forgets the last turn.
    pub(crate) fn configure(&self, configuration: &Configuration, keep: u32) -> Result<Configured> {
        let registry = &self.shared().registry;
        let number = self.link.who().session;
        let (using, choice) = match configuration.auto {
            Some(prompt) => {
                let (using, chosen) = self.choose(configuration, prompt)?;
                (using, Some(chosen))
            }
            None => {
                let using = registry.take(configuration.model, self.link.user(), number)?;
                (using, None)
            }
        };
        let most = using.model().facts.context;
        let vocabulary = using.model().facts.vocabulary;
        if !configuration.stop_ids.fit(vocabulary) || !configuration.drawing.fits(vocabulary) {
            return Err(EINVAL);
        }
        using.model().scales(configuration.scales.as_ref())?;
        if configuration.context > most {
            return Err(ERANGE);
        }
        let chosen = using.model().name.with_version(using.model().version);
        let inner = self.lock_idle()?;
        let (seed, kept) = self.adopt(inner, configuration, using, keep);
        if let Some(chosen) = &choice {
            self.record_choice(chosen);
        }
        Ok(Configured {
            seed,
            kept,
            choice: choice.map_or(SISLM_CHOICE_NONE, |chosen| chosen.reason),
            chosen,
        })
    }

    /// Goes on under another configuration, as [`Session::configure`]. Not inlined: what it exchanges is not on
    /// the stack while a turn before is ended.
    #[inline(never)]
    fn adopt(
        &self,
        mut inner: Locked<'_>,
        configuration: &Configuration,
        using: Use,
        keep: u32,
    ) -> (u64, u32) {
        let helpers = self.shared().limits.helpers;
        self.link.set_unhelped(configuration.unhelped || !helpers);
        self.link.set_tenant(configuration.tenant);
        let seed = configuration.seed.unwrap_or_else(task::random);
        inner.next_seed = Some(seed);
        let (sequence, forgotten) = match inner.sequence.take() {
            Some(sequence)
                if keep > 0
                    && sequence.goes_back_to(keep)
                    && inner.goes_on(configuration, &using, &sequence) =>
            {
                (Some(sequence), None)
            }
            sequence => (None, sequence),
        };
        inner.sequence = sequence;
        let kept = inner
            .sequence
            .as_mut()
            .map_or(0, |sequence| sequence.truncate(keep));
        let before = (
            core::mem::replace(&mut inner.configuration, configuration.clone()),
            inner.using.replace(using),
            forgotten,
            core::mem::replace(&mut inner.outcome, Outcome::none()),
        );
        // Freeing may take long: not under the lock.
        drop(inner);
        drop(before);
        (seed, kept)
    }

    /// Starts turn `number`, begun before, on the prompt that waits. On an error the session is idle
    /// again; a turn that was cancelled meanwhile is over, which is none.
    pub(super) fn start(self: &Arc<Self>, number: u64) -> Result {
        if let Some(turn) = self.make(number)? {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
        Ok(())
    }

    /// Makes turn `number` as [`Session::start`] does; none when it was cancelled meanwhile.
    pub(super) fn make(self: &Arc<Self>, number: u64) -> Result<Option<KBox<Turn>>> {
        let taken = self
            .bind()
            .and_then(|()| Parts::of(&mut *self.lock()?, self.link.namespace()));
        let mut parts = match taken {
            Ok(parts) => parts,
            Err(error) => return self.refuse(number, Outcome::none(), error).map(|()| None),
        };
        let payer = parts.payer.take();
        let mut make = || {
            if self.shared().scheduler.is_broken() {
                return Err(EIO);
            }
            self.open_channel()?;
            let stop = || self.link.is_cancelled() || task::dying();
            let entry = || Entry::new(&self.shared().recorder, self.link.who(), number);
            parts.make_turn(entry, stop)
        };
        let made = match &payer {
            Some(payer) => payer.pay(make),
            None => make(),
        };
        // Also when the task is being killed: others may hold the file.
        let mut inner = self.lock_always();
        inner.section = parts.section.take();
        match made {
            Ok(mut turn) => {
                turn.shadow = self.shared().registry.shadow_of(&turn.model);
                inner.next_seed = None;
                inner.outcome = Outcome::none();
                self.account(&mut inner);
                drop(inner);
                let statistics = self.link.user().statistics();
                statistics.add(|all| &all.turns, 1);
                Ok(Some(turn))
            }
            Err(error) => {
                inner.sequence = parts.sequence.take();
                drop(inner);
                let outcome = core::mem::replace(&mut parts.outcome, Outcome::none());
                self.refuse(number, outcome, error).map(|()| None)
            }
        }
    }

    /// Turn `number` cannot be started: its prompt is dropped, and RESULT says why.
    fn refuse(&self, number: u64, mut outcome: Outcome, error: Error) -> Result {
        let mut inner = self.lock_always();
        inner.drop_prompt();
        let cancelled = error == EINTR;
        inner.outcome = if cancelled {
            Outcome::cancelled(number)
        } else {
            outcome.number = number;
            outcome.finish = SISLM_FINISH_ERROR;
            outcome.error = Some(error);
            outcome
        };
        let streams = self.link.channel.lock().state() == State::Running(Purpose::Stream);
        let told = (streams && !cancelled).then_some(error);
        self.link.become_idle(told);
        if cancelled {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// Takes the ring of the channel, the first time.
    fn open_channel(&self) -> Result {
        if !self.link.channel.lock().has_ring() {
            let mut ring = Some(Ring::new(self.shared().limits.ring as usize)?);
            self.link.channel.lock().open(&mut ring);
        }
        Ok(())
    }
}
