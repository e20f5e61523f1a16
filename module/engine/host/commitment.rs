// SPDX-License-Identifier: GPL-2.0
//! The commitment of an answer, as `struct sislm_receipt` of the device's interface says.

use sha2::{Digest, Sha256};
use sislm_engine::abi::NUMERICS;

use crate::wall::{Drawing, Model};

/// Random bytes that only the owner of an answer has.
pub const NONCE_BYTES: usize = 16;

/// What an answer follows from, and the answer.
pub struct Commitment<'a> {
    /// What the owner was given.
    pub nonce: [u8; NONCE_BYTES],
    /// The model with its adapters.
    pub model: &'a Model,
    /// How tokens are drawn.
    pub drawing: &'a Drawing,
    /// `SISLM_KV_*`.
    pub kv_type: u32,
    /// Seed of the answer.
    pub seed: u64,
    /// Ids of the context when the answer began.
    pub context: &'a [u32],
    /// Ids of the answer.
    pub ids: &'a [u32],
}

impl Commitment<'_> {
    /// The SHA-256 of all that.
    pub fn digest(&self) -> [u8; 32] {
        let mut sampling = Sha256::new();
        for part in self.drawing.bytes() {
            sampling.update(part);
        }
        let mut hash = Sha256::new();
        hash.update(self.nonce);
        hash.update(self.model.digest);
        for digest in self.model.adapter_digests() {
            hash.update(digest);
        }
        for scale in self.model.scales() {
            hash.update(scale.to_le_bytes());
        }
        hash.update(NUMERICS.to_le_bytes());
        hash.update(self.kv_type.to_le_bytes());
        hash.update(sampling.finalize());
        hash.update(self.seed.to_le_bytes());
        hash.update((self.context.len() as u64).to_le_bytes());
        for id in self.context.iter().chain(self.ids) {
            hash.update(id.to_le_bytes());
        }
        hash.finalize().into()
    }
}
