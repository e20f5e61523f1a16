// SPDX-License-Identifier: MIT OR Apache-2.0
//! The turns of a job, by a thread that may wait for the device.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sislm::{ChatModel, Error, Model, ModelName, Session, SessionConfig, Slot, Tokenize};
use tokio::sync::mpsc::Sender;

use super::engine::Engine;
use super::error::ApiError;
use super::hangup::Hangup;
use super::job::{End, Event, Job, Prompt, Usage};
use super::pool::Owner;

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
        if let Some(error) = self.text(slot, place)? {
            return Err(slot.error(error).into());
        }
        let outcome = slot.finish()?;
        let (prompt, cached) = (place.given.ids.len() as u64, u64::from(outcome.reused));
        let answer = outcome.ids.len() as u64;
        self.engine.metrics.count_tokens(prompt, cached, answer);
        usage.prompt += prompt;
        usage.cached += cached;
        usage.answer += answer;
        let end = End::of(&outcome).ok_or(Stop::Gone)?;
        self.begun(place.model)?;
        self.send(Event::End {
            choice: place.choice,
            end,
        })
    }

    /// Tells the text of an answer; the error of the device, if there is one.
    fn text(&self, slot: &mut Slot, place: &Place<'_>) -> Result<Option<Error>, Stop> {
        let turn = slot.begin(&place.config, &place.given.ids)?;
        if self.hangup.came() {
            return Err(Stop::Gone);
        }
        let mut echo = place.given.echo.clone();
        let mut failed = None;
        for piece in turn {
            match piece {
                Ok(piece) => {
                    let text = echo.take().unwrap_or_default() + &piece;
                    self.begun(place.model)?;
                    self.send(Event::Text {
                        choice: place.choice,
                        text,
                    })?;
                }
                // Cancelled before it began.
                Err(error) if error.errno() == Errno::ENODATA => return Err(Stop::Gone),
                Err(error) => failed = Some(error),
            }
        }
        if let (None, Some(text)) = (&failed, echo) {
            self.begun(place.model)?;
            self.send(Event::Text {
                choice: place.choice,
                text,
            })?;
        }
        Ok(failed)
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
