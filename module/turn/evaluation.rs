// SPDX-License-Identifier: GPL-2.0
//! Evaluating given tokens: log-probabilities and the digest of all logits.

use crate::sys::{
    digest::{Sha256, DIGEST_BYTES},
    flight::LOGITS_MAX,
    neon::Section,
    sample::{Sampler, NO_TARGET},
    step::Logits,
    task,
    uapi::Candidate,
    wiped::Wiped,
};
use kernel::prelude::*;

/// Results of the rows of one step.
pub(crate) struct Rows {
    /// Log-probability of the token at the next position, millionths; 0 after the last.
    pub(crate) next: Wiped<i32>,
    /// The `top` most likely tokens after each row's own, descending.
    candidates: Wiped<Candidate>,
    top: usize,
}

impl Rows {
    /// Most rows of one step: each wants its logits.
    const MOST: u32 = LOGITS_MAX;

    /// None yet, with the `top` most likely tokens of each.
    pub(crate) fn new(top: u32) -> Result<Self> {
        let top = top as usize;
        let entries = top.checked_mul(Self::MOST as usize).ok_or(EINVAL)?;
        Ok(Self {
            next: Wiped::with_capacity(Self::MOST as usize)?,
            candidates: Wiped::zeroed(entries)?,
            top,
        })
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> u32 {
        // CAST: At most as many as a step has.
        self.next.len() as u32
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
    complete: bool,
    /// Time spent, nanoseconds.
    pub(crate) ns: u64,
}

impl Evaluation {
    /// With the `top` most likely tokens of each row.
    pub(crate) fn new(top: u32) -> Result<Self> {
        Ok(Self {
            rows: Rows::new(top)?,
            digest: Sha256::new(),
            complete: false,
            ns: 0,
        })
    }

    /// Whether the rows of the last step have been taken.
    pub(crate) fn has_room(&self) -> bool {
        self.rows.next.is_empty()
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
