// SPDX-License-Identifier: MIT OR Apache-2.0
//! A turn that is guided: tokens that answer a prompt, as they come.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::Arc;

use nix::errno::Errno;

use super::{Allowed, Guide};
use crate::{request, Candidate, Error, Finish, Session, Vocabulary};

/// Most tokens that are forced in one call.
const FORCED: usize = 64;
/// What NEXT gives in the place of a token that was not drawn.
const NO_TOKEN: u32 = !0;

/// A token of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub id: u32,
    /// Its bytes; none of a mark such as the one that ends an answer.
    pub text: Vec<u8>,
    /// Natural logarithm of the probability that the model gave it, millionths; None where probabilities
    /// were not asked for.
    pub log_probability: Option<i32>,
    /// The most likely tokens in its place, descending, as many as were asked for.
    pub top: Vec<Likely>,
}

/// One of the most likely tokens in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Likely {
    /// The token.
    pub id: u32,
    /// Natural logarithm of its probability, millionths.
    pub log_probability: i32,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// What a turn is guided by.
#[derive(Debug)]
pub struct Guidance {
    /// The model's tokens.
    pub vocabulary: Arc<Vocabulary>,
    /// The grammar; None for a free answer.
    pub guide: Option<Guide>,
    /// With log-probabilities, and so many of the most likely tokens.
    pub top: Option<u32>,
}

/// The tokens of a guided turn; ends when the turn does.
///
/// Dropped early, the turn waits until the session is reset, cancelled or closed.
///
/// # Errors
///
/// [`Error::PromptTokens`], [`Error::Turn`], [`Error::Call`], [`Error::Grammar`]; nothing follows an error.
#[derive(Debug)]
pub struct GuidedTurn<'a> {
    session: &'a Session,
    guidance: Guidance,
    turn: u64,
    count: u32,
    ready: VecDeque<Token>,
    finish: Finish,
    failed: bool,
}

impl<'a> GuidedTurn<'a> {
    pub(crate) fn new(session: &'a Session, guidance: Guidance) -> Self {
        Self {
            session,
            guidance,
            turn: 0,
            count: 0,
            ready: VecDeque::new(),
            finish: Finish::None,
            failed: false,
        }
    }

    /// Why it has ended; [`Finish::None`] before that.
    pub fn finish(&self) -> Finish {
        self.finish
    }

    /// Ends it where it is, as if the model had.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn stop(&mut self) -> Result<(), Error> {
        self.cancel()?;
        self.finish = Finish::Stop;
        Ok(())
    }

    /// Makes at least one more token ready, or ends.
    fn advance(&mut self) -> Result<(), Error> {
        let mut forced = Vec::new();
        let mut mask = Vec::new();
        while let Some(guide) = &mut self.guidance.guide {
            match guide.allowed()? {
                Allowed::Mask(allowed) => mask = allowed,
                Allowed::Nothing => return self.end(forced),
                Allowed::Only(id) if self.guidance.top.is_none() && forced.len() < FORCED => {
                    forced.push(id);
                    guide.take(id)?;
                    continue;
                }
                Allowed::Only(id) => mask = only(id, self.guidance.vocabulary.tokens()),
            }
            break;
        }
        self.draw(&mask, &forced)
    }

    /// Ends an answer that is whole, after `forced`.
    fn end(&mut self, mut forced: Vec<u32>) -> Result<(), Error> {
        let end = self.guidance.guide.as_ref().and_then(Guide::end);
        match end {
            Some(id) => {
                forced.push(id);
                self.draw(&[], &forced)?;
            }
            None => {
                let texts = forced.iter().map(|&id| self.token(id));
                let texts: Vec<Token> = texts.collect();
                self.ready.extend(texts);
                self.cancel()?;
            }
        }
        if self.finish == Finish::None {
            self.finish = Finish::Stop;
        }
        Ok(())
    }

    /// Ends the turn in the device.
    fn cancel(&mut self) -> Result<(), Error> {
        let doing = "end the turn";
        request::cancel(self.session.file().as_fd()).map_err(|errno| Error::Call { doing, errno })
    }

    fn draw(&mut self, mask: &[u32], forced: &[u32]) -> Result<(), Error> {
        let wanted = self.guidance.top.unwrap_or(0) as usize;
        let mut top = vec![Candidate::default(); wanted];
        let file = self.session.file().as_fd();
        let next = match request::next(file, self.turn, mask, forced, &mut top) {
            Ok(next) => next,
            Err(Errno::ECANCELED) => {
                self.finish = Finish::Cancelled;
                return Ok(());
            }
            Err(errno) => return Err(self.session.turn_error("draw the next token", errno)),
        };
        let drawn = (next.id != NO_TOKEN).then_some(next.id);
        // Of forced ids those behind one that has ended the turn are no part of the answer.
        let taken = next.count.saturating_sub(self.count) as usize;
        let taken: Vec<Token> = forced
            .iter()
            .take(taken)
            .map(|&id| self.token(id))
            .collect();
        self.ready.extend(taken);
        self.count = next.count;
        self.turn = next.turn;
        self.finish = Finish::from(next.finish);
        if let Some(id) = drawn {
            let mut token = self.token(id);
            if self.guidance.top.is_some() {
                token.log_probability = Some(next.log_probability);
                let likely = top.iter().filter(|one| one.id != NO_TOKEN);
                let likely = likely.map(|one| Likely {
                    id: one.id,
                    log_probability: one.log_probability,
                    text: self.guidance.vocabulary.text(one.id).to_vec(),
                });
                token.top = likely.collect();
            }
            self.ready.push_back(token);
            if let Some(guide) = &mut self.guidance.guide {
                guide.take(id)?;
            }
        }
        Ok(())
    }

    fn token(&self, id: u32) -> Token {
        Token {
            id,
            text: self.guidance.vocabulary.text(id).to_vec(),
            log_probability: None,
            top: Vec::new(),
        }
    }
}

impl Iterator for GuidedTurn<'_> {
    type Item = Result<Token, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(token) = self.ready.pop_front() {
                return Some(Ok(token));
            }
            if self.failed || self.finish != Finish::None {
                return None;
            }
            if let Err(error) = self.advance() {
                self.failed = true;
                return Some(Err(error));
            }
        }
    }
}

/// A mask that allows one token of so many.
fn only(id: u32, tokens: u32) -> Vec<u32> {
    let mut mask = vec![0; tokens.div_ceil(u32::BITS) as usize];
    if let Some(word) = mask.get_mut((id / u32::BITS) as usize) {
        *word = 1 << (id % u32::BITS);
    }
    mask
}
