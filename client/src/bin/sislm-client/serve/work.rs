// SPDX-License-Identifier: MIT OR Apache-2.0
//! The turns of a job, by a thread that may wait for the device.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sislm::{ChatModel, Error, Finish, Grammar, GrammarTokens, Guidance, Model, ModelName};
use sislm::{Session, SessionConfig, Slot, Tokenize, Turn};
use tokio::sync::mpsc::Sender;

use super::engine::Engine;
use super::error::ApiError;
use super::hangup::Hangup;
use super::job::{End, Event, Job, Prompt, Usage};
use super::pool::Owner;
use super::stops::{Decided, Stops};

/// Why a job ends early.
enum Stop {
    /// Nobody listens.
    Gone,
    /// It failed.
    Failed(ApiError),
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Does `job`, and tells `events` what happens.
pub(super) fn run(engine: &Engine, job: Job, events: &Sender<Event>, hangup: &Hangup) {
    let work = Work {
        engine,
        events,
        hangup,
        start: Instant::now(),
        begun: Cell::new(false),
    };
    let last = match work.answers(job) {
        Ok(usage) => Event::Done(usage),
        Err(Stop::Failed(error)) => Event::Failed(error),
        Err(Stop::Gone) if engine.is_draining() => Event::Failed(ApiError::draining()),
        Err(Stop::Gone) => return engine.metrics.count_hang_up(),
    };
    if events.blocking_send(last).is_err() {
        engine.metrics.count_hang_up();
    }
}

struct Work<'a> {
    engine: &'a Engine,
    events: &'a Sender<Event>,
    hangup: &'a Hangup,
    start: Instant,
    begun: Cell<bool>,
}

/// One answer of a job.
struct Place<'a> {
    model: &'a Model,
    config: SessionConfig,
    given: &'a Given,
    choice: u32,
    guided: Option<&'a Guided>,
}

/// What answers are guided by: a grammar, or the wish for log-probabilities.
struct Guided {
    tokens: Arc<GrammarTokens>,
    grammar: Option<Grammar>,
    top: Option<u32>,
}

impl Guided {
    /// For one answer.
    fn guidance(&self) -> Result<Guidance, ApiError> {
        let guide = |grammar| self.tokens.guide(grammar);
        let guide = self.grammar.as_ref().map(guide).transpose();
        Ok(Guidance {
            vocabulary: self.tokens.vocabulary().clone(),
            guide: guide.map_err(|error| ApiError::field("response_format", error.to_string()))?,
            top: self.top,
        })
    }
}

/// An answer as far as it has been told.
struct Told<'a> {
    place: &'a Place<'a>,
    /// What it is to begin with, until it has begun.
    echo: Option<String>,
}

/// A prompt as the device takes it.
struct Given {
    ids: Vec<u32>,
    /// Its text, where the answer is to begin with it.
    echo: Option<String>,
}

