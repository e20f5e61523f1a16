// SPDX-License-Identifier: GPL-2.0
//! What the last turn of a session came to.

use crate::{
    limits::Limits,
    sys::{
        check::NUMERICS,
        digest::DIGEST_BYTES,
        uapi::{self, NONCE_BYTES, SISLM_FINISH_CANCELLED, SISLM_FINISH_NONE},
        user,
        wiped::{Secret, Wiped},
    }, //
};
use kernel::{prelude::*, sync::Arc};

/// The ids of a turn.
pub(crate) struct Ids {
    /// Those of the prompt.
    pub(crate) prompt: Wiped<u32>,
    /// Those generated.
    pub(crate) generated: Wiped<u32>,
}

/// The facts of a turn.
#[derive(Clone)]
pub(crate) struct Outcome {
    /// Number of the turn in its session, 0 for none.
    pub(crate) number: u64,
    /// The ids of a turn that ran.
    pub(crate) ids: Option<Arc<Ids>>,
    /// Number of ids of the prompt, also when it was too long.
    pub(crate) prompt_count: u32,
    /// `SISLM_FINISH_*`.
    pub(crate) finish: u32,
    /// The error of `SISLM_FINISH_ERROR`.
    pub(crate) error: Option<Error>,
    /// Positions of the context.
    pub(crate) context: u32,
    /// Positions used.
    pub(crate) positions: u32,
    /// Positions kept from earlier turns.
    pub(crate) reused: u32,
    /// Seed of the turn.
    pub(crate) seed: u64,
    /// Tokenizing and setting up.
    pub(crate) load_ns: u64,
    /// Until the first logits.
    pub(crate) prefill_ns: u64,
    /// From the first logits on, waits for a reader excepted.
    pub(crate) decode_ns: u64,
    /// SHA-256 of the model's file.
    pub(crate) digest: [u8; DIGEST_BYTES],
    /// Random bytes of the commitment.
    pub(crate) nonce: Secret<NONCE_BYTES>,
    /// The commitment; zero for a turn that was not recorded.
    pub(crate) commitment: [u8; DIGEST_BYTES],
}

impl Outcome {
    /// Of no turn.
    pub(crate) const fn none() -> Self {
        Self {
            number: 0,
            ids: None,
            prompt_count: 0,
            finish: SISLM_FINISH_NONE,
            error: None,
            context: 0,
            positions: 0,
            reused: 0,
            seed: 0,
            load_ns: 0,
            prefill_ns: 0,
            decode_ns: 0,
            digest: [0; DIGEST_BYTES],
            nonce: Secret::new([0; NONCE_BYTES]),
            commitment: [0; DIGEST_BYTES],
        }
    }

    /// Of turn `number`, which was cancelled and whose facts are not kept.
    pub(crate) const fn cancelled(number: u64) -> Self {
        let mut outcome = Self::none();
        outcome.number = number;
        outcome.finish = SISLM_FINISH_CANCELLED;
        outcome
    }

    /// Number of the turn in its record; 0 when it has none.
    pub(crate) fn recorded_turn(&self) -> u64 {
        if self.ids.is_some() {
            self.number
        } else {
            0
        }
    }

    fn ids(&self) -> (&[u32], &[u32]) {
        self.ids
            .as_ref()
            .map_or((&[], &[]), |ids| (&*ids.prompt, &*ids.generated))
    }

    /// Number of generated ids.
    pub(crate) fn count(&self) -> u32 {
        // CAST: Fewer ids than positions.
        self.ids().1.len() as u32
    }

    /// Fills the answer of RESULT and copies the ids it asks for. `ENOSPC`: they do not fit; the
    /// counts are set. User memory is written: no lock is held.
    pub(crate) fn answer(&self, limits: &Limits, to: &mut uapi::Outcome) -> Result {
        to.prompt_count = self.prompt_count;
        to.count = self.count();
        to.finish = self.finish;
        to.error = self
            .error
            .map_or(0, |error| error.to_errno().unsigned_abs());
        to.simd = limits.simd;
        to.threads = limits.workers;
        to.context = self.context;
        to.positions = self.positions;
        to.reused = self.reused;
        to.numerics = NUMERICS;
        to.seed = self.seed;
        to.load_ns = self.load_ns;
        to.prefill_ns = self.prefill_ns;
        to.decode_ns = self.decode_ns;
        to.digest = self.digest;
        let (prompt, generated) = self.ids();
        copy_ids(to.prompt_ids, to.prompt_capacity, prompt)?;
        copy_ids(to.ids, to.capacity, generated)
    }
}

fn copy_ids(address: u64, capacity: u32, ids: &[u32]) -> Result {
    if address == 0 {
        return Ok(());
    }
    if ids.len() > capacity as usize {
        return Err(ENOSPC);
    }
    user::write_array(address, 0, ids)
}
