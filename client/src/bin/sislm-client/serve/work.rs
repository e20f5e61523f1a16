// SPDX-License-Identifier: MIT OR Apache-2.0
//! The turns of a job, by a thread that may wait for the device.

use std::cell::Cell;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sislm::{Error, Finish, Guidance, Model, ModelName, Session, SessionConfig, Slot, Turn};
use tokio::sync::mpsc::Sender;

use super::calls::CallReader;
use super::device_prompt::{DevicePrompt, Giver};
use super::engine::Engine;
use super::error::ApiError;
use super::guided::Guided;
use super::hangup::Hangup;
use super::job::{End, Event, Job, Usage};
use super::partial_answer::PartialAnswer;
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
    given: &'a DevicePrompt,
    choice: u32,
    guided: Option<&'a Guided>,
    reader: Option<&'a CallReader>,
}

impl Work<'_> {
    fn answers(&self, job: Job) -> Result<Usage, Stop> {
        let model = self.engine.model(job.model.as_deref())?;
        let name: ModelName = model
            .name()
            .parse()
            .map_err(|_| ApiError::no_model("the model's name is not one"))?;
        let config = SessionConfig {
            model: Some(name.clone()),
            context: job.config.context.min(model.context),
            scales: job.lora.scales(&model)?,
            ..job.config.clone()
        };
        let mut session = self.session(&config)?;
        let giver = Giver::new(&self.engine.device, &model, &session, &job)?;
        let (grammar, reader) = match (&job.tools, giver.convention()) {
            (Some(tools), Some(convention)) => {
                let (grammar, reader) = tools.answer(convention);
                (grammar.map(|grammar| (grammar, "tools")), Some(reader))
            }
            _ => (
                job.grammar
                    .clone()
                    .map(|grammar| (grammar, "response_format")),
                None,
            ),
        };
        let guided = Guided::of(self.engine, &model, &name, grammar, job.logprobs)?;
        let given = job.prompts.iter().map(|prompt| giver.given(prompt));
        let mut given: Vec<DevicePrompt> = given.collect::<Result<_, ApiError>>()?;
        if let Some((guided, top)) = guided
            .as_ref()
            .and_then(|guided| Some((guided, guided.top?)))
        {
            self.hangup.arm(session.canceller()?);
            for given in &mut given {
                given.score(&mut session, guided.vocabulary(), top)?;
            }
        }
        let owner = Owner {
            model: model.name(),
            scales: config.scales.clone(),
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
                    reader: reader.as_ref(),
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

    /// One answer: its text as it comes, and its end.
    fn turn(&self, slot: &mut Slot, place: &Place<'_>, usage: &mut Usage) -> Result<(), Stop> {
        self.hangup.arm(slot.session().canceller()?);
        let mut told = PartialAnswer::new(place.given.echo.clone(), place.reader.cloned());
        let finish = match self.text(slot, place, &mut told)? {
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
        let end = told.end(end);
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
        told: &mut PartialAnswer,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let guidance = place.guided.map(Guided::guidance).transpose()?;
        let turn = slot.begin(&place.config, &place.given.ids)?;
        if self.hangup.came() {
            return Err(Stop::Gone);
        }
        let finish = match guidance {
            None => self.streamed(turn, place, told)?,
            Some(guidance) => self.guided(turn, guidance, place, told)?,
        };
        if finish.is_ok() {
            self.tell_all(place, told.finish(place.choice))?;
        }
        Ok(finish)
    }

    fn streamed(
        &self,
        turn: Turn<'_>,
        place: &Place<'_>,
        told: &mut PartialAnswer,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let mut failed = None;
        for piece in turn {
            match piece {
                Ok(text) => {
                    let tokens = Vec::new();
                    self.tell(place, told, Decided { text, tokens })?;
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
        place: &Place<'_>,
        told: &mut PartialAnswer,
    ) -> Result<Result<Option<Finish>, Error>, Stop> {
        let mut turn = turn.guided(guidance);
        let mut stops = Stops::new(&place.config.stop);
        while let Some(token) = turn.next() {
            let token = match token {
                Ok(token) => token,
                Err(error) if error.errno() == Errno::ENODATA => return Err(Stop::Gone),
                Err(error) => return Ok(Err(error)),
            };
            let (decided, ended) = stops.push(token);
            self.tell(place, told, decided)?;
            if ended {
                turn.stop()?;
                return Ok(Ok(Some(Finish::Stop)));
            }
        }
        self.tell(place, told, stops.finish())?;
        Ok(Ok(Some(turn.finish())))
    }

    /// Tells a part of an answer.
    fn tell(
        &self,
        place: &Place<'_>,
        told: &mut PartialAnswer,
        decided: Decided,
    ) -> Result<(), Stop> {
        let Decided { text, mut tokens } = decided;
        if place.guided.is_none_or(|guided| guided.top.is_none()) {
            tokens.clear();
        }
        self.tell_all(place, told.push(place.choice, &text, tokens))
    }

    fn tell_all(&self, place: &Place<'_>, events: Vec<Event>) -> Result<(), Stop> {
        for event in events {
            self.begun(place.model)?;
            self.send(event)?;
        }
        Ok(())
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