impl Work<'_> {
    fn answers(&self, job: Job) -> Result<Usage, Stop> {
        let model = self.engine.model(job.model.as_deref())?;
        let name: ModelName = model
            .name()
            .parse()
            .map_err(|_| ApiError::no_model("the model's name is not one"))?;
        let config = SessionConfig {
            model: Some(name),
            context: job.config.context.min(model.context),
            ..job.config
        };
        let guided = match (&job.grammar, job.logprobs) {
            (None, None) => None,
            (grammar, top) => {
                let name = config
                    .model
                    .as_ref()
                    .ok_or_else(|| ApiError::no_model("the model's name is not one"))?;
                let grammars = &self.engine.grammars;
                Some(Guided {
                    tokens: grammars.tokens(&self.engine.device, &model, name)?,
                    grammar: grammar.clone(),
                    top,
                })
            }
        };
        let session = self.session(&config)?;
        let given = job
            .prompts
            .iter()
            .map(|prompt| self.given(&model, &session, prompt, job.echo));
        let given: Vec<Given> = given.collect::<Result<_, Stop>>()?;
        let owner = Owner {
            model: model.name(),
            tenant: job.tenant,
        };
        let first = given.first().map_or(&[][..], |given| &given.ids);
        let mut slot = self
            .engine
            .pool
            .take(&owner, first)
            .unwrap_or_else(|| Slot::new(session));
        let mut usage = Usage::default();
        let mut choice = 0;
        for given in &given {
            for answer in 0..job.answers {
                let seed = config.seed.map(|seed| seed.wrapping_add(u64::from(answer)));
                let place = Place {
                    model: &model,
                    config: SessionConfig {
                        seed,
                        ..config.clone()
                    },
                    given,
                    choice,
                    guided: guided.as_ref(),
                };
                self.turn(&mut slot, &place, &mut usage)?;
                choice += 1;
            }
        }
        self.hangup.disarm();
        self.engine.pool.put(owner, slot);
        Ok(usage)
    }

    /// A new session. Where there are too many, those that are idle make room.
    fn session(&self, config: &SessionConfig) -> Result<Session, Error> {
        match self.engine.device.session(config) {
            Err(error @ Error::Open { .. }) if error.errno() == Errno::ENFILE => {
                self.engine.pool.expire(Duration::ZERO);
                self.engine.device.session(config)
            }
            result => result,
        }
    }

    fn given(
        &self,
        model: &Model,
        session: &Session,
        prompt: &Prompt,
        echo: bool,
    ) -> Result<Given, Stop> {
        let first = Tokenize {
            first: true,
            control: false,
        };
        let ids = match prompt {
            Prompt::Ids(ids) => ids.clone(),
            Prompt::Text(text) => session.tokenize(text.as_bytes(), first)?,
            Prompt::Messages(messages) => {
                ChatModel::of(&self.engine.device, model, session)?.prompt(session, messages)?
            }
        };
        // What the model puts behind a text would end the answer before it begins.
        let ids = match (prompt, ids.split_last()) {
            (Prompt::Text(_), Some((last, rest))) if Some(*last) == model.eos_id() => rest.to_vec(),
            _ => ids,
        };
        let ids = match (ids.is_empty(), model.bos_id()) {
            (true, Some(bos)) => vec![bos],
            (true, None) => {
                let sentence = "the prompt is empty, and the model has no token to begin with: give it some text";
                return Err(ApiError::field("prompt", sentence).into());
            }
            (false, _) => ids,
        };
        if let Some(id) = ids.iter().find(|&&id| id >= model.vocabulary) {
            let sentence = format!(
                "there is no token {id}: the model has {} tokens, from 0",
                model.vocabulary
            );
            return Err(ApiError::field("prompt", sentence).into());
        }
        let echo = match (echo, prompt) {
            (false, _) => None,
            (true, Prompt::Text(text)) => Some(text.clone()),
            (true, _) => {
                let begun = ids.first().copied() == model.bos_id();
                let text =
                    session.detokenize(ids.get(usize::from(begun)..).unwrap_or(&ids), true)?;
                Some(String::from_utf8_lossy(&text).into_owned())
            }
        };
        Ok(Given { ids, echo })
    }

    /// One answer: its text as it comes, and its end.
    fn turn(&self, slot: &mut Slot, place: &Place<'_>, usage: &mut Usage) -> Result<(), Stop> {
        self.hangup.arm(slot.session().canceller()?);
        let finish = match self.text(slot, place)? {
            Ok(finish) => finish,
            Err(error) => return Err(slot.error(error).into()),
        };
        let outcome = slot.finish()?;
        let (prompt, cached) = (place.given.ids.len() as u64, u64::from(outcome.reused));
        let answer = outcome.ids.len() as u64;
        self.engine.metrics.count_tokens(prompt, cached, answer);
        usage.prompt += prompt;
        usage.cached += cached;
        usage.answer += answer;
        let end = End::of(finish.unwrap_or(outcome.finish)).ok_or(Stop::Gone)?;
        self.begun(place.model)?;
        self.send(Event::End {
            choice: place.choice,
            end,
        })
    }

    /// Tells the text of an answer, and why it ended where the device does not know; the error of the device, if
    /// there is one.
    fn text(
        &self,
        slot: &mut Slot,
        place: &Place<'_>,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let guidance = place.guided.map(Guided::guidance).transpose()?;
        let turn = slot.begin(&place.config, &place.given.ids)?;
        if self.hangup.came() {
            return Err(Stop::Gone);
        }
        let mut told = Told {
            echo: place.given.echo.clone(),
            place,
        };
        let finish = match guidance {
            None => self.streamed(turn, &mut told)?,
            Some(guidance) => self.guided(turn, guidance, &mut told)?,
        };
        if finish.is_ok() && told.echo.is_some() {
            self.tell(&mut told, Decided::default())?;
        }
        Ok(finish)
    }

    fn streamed(
        &self,
        turn: Turn<'_>,
        told: &mut Told<'_>,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let mut failed = None;
        for piece in turn {
            match piece {
                Ok(text) => {
                    let tokens = Vec::new();
                    self.tell(told, Decided { text, tokens })?;
                }
                // Cancelled before it began.
                Err(error) if error.errno() == Errno::ENODATA => return Err(Stop::Gone),
                Err(error) => failed = Some(error),
            }
        }
        Ok(failed.map_or(Ok(None), Err))
    }

    fn guided(
        &self,
        turn: Turn<'_>,
        guidance: Guidance,
        told: &mut Told<'_>,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let mut turn = turn.guided(guidance);
        let mut stops = Stops::new(&told.place.config.stop);
        while let Some(token) = turn.next() {
            let token = match token {
                Ok(token) => token,
                Err(error) if error.errno() == Errno::ENODATA => return Err(Stop::Gone),
                Err(error) => return Ok(Err(error)),
            };
            let (decided, ended) = stops.push(token);
            self.tell(told, decided)?;
            if ended {
                turn.stop()?;
                return Ok(Ok(Some(Finish::Stop)));
            }
        }
        self.tell(told, stops.finish())?;
        Ok(Ok(Some(turn.finish())))
    }

    /// Tells a part of an answer.
    fn tell(&self, told: &mut Told<'_>, decided: Decided) -> Result<(), Stop> {
        let Decided { text, mut tokens } = decided;
        let text = told.echo.take().unwrap_or_default() + &text;
        if told.place.guided.is_none_or(|guided| guided.top.is_none()) {
            tokens.clear();
        }
        tokens.retain(|token| !token.text.is_empty());
        if text.is_empty() && tokens.is_empty() {
            return Ok(());
        }
        self.begun(told.place.model)?;
        self.send(Event::Text {
            choice: told.place.choice,
            text,
            tokens,
        })
    }

    /// Tells, the first time, that there is an answer.
    fn begun(&self, model: &Model) -> Result<(), Stop> {
        if self.begun.replace(true) {
            return Ok(());
        }
        self.engine
            .metrics
            .observe_first_token(self.start.elapsed());
        self.send(Event::Begun {
            model: model.name(),
            fingerprint: self.engine.fingerprint(model),
        })
    }

    /// Waits until the client takes it. The turn waits too, once the device has no room for its text.
    fn send(&self, event: Event) -> Result<(), Stop> {
        self.events.blocking_send(event).map_err(|_| Stop::Gone)
    }
}
