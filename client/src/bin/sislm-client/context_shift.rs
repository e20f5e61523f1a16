// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an answer goes on when its context is full.
//!
//! The first ids stay, and of the others the later half, as with llama.cpp's `--context-shift`. Keys and values of that
//! half are computed anew, so that what follows is the answer to these ids, to the bit.

use std::time::Instant;

use sislm::{Finish, Outcome, Session, SessionConfig, Turn};

/// What the turns of one answer share.
pub(crate) struct ContextShift {
    config: SessionConfig,
    /// Ids at the front that stay; None for those of the prompt.
    keep: Option<u32>,
    /// What the context began with before the last turn's answer; nothing before the first shift.
    given: Vec<u32>,
    began: Instant,
}

impl ContextShift {
    /// Of an answer that begins now, in a session configured as `config`.
    pub(crate) fn new(config: SessionConfig, keep: Option<u32>) -> Self {
        Self {
            config,
            keep,
            given: Vec::new(),
            began: Instant::now(),
        }
    }

    /// The next turn, after `last` filled the context of `session`, and the answer has `generated` ids; or why there is
    /// none: no token, or no time, is left of what was asked for. Its seed is the next number.
    ///
    /// # Errors
    ///
    /// Those of [`Session::configure`] and [`Session::prompt_ids`].
    pub(crate) fn next<'a>(
        &mut self,
        session: &'a mut Session,
        last: &Outcome,
        generated: usize,
    ) -> anyhow::Result<Result<Turn<'a>, Finish>> {
        let mut config = match self.left(generated) {
            Ok(config) => config,
            Err(finish) => return Ok(Err(finish)),
        };
        config.seed = Some(last.seed.wrapping_add(1));
        if self.given.is_empty() {
            self.given.clone_from(&last.prompt_ids);
        }
        let ids = [&self.given[..], &last.ids].concat();
        let prompt = u32::try_from(self.given.len()).unwrap_or(u32::MAX);
        let keep = *self.keep.get_or_insert(prompt);
        let (front, tail) = kept(&ids, keep as usize);
        let kept = session.configure(&config, u32::try_from(front.len()).unwrap_or(0))? as usize;
        self.given = [front, tail].concat();
        // The device has the first of them, and tells of the others alone.
        let rest = self.given.get(kept..).unwrap_or(&self.given);
        Ok(Ok(session.prompt_ids(rest)?))
    }

    /// The configuration with the tokens and the time that are left, or which of them is used up.
    fn left(&self, generated: usize) -> Result<SessionConfig, Finish> {
        let mut config = self.config.clone();
        if config.max_tokens > 0 {
            let generated = u32::try_from(generated).unwrap_or(u32::MAX);
            config.max_tokens = less(config.max_tokens, generated).ok_or(Finish::Length)?;
        }
        if config.deadline_ms > 0 {
            let passed = u32::try_from(self.began.elapsed().as_millis()).unwrap_or(u32::MAX);
            config.deadline_ms = less(config.deadline_ms, passed).ok_or(Finish::Deadline)?;
        }
        Ok(config)
    }
}

/// What is left of `most`; None for nothing.
fn less(most: u32, used: u32) -> Option<u32> {
    most.checked_sub(used).filter(|&left| left > 0)
}

/// What stays of a full context: the first `keep` ids, at most half, and the later half of the others.
fn kept(ids: &[u32], keep: usize) -> (&[u32], &[u32]) {
    let (front, rest) = ids.split_at(keep.min(ids.len() / 2));
    (front, &rest[rest.len().div_ceil(2)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_and_the_later_half_of_the_rest_stay() {
        let ids: Vec<u32> = (0..10).collect();
        assert_eq!(kept(&ids, 2), (&ids[..2], &ids[6..]));
        assert_eq!(kept(&ids, 3), (&ids[..3], &ids[7..]));
        assert_eq!(kept(&ids, 0), (&ids[..0], &ids[5..]));
    }

    #[test]
    fn there_is_room_for_an_answer_whatever_stays() {
        for length in 1..20u32 {
            let ids: Vec<u32> = (0..length).collect();
            for keep in 0..40 {
                let (front, tail) = kept(&ids, keep);
                assert!(front.len() + tail.len() < ids.len());
            }
        }
    }

    #[test]
    fn what_was_asked_for_is_for_the_whole_answer() {
        let of = |max_tokens| {
            let config = SessionConfig {
                max_tokens,
                ..SessionConfig::default()
            };
            let shift = ContextShift::new(config, None);
            shift.left(30).map(|config| config.max_tokens)
        };
        assert_eq!(
            [of(0), of(100), of(30), of(10)],
            [Ok(0), Ok(70), Err(Finish::Length), Err(Finish::Length)]
        );
    }
}
