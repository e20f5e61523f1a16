// SPDX-License-Identifier: MIT OR Apache-2.0
//! One answer of a job: a turn of a session of the device.

use nix::errno::Errno;
use sislm::{Error, Finish, Guidance, Model, SessionConfig, Slot, Turn};

use super::calls::CallReader;
use super::device_prompt::DevicePrompt;
use super::engine::Engine;
use super::error::ApiError;
use super::guided::Guided;
use super::hangup::Hangup;
use super::job::{End, Event, Usage};
use super::partial_answer::PartialAnswer;
use super::stops::{Decided, Stops};
use super::teller::{Teller, Unheard};

/// Why a job ends early.
pub(super) enum Stop {
    /// Nobody listens.
    Gone,
    /// It failed.
    Failed(ApiError),
    /// The device has not begun the turn, and nothing of it was told.
    NotBegun(Error),
}

impl<E: Into<ApiError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// One answer of a job.
pub(super) struct Place<'a> {
    /// The model.
    pub model: &'a Model,
    /// How the request names it.
    pub asked: &'a str,
    /// With its seed.
    pub config: SessionConfig,
    /// The prompt.
    pub given: &'a DevicePrompt,
    /// Number of the answer, from 0.
    pub choice: u32,
    /// What it is guided by.
    pub guided: Option<&'a Guided>,
    /// What finds calls in it.
    pub reader: Option<&'a CallReader>,
}

/// What turns need.
#[derive(Clone, Copy)]
pub(super) struct Turns<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// What hears of them.
    pub teller: &'a Teller<'a>,
    /// What ends them.
    pub hangup: &'a Hangup,
}

impl Turns<'_> {
    /// One answer: its text as it comes, and its end.
    pub(super) fn answer(&self, slot: &mut Slot, place: &Place<'_>) -> Result<Usage, Stop> {
        let _armed = self.hangup.arm(slot.session().canceller()?);
        let mut told = PartialAnswer::new(place.given.echo.clone(), place.reader.cloned());
        let finish = match self.text(slot, place, &mut told)? {
            Ok(finish) => finish,
            Err(error) => return Err(slot.error(error).into()),
        };
        let outcome = slot.finish()?;
        let usage = Usage {
            prompt: place.given.ids.len() as u64,
            cached: u64::from(outcome.reused),
            answer: outcome.ids.len() as u64,
        };
        self.engine
            .metrics
            .count_tokens(usage.prompt, usage.cached, usage.answer);
        let end = End::of(finish.unwrap_or(outcome.finish)).ok_or(Stop::Gone)?;
        let end = told.end(end);
        let choice = place.choice;
        self.tell_all(place, vec![Event::End { choice, end }])?;
        Ok(usage)
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
        let turn = slot.begin(&place.config, &place.given.ids);
        let turn = turn.map_err(Stop::NotBegun)?;
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
            let told = self.teller.tell((place.model, place.asked), event);
            told.map_err(|Unheard| Stop::Gone)?;
        }
        Ok(())
    }
}
