// SPDX-License-Identifier: GPL-2.0
//! NEXT: an answer whose caller guides it, a token a call. Between two calls the turn is parked.

use super::Session;
use crate::{
    models::model::Model,
    sys::{
        errno::{ECANCELED, ENODATA},
        neon::Section,
        task,
        uapi::{Candidate, Next, SISLM_FINISH_CANCELLED, SISLM_TOP_MAX},
        user,
        wait::Woken,
        wiped::Wiped,
    },
    turn::{
        channel::{Purpose, State},
        guide::Guide,
        Aim, Turn,
    }, //
};
use kernel::{prelude::*, sync::Arc};

/// The id of a token that was not drawn.
const NO_TOKEN: u32 = !0;

/// What a call asks for, copied and checked.
struct Asked {
    guide: Guide,
    forced: Wiped<u32>,
}

impl Session {
    /// Begins the turn of `request` or goes on with it, and fills its answer. `ERESTARTSYS`: a signal
    /// came, and the step goes on; the next call with the same structure gets its token.
    pub(crate) fn next(self: &Arc<Self>, request: &mut Next) -> Result {
        check(request)?;
        let model = self.model()?;
        // Copied before any lock: the pages may be anybody's.
        let asked = self.copy(request, &model)?;
        let number = match request.turn {
            0 => self.begin_guided(asked)?,
            turn => self.go_on(turn, asked)?,
        };
        loop {
            let here = || self.link.has_turn(number);
            match self.shared().scheduler.help(&self.link, here) {
                Woken::Signal if task::dying() => return self.abandon(number, EINTR),
                Woken::Signal => {
                    request.turn = number;
                    self.link.channel.lock().leave(number);
                    return Err(ERESTARTSYS);
                }
                _ if self.shared().scheduler.is_broken() => return self.abandon(number, EIO),
                _ => {}
            }
            let Some(candidates) = self.take_token(number, request)? else {
                continue;
            };
            if request.id == NO_TOKEN {
                return Ok(());
            }
            return match user::write_array(request.top, 0, &candidates) {
                Ok(()) => Ok(()),
                Err(error) => self.abandon(number, error),
            };
        }
    }

    /// Copies what `request` points at, and checks it. `EINVAL` for what the model does not have, or
    /// where nothing is left to draw.
    fn copy(&self, request: &Next, model: &Model) -> Result<Asked> {
        let vocabulary = model.facts.vocabulary;
        if request.forced_count > self.shared().limits.context {
            return Err(EMSGSIZE);
        }
        if request.mask_count > vocabulary.div_ceil(u32::BITS) {
            return Err(EINVAL);
        }
        let mut mask = Wiped::zeroed(request.mask_count as usize)?;
        user::read_array(request.mask, 0, &mut mask)?;
        let mut forced = Wiped::zeroed(request.forced_count as usize)?;
        user::read_array(request.forced, 0, &mut forced)?;
        if forced.iter().any(|id| *id >= vocabulary) {
            return Err(EINVAL);
        }
        let drawing = self.lock()?.configuration.drawing.clone();
        if !mask.is_empty() && !drawing.leaves_of(&mask) {
            return Err(EINVAL);
        }
        let guide = Guide::new(request, mask, vocabulary)?;
        Ok(Asked { guide, forced })
    }

    /// Begins a turn on the prompt that waits; gives its number.
    fn begin_guided(self: &Arc<Self>, asked: Asked) -> Result<u64> {
        // One that a signalled call has left ends first.
        drop(self.lock_settled()?);
        let number = match self.link.begin(State::Pending, Purpose::Next) {
            Some(number) => number,
            None if self.link.channel.lock().is_running() => return Err(EBUSY),
            None => return Err(ENODATA()),
        };
        match self.make(number)? {
            Some(turn) => self.ask(turn, asked),
            None => return Err(ECANCELED()),
        }
        Ok(number)
    }

    /// Goes on with turn `number`: asks for its next token, unless an earlier call did.
    fn go_on(&self, number: u64, asked: Asked) -> Result<u64> {
        let turn = {
            let mut channel = self.link.channel.lock();
            if !channel.take_up(number, Purpose::Next)? {
                return Err(ECANCELED());
            }
            channel.take_if(|turn| turn.awaits_guide())
        };
        if let Some(turn) = turn {
            self.ask(turn, asked);
        }
        Ok(number)
    }

    /// Gives `turn` what its caller asks for, and lets it go on.
    fn ask(&self, mut turn: KBox<Turn>, asked: Asked) {
        let Asked { guide, forced } = asked;
        let guided = Section::new()
            .and_then(|mut section| turn.guide(guide, &forced, &mut section, &*self.link));
        if let Err(error) = guided {
            turn.fail(error);
        }
        if turn.is_over() {
            // Not given back: the file is open, and the turn does not go on.
            drop(self.link.receive(turn));
        } else {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
    }

    /// Takes what the step of turn `number` came to: the candidates, to be copied to the caller. None:
    /// the turn is elsewhere.
    fn take_token(&self, number: u64, request: &mut Next) -> Result<Option<Wiped<Candidate>>> {
        let Ok(mut inner) = self.lock() else {
            return self.abandon(number, EINTR);
        };
        let mut channel = self.link.channel.lock();
        if channel.is_gone(number) {
            return Err(ECANCELED());
        }
        let Some(mut turn) = channel.take() else {
            return Ok(None);
        };
        let answer = answer(&mut turn, request);
        let over = turn.is_over();
        request.turn = if over { 0 } else { number };
        request.finish = turn.finish;
        if answer.is_err() || !over {
            let left = channel.put(turn);
            channel.leave(number);
            drop(channel);
            // None: the file is open, and no other turn was there.
            drop(left);
            return answer.map(Some);
        }
        drop(channel);
        let error = turn.error;
        inner.absorb(number, turn);
        self.link.become_idle(None);
        match error {
            Some(_) => Err(EIO),
            None if request.finish == SISLM_FINISH_CANCELLED => Err(ECANCELED()),
            None => answer.map(Some),
        }
    }
}

/// Refuses what no call may ask for.
fn check(request: &Next) -> Result {
    let masks = (request.mask != 0) == (request.mask_count != 0);
    let forces = (request.forced != 0) == (request.forced_count != 0);
    let ranks = (request.top != 0) == (request.top_k != 0);
    if request.flags != 0 || request.top_k > SISLM_TOP_MAX || !(masks && forces && ranks) {
        return Err(EINVAL);
    }
    Ok(())
}

/// Fills the answer of the call whose token `turn` has.
fn answer(turn: &mut Turn, request: &mut Next) -> Result<Wiped<Candidate>> {
    let Aim::Generate(generation) = &mut turn.aim else {
        return Err(EIO);
    };
    // CAST: Fewer ids than positions.
    request.count = generation.ids.generated.len() as u32;
    let guide = generation.guide().as_mut().ok_or(EIO)?;
    guide.answer(request)
}
