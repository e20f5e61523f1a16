// SPDX-License-Identifier: MIT OR Apache-2.0
//! A session that is given whole prompts, and computes what it has not computed yet.

use std::mem;

use crate::{Error, Outcome, Session, SessionConfig, Turn};

/// A session with the ids in its context.
///
/// Each prompt is whole, from position 0: what it begins with as the one before is kept, the rest is computed.
#[derive(Debug)]
pub struct Slot {
    session: Session,
    held: Vec<u32>,
    given: Vec<u32>,
    kept: u32,
}

impl Slot {
    /// A slot of a session whose context is empty.
    pub fn new(session: Session) -> Self {
        Self {
            session,
            held: Vec::new(),
            given: Vec::new(),
            kept: 0,
        }
    }

    /// The session, which is given no prompt but by the slot.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How many of `ids`, from the first, the context begins with.
    pub fn shared(&self, ids: &[u32]) -> usize {
        common(&self.held, ids)
    }

    /// Starts the turn of the prompt `ids`, as `config` says. [`Slot::finish`] follows when it is over.
    ///
    /// # Errors
    ///
    /// Those of [`Session::configure`] and [`Session::prompt_ids`]; the context is then taken for empty.
    pub fn begin(&mut self, config: &SessionConfig, ids: &[u32]) -> Result<Turn<'_>, Error> {
        // The last id is computed in any case: the answer comes of it.
        let keep = self.shared(ids).min(ids.len().saturating_sub(1));
        self.held.clear();
        self.kept = 0;
        self.kept = self
            .session
            .configure(config, u32::try_from(keep).unwrap_or(0))?;
        self.given = ids.to_vec();
        let rest = ids.get(self.kept as usize..).unwrap_or(ids);
        self.session.prompt_ids(rest)
    }

    /// Positions of the last prompt that were kept.
    pub fn kept(&self) -> u32 {
        self.kept
    }

    /// What the turn came to.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn finish(&mut self) -> Result<Outcome, Error> {
        let outcome = self.session.outcome()?;
        let given = mem::take(&mut self.given);
        self.held = held(given, self.kept, &outcome);
        Ok(outcome)
    }

    /// An error of the turn as one of the whole prompt.
    pub fn error(&self, error: Error) -> Error {
        match error {
            Error::PromptTokens { tokens, context } => Error::PromptTokens {
                tokens: tokens.saturating_add(self.kept),
                context,
            },
            error => error,
        }
    }
}

/// How many ids two lists have in common, from the first.
fn common(one: &[u32], other: &[u32]) -> usize {
    one.iter()
        .zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

/// The ids in a context after a turn; none when the device tells of another turn.
fn held(given: Vec<u32>, kept: u32, outcome: &Outcome) -> Vec<u32> {
    if given.get(kept as usize..) != Some(&outcome.prompt_ids[..]) {
        return Vec::new();
    }
    let mut ids = given;
    ids.extend(&outcome.ids);
    let positions = outcome.positions as usize;
    if positions > ids.len() {
        return Vec::new();
    }
    ids.truncate(positions);
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Finish, Simd, Timings};

    fn outcome(prompt_ids: &[u32], ids: &[u32], positions: u32) -> Outcome {
        Outcome {
            prompt_ids: prompt_ids.into(),
            ids: ids.into(),
            finish: Finish::Stop,
            simd: Simd(1),
            threads: 1,
            context: 64,
            positions,
            reused: 0,
            numerics: 1,
            seed: 0,
            timings: Timings::default(),
            model_digest: Digest::default(),
        }
    }

    #[test]
    fn what_two_prompts_begin_with_is_shared() {
        assert_eq!(common(&[], &[1]), 0);
        assert_eq!(common(&[1, 2, 3], &[1, 2, 4, 3]), 2);
        assert_eq!(common(&[1, 2], &[1, 2, 3]), 2);
    }

    #[test]
    fn the_context_holds_the_prompt_and_as_much_of_the_answer_as_has_positions() {
        let given = vec![1, 2, 3];
        assert_eq!(
            held(given.clone(), 1, &outcome(&[2, 3], &[7, 8], 4)),
            [1, 2, 3, 7]
        );
        assert_eq!(
            held(given.clone(), 0, &outcome(&[1, 2, 3], &[7], 4)),
            [1, 2, 3, 7]
        );
        // Of a turn that never began, or of another one.
        assert!(held(given.clone(), 1, &outcome(&[], &[], 1)).is_empty());
        assert!(held(given.clone(), 1, &outcome(&[2, 3], &[7], 9)).is_empty());
        assert!(held(given, 4, &outcome(&[], &[], 0)).is_empty());
    }
}
