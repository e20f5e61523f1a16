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
};
use kernel::prelude::*;

/// Results of a row.
#[derive(Clone, Copy)]
struct RowResult {
    /// Log-probability of the token at the next position, millionths; none after the last.
    next: Option<i32>,
}

/// The state of an evaluation.
pub(crate) struct Evaluation {
    rows: KVec<RowResult>,
    candidates: KVec<Candidate>,
    top: usize,
    digest: Sha256,
    complete: bool,
    /// Time spent, nanoseconds.
    pub(crate) ns: u64,
}

/// One row's results, to be copied out.
pub(crate) struct RowView<'a> {
    /// Log-probability of the token at the next position, millionths; none after the last.
    pub(crate) next: Option<i32>,
    /// The most likely tokens after the row's own, descending.
    pub(crate) top: &'a [Candidate],
}

impl Evaluation {
    /// Most rows of one step: each wants its logits.
    const ROWS: u32 = LOGITS_MAX;

    /// With the `top` most likely tokens of each row.
    pub(crate) fn new(top: u32) -> Result<Self> {
        let top = top as usize;
        let empty = Candidate {
            id: 0,
            log_probability: 0,
        };
        let entries = top.checked_mul(Self::ROWS as usize).ok_or(EINVAL)?;
        Ok(Self {
            rows: KVec::with_capacity(Self::ROWS as usize, GFP_KERNEL_ACCOUNT)?,
            candidates: KVec::from_elem(empty, entries, GFP_KERNEL_ACCOUNT)?,
            top,
            digest: Sha256::new(),
            complete: false,
            ns: 0,
        })
    }

    /// Whether the rows of the last step have been copied out.
    pub(crate) fn has_room(&self) -> bool {
        self.rows.is_empty()
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
        let start = self.rows.len().checked_mul(self.top).ok_or(EINVAL)?;
        let end = start.checked_add(self.top).ok_or(EINVAL)?;
        let top = self.candidates.get_mut(start..end).ok_or(EINVAL)?;
        let wanted = target.unwrap_or(NO_TARGET);
        let score = sampler.score(section, logits, wanted, top, task::relax)?;
        let row = RowResult {
            next: target.map(|_| score),
        };
        self.rows.push_within_capacity(row).map_err(|_| EINVAL)
    }

    /// The rows of the last step.
    pub(crate) fn rows(&self) -> impl Iterator<Item = RowView<'_>> {
        self.rows.iter().enumerate().map(|(index, row)| {
            let start = index.saturating_mul(self.top);
            RowView {
                next: row.next,
                top: self
                    .candidates
                    .get(start..start.saturating_add(self.top))
                    .unwrap_or(&[]),
            }
        })
    }

    /// Forgets them: they are copied out.
    pub(crate) fn clear_rows(&mut self) {
        self.rows.clear();
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
