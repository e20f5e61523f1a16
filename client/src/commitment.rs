// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commitment of an answer, computed as the device does: `struct sislm_receipt` says of what.

use sha2::{Digest as _, Sha256};

use crate::plain::bytes_of;
use crate::session::{biases, configuration};
use crate::uapi::{SISLM_ADAPTERS_MAX, SISLM_DIGEST_SIZE};
use crate::{Digest, Model, SessionConfig, NONCE_BYTES};

/// What an answer follows from, and the answer.
#[derive(Clone, Copy, Debug)]
pub struct Commitment<'a> {
    /// What the owner was given.
    pub nonce: [u8; NONCE_BYTES],
    /// The model.
    pub model: &'a Model,
    /// How it was asked.
    pub config: &'a SessionConfig,
    /// Version of the numerics contract.
    pub numerics: u32,
    /// Seed of the turn.
    pub seed: u64,
    /// All ids of the context when the answer began, those of earlier turns too.
    pub context: &'a [u32],
    /// The ids of the answer.
    pub ids: &'a [u32],
}

impl Commitment<'_> {
    /// The commitment; None for a configuration that the device would not take.
    pub fn digest(&self) -> Option<Digest> {
        const ADAPTERS: usize = SISLM_ADAPTERS_MAX as usize;
        let raw = configuration(self.config)?;
        let mut digests = [[0; SISLM_DIGEST_SIZE as usize]; ADAPTERS];
        let mut scales = [0_i32; ADAPTERS];
        for (index, adapter) in self.model.adapters().iter().enumerate() {
            *digests.get_mut(index)? = adapter.digest;
            let asked = self.config.scales.as_ref().and_then(|own| own.get(index));
            *scales.get_mut(index)? = asked.copied().unwrap_or(adapter.scale);
        }
        let mut sampling = Sha256::new();
        sampling.update(bytes_of(&raw.sampling));
        sampling.update(bytes_of(&raw.samplers));
        for bias in &biases(self.config) {
            sampling.update(bytes_of(bias));
        }
        let mut hash = Sha256::new();
        hash.update(self.nonce);
        hash.update(self.model.digest);
        hash.update(digests.as_flattened());
        for scale in scales {
            hash.update(scale.to_le_bytes());
        }
        hash.update(self.numerics.to_le_bytes());
        hash.update(self.config.kv.number().to_le_bytes());
        hash.update(sampling.finalize());
        hash.update(self.seed.to_le_bytes());
        hash.update(u64::try_from(self.context.len()).ok()?.to_le_bytes());
        for id in self.context.iter().chain(self.ids) {
            hash.update(id.to_le_bytes());
        }
        Some(Digest(hash.finalize().into()))
    }
}
