// SPDX-License-Identifier: MIT OR Apache-2.0
//! The result of a turn.

use crate::uapi::sislm_result;
use crate::{Digest, Finish, Simd};

/// What RESULT says about the last turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Ids of the prompt, BOS included.
    pub prompt_ids: Vec<u32>,
    /// Generated ids.
    pub ids: Vec<u32>,
    /// Why the turn ended.
    pub finish: Finish,
    /// Instruction level of the loops.
    pub simd: Simd,
    /// Workers of the team.
    pub threads: u32,
    /// Positions of the context.
    pub context: u32,
    /// Positions used in it, this turn included.
    pub positions: u32,
    /// Positions kept from earlier turns.
    pub reused: u32,
    /// Version of the numerics contract.
    pub numerics: u32,
    /// Seed of the turn.
    pub seed: u64,
    /// Where the time went.
    pub timings: Timings,
    /// SHA-256 of the model's file.
    pub model_digest: Digest,
}

/// Nanoseconds of a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Tokenizing and setting up.
    pub load_ns: u64,
    /// Until the first logits.
    pub prefill_ns: u64,
    /// From the first logits to the end, waits for a reader excluded.
    pub decode_ns: u64,
}

impl Outcome {
    pub(crate) fn new(result: &sislm_result, prompt_ids: Vec<u32>, ids: Vec<u32>) -> Self {
        Self {
            prompt_ids,
            ids,
            finish: Finish::from(result.finish),
            simd: Simd(result.simd),
            threads: result.threads,
            context: result.context,
            positions: result.positions,
            reused: result.reused,
            numerics: result.numerics,
            seed: result.seed,
            timings: Timings {
                load_ns: result.load_ns,
                prefill_ns: result.prefill_ns,
                decode_ns: result.decode_ns,
            },
            model_digest: Digest(result.digest),
        }
    }

    /// Adds a turn that went on with the answer: its ids and its time, and how it left the context.
    pub fn goes_on(&mut self, next: &Outcome) {
        self.ids.extend(&next.ids);
        self.finish = next.finish;
        self.positions = next.positions;
        self.timings.load_ns += next.timings.load_ns;
        self.timings.prefill_ns += next.timings.prefill_ns;
        self.timings.decode_ns += next.timings.decode_ns;
    }

    /// Generated tokens per second of decoding; None when there was no time.
    pub fn tokens_per_second(&self) -> Option<f64> {
        let seconds = self.timings.decode_ns as f64 / 1e9;
        (seconds > 0.0).then(|| self.ids.len() as f64 / seconds)
    }
}
