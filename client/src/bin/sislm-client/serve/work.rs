// SPDX-License-Identifier: MIT OR Apache-2.0
//! The turns of a job, by threads that may wait for the device.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use sislm::{Error, ModelName, Session, SessionConfig, Slot};
use tokio::sync::mpsc::Sender;

use super::device_prompt::{DevicePrompt, Giver};
use super::engine::{Engine, Running};
use super::error::ApiError;
use super::guided::Guided;
use super::hangup::Hangup;
use super::job::{Event, Job, Usage};
use super::pool::Owner;
use super::teller::Teller;
use super::turn::{Place, Stop, Turns};
use crate::target::ANY;

/// Does `job`, and tells `events` what happens.
pub(super) fn run(running: &Running, job: Job, events: &Sender<Event>, hangup: &Hangup) {
    let engine = running.engine();
    let teller = Teller::new(engine, events);
    let work = Work {
        running,
        turns: Turns {
            engine,
            teller: &teller,
            hangup,
        },
    };
    let last = match work.answers(job) {
        Ok(usage) => Event::Done(usage),
        Err(Stop::Failed(error)) => Event::Failed(error),
        Err(Stop::NotBegun(error)) => Event::Failed(error.into()),
        Err(Stop::Gone) if engine.is_draining() => Event::Failed(ApiError::draining()),
        Err(Stop::Gone) => return engine.metrics.count_hang_up(),
    };
    if events.blocking_send(last).is_err() {
        engine.metrics.count_hang_up();
    }
}

struct Work<'a> {
    running: &'a Running,
    turns: Turns<'a>,
}

/// Sessions of one request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// The one that makes all answers, unless there is another.
    First,
    /// One beside it, which computes the prompt once more.
    Second,
}

/// What all sessions of a request have in common.
struct Common<'a> {
    config: &'a SessionConfig,
    owner: &'a Owner,
    /// The ids of the first prompt.
    first: &'a [u32],
    /// Answers that nobody makes yet.
    left: Mutex<VecDeque<Place<'a>>>,
}

impl<'a> Common<'a> {
    fn next(&self) -> Option<Place<'a>> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Place<'a>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work<'_> {
    fn engine(&self) -> &Engine {
        self.running.engine()
    }

    fn answers(&self, job: Job) -> Result<Usage, Stop> {
        let wanted = match job.model.as_deref() {
            Some(ANY) => Some(self.engine().chosen(&job)?),
            _ => job.model.clone(),
        };
        let model = self.engine().model(wanted.as_deref())?;
        let asked = wanted.unwrap_or_else(|| model.name());
        let name: ModelName = model
            .full_name()
            .parse()
            .map_err(|_| ApiError::no_model("the model's name is not one"))?;
        let config = SessionConfig {
            model: Some(name.clone()),
            context: job.config.context.min(model.context),
            scales: job.lora.scales(&model)?,
            ..job.config.clone()
        };
        let mut session = self.session(&config)?;
        let giver = Giver::new(&self.engine().device, &model, &session, &job)?;
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
        let guided = Guided::of(self.engine(), &model, &name, grammar, job.logprobs)?;
        let given = job.prompts.iter().map(|prompt| giver.given(prompt));
        let mut given: Vec<DevicePrompt> = given.collect::<Result<_, ApiError>>()?;
        if let Some((guided, top)) = guided
            .as_ref()
            .and_then(|guided| Some((guided, guided.top?)))
        {
            let _armed = self.turns.hangup.arm(session.canceller()?);
            for given in &mut given {
                given.score(&mut session, guided.vocabulary(), top)?;
            }
        }
        let owner = Owner {
            model: model.full_name(),
            scales: config.scales.clone(),
            tenant: job.tenant,
        };
        let answers = given
            .iter()
            .flat_map(|given| (0..job.answers).map(move |answer| (given, answer)));
        let places = (0..).zip(answers).map(|(choice, (given, answer))| Place {
            model: &model,
            asked: &asked,
            config: SessionConfig {
                seed: config.seed.map(|seed| seed.wrapping_add(u64::from(answer))),
                ..config.clone()
            },
            given,
            choice,
            guided: guided.as_ref(),
            reader: reader.as_ref(),
        });
        let common = Common {
            config: &config,
            owner: &owner,
            first: given.first().map_or(&[], |given| &given.ids),
            left: Mutex::new(places.collect()),
        };
        self.all(&common, session)
    }

    /// All answers, by `session` and by a second one where there is more than one answer and a turn is free.
    fn all(&self, common: &Common<'_>, session: Session) -> Result<Usage, Stop> {
        let several = common.lock().len() > 1;
        let another = several.then(|| self.running.another()).flatten();
        let (first, second) = thread::scope(|scope| {
            // Without another thread the first session makes all answers.
            let second = another.and_then(|another| {
                let work = move || {
                    let _turn = another;
                    self.second(common)
                };
                thread::Builder::new().spawn_scoped(scope, work).ok()
            });
            let first = self.several(common, self.slot(common, session), Which::First);
            let second = second.map(|second| second.join());
            let joined = second.unwrap_or(Ok(Ok(Usage::default())));
            (
                first,
                joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        let usage = match (first, second) {
            (Ok(first), Ok(second)) => first + second,
            // One session that fails ends the turn of the other.
            (Err(Stop::Gone), Err(stop)) | (Err(stop), _) | (_, Err(stop)) => return Err(stop),
        };
        if common.lock().is_empty() {
            return Ok(usage);
        }
        // The second one gave its answer back after the first one had ended.
        let session = self.session(common.config)?;
        let rest = self.several(common, self.slot(common, session), Which::First)?;
        Ok(usage + rest)
    }

    /// Answers by a second session, as far as there is room for one.
    fn second(&self, common: &Common<'_>) -> Result<Usage, Stop> {
        let kept = self.engine().pool.take(common.owner, common.first);
        let slot = kept.map_or_else(|| self.session(common.config).map(Slot::new), Ok);
        match slot {
            Ok(slot) => self.several(common, slot, Which::Second),
            Err(_) => Ok(Usage::default()),
        }
    }

    /// Answers by one session, until none is left.
    fn several(&self, common: &Common<'_>, mut slot: Slot, which: Which) -> Result<Usage, Stop> {
        let mut usage = Usage::default();
        while let Some(place) = common.next() {
            match self.turns.answer(&mut slot, &place) {
                Ok(used) => usage = usage + used,
                // There is no room for it beside the first one.
                Err(Stop::NotBegun(_)) if which == Which::Second => {
                    common.lock().push_front(place);
                    return Ok(usage);
                }
                Err(stop) => {
                    self.turns.hangup.hang_up();
                    return Err(stop);
                }
            }
        }
        self.engine().pool.put(common.owner.clone(), slot);
        Ok(usage)
    }

    /// The idle slot that has most of the first prompt; else one of `session`.
    fn slot(&self, common: &Common<'_>, session: Session) -> Slot {
        let kept = self.engine().pool.take(common.owner, common.first);
        kept.unwrap_or_else(|| Slot::new(session))
    }

    /// A new session. Where there are too many, those that are idle make room.
    fn session(&self, config: &SessionConfig) -> Result<Session, Error> {
        match self.engine().device.session(config) {
            Err(error @ Error::Open { .. }) if error.errno() == Errno::ENFILE => {
                self.engine().pool.expire(Duration::ZERO);
                self.engine().device.session(config)
            }
            result => result,
        }
    }
}
