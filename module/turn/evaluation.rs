// SPDX-License-Identifier: GPL-2.0
//! Evaluating given tokens: log-probabilities and the digest of all logits, or embeddings.

use super::embedding::{Embedding, Pooling};
use crate::sys::{
    digest::{Sha256, DIGEST_BYTES},
    flight::LOGITS_MAX,
    neon::Section,
    sample::{Sampler, NO_TARGET},
    step::{HiddenState, Logits},
    task,
    uapi::{Candidate, Evaluate, SISLM_EVALUATE_EMBED},
    wiped::Wiped,
};
use kernel::prelude::*;

/// What an evaluation makes of each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Results {
    /// Its log-probability, and the `top` most likely tokens after it.
    Scores {
        /// Number of these tokens.
        top: u32,
    },
    /// An embedding, of it or of all.
    Embeddings {
        /// Of which.
        pooling: Pooling,
        /// Its values.
        width: u32,
    },
}

impl Default for Results {
    fn default() -> Self {
        Self::Scores { top: 0 }
    }
}

impl Results {
    /// Whether a call that goes on with them asks for the same.
    pub(crate) fn are_asked_by(self, request: &Evaluate) -> bool {
        let asked = (request.flags, request.top_k, request.pooling);
        match self {
            Self::Scores { top } => asked == (0, top, 0),
            Self::Embeddings { pooling, .. } => {
                asked == (SISLM_EVALUATE_EMBED, 0, pooling.number())
            }
        }
    }
}

/// Results of the rows of one step.
pub(crate) struct Rows {
    /// Log-probability of the token at the next position, millionths; 0 after the last.
    pub(crate) next: Wiped<i32>,
    /// The `top` most likely tokens after each row's own, descending.
    candidates: Wiped<Candidate>,
    top: usize,
    /// Embeddings: bits of an f32 each.
    embeddings: Wiped<u32>,
    width: usize,
}

impl Rows {
    /// Most rows of one step that have logits.
    const MOST: u32 = LOGITS_MAX;

    /// None yet, with room for those of a step.
    pub(crate) fn new(results: Results) -> Result<Self> {
        match results {
            Results::Scores { top } => Self::of_scores(top as usize),
            Results::Embeddings { pooling, width } => Ok(Self {
                next: Wiped::new(),
                candidates: Wiped::new(),
                top: 0,
                embeddings: pooling.room(width)?,
                width: width as usize,
            }),
        }
    }

    fn of_scores(top: usize) -> Result<Self> {
        let entries = top.checked_mul(Self::MOST as usize).ok_or(EINVAL)?;
        Ok(Self {
            next: Wiped::with_capacity(Self::MOST as usize)?,
            candidates: Wiped::zeroed(entries)?,
            top,
            embeddings: Wiped::new(),
            width: 0,
        })
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> u32 {
        let embeddings = self.embeddings.len().checked_div(self.width);
        // CAST: At most as many as a step has.
        self.next.len().saturating_add(embeddings.unwrap_or(0)) as u32
    }

    /// The embeddings of all rows.
    pub(crate) fn embeddings(&self) -> &[u32] {
        &self.embeddings
    }

    /// Values of an embedding; 0 without any.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Sum of the negative log-probabilities, millionths.
    pub(crate) fn nll(&self) -> u64 {
        let all = self.next.iter().map(|next| u64::from(next.unsigned_abs()));
        all.fold(0, u64::saturating_add)
    }

    /// The candidates of all rows.
    pub(crate) fn candidates(&self) -> &[Candidate] {
        let count = self.next.len().saturating_mul(self.top);
        self.candidates.get(..count).unwrap_or(&[])
    }
}

/// The state of an evaluation.
pub(crate) struct Evaluation {
    rows: Rows,
    digest: Sha256,
    embedding: Option<Embedding>,
    complete: bool,
    /// Time spent, nanoseconds.
    pub(crate) ns: u64,
}

impl Evaluation {
    /// With these results; a model makes embeddings in so many passes.
    pub(crate) fn new(results: Results, passes: u32) -> Result<Self> {
        let embedding = match results {
            Results::Scores { .. } => None,
            Results::Embeddings { pooling, width } => Some(Embedding::new(pooling, width, passes)?),
        };
        Ok(Self {
            rows: Rows::new(results)?,
            digest: Sha256::new(),
            embedding,
            complete: false,
            ns: 0,
        })
    }

    /// The embedding that is made, if one is.
    pub(crate) fn embedding(&self) -> Option<&Embedding> {
        self.embedding.as_ref()
    }

    /// Begins the next pass of an embedding over the tokens; false after the last.
    pub(crate) fn begin_pass(&mut self) -> bool {
        match &mut self.embedding {
            Some(embedding) if !embedding.is_last_pass() => {
                embedding.begin_pass();
                true
            }
            _ => false,
        }
    }

    /// Takes the hidden state of `position`, of which `last` is the last.
    pub(crate) fn take_hidden_state(
        &mut self,
        section: &mut Section,
        state: &HiddenState<'_>,
        place: (u32, u32),
    ) -> Result {
        let embedding = self.embedding.as_mut().ok_or(EINVAL)?;
        embedding.take(section, state, place, &mut self.rows.embeddings)
    }

    /// Whether the rows of the last step have been taken.
    pub(crate) fn has_room(&self) -> bool {
        self.rows.count() == 0
    }

    /// Takes the logits of the next row; `target` is the token at the next position.
    pub(crate) fn take(
        &mut self,
        section: &mut Section,
        sampler: &mut Sampler,
        logits: &Logits<'_>,
        target: Option<u32>,
    ) -> Result {
        self.digest.update(logits.bytes());
        let rows = &mut self.rows;
        let start = rows.next.len().checked_mul(rows.top).ok_or(EINVAL)?;
        let end = start.checked_add(rows.top).ok_or(EINVAL)?;
        let top = rows.candidates.get_mut(start..end).ok_or(EINVAL)?;
        let wanted = target.unwrap_or(NO_TARGET);
        let score = sampler.score(section, logits, wanted, top, task::relax)?;
        rows.next.push(target.map_or(0, |_| score))
    }

    /// Exchanges the rows of the last step for empty ones.
    pub(crate) fn take_rows(&mut self, rows: &mut Rows) {
        rows.next.truncate(0);
        rows.embeddings.truncate(0);
        core::mem::swap(&mut self.rows, rows);
    }

    /// Notes that no row is left to compute.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether no row is left to compute.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// SHA-256 over the logits of all rows; begins a new one.
    pub(crate) fn take_digest(&mut self) -> [u8; DIGEST_BYTES] {
        core::mem::replace(&mut self.digest, Sha256::new()).finish()
    }

    /// Adds time.
    pub(crate) fn charge(&mut self, ns: u64) {
        self.ns = self.ns.saturating_add(ns);
    }
}
