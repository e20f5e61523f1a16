// SPDX-License-Identifier: GPL-2.0
//! The commitment of an answer: a hash of all that its ids follow from, and of them.
//!
//! Its nonce is for the owner alone, so nobody else can tell a short prompt by trying. With the nonce
//! and the ids anybody who has the model can compute the answer again and compare. The header says
//! what is hashed, at `struct sislm_receipt`.

use crate::{
    models::model::Model,
    sys::{
        check::NUMERICS,
        digest::{Sha256, DIGEST_BYTES},
        sample::Drawing,
        task,
        uapi::NONCE_BYTES,
        user::bytes_of_slice,
        wiped::Secret,
    },
    turn::sequence::Sequence, //
};
use kernel::prelude::*;

/// Ids hashed between two looks at whether another task should run.
const PART: usize = 4096;

/// The commitment of an answer that grows.
pub(crate) struct Commitment {
    nonce: Secret<NONCE_BYTES>,
    sampling: [u8; DIGEST_BYTES],
    hash: Sha256,
    value: [u8; DIGEST_BYTES],
}

impl Commitment {
    /// Of an answer without ids yet, to `prompt` behind the tokens of `sequence`. In memory of its own: the stack
    /// of what starts a turn is deep.
    #[inline(never)]
    pub(crate) fn new(
        model: &Model,
        drawing: &Drawing,
        seed: u64,
        sequence: &Sequence,
        prompt: &[u32],
    ) -> Result<KBox<Self>> {
        let nonce = task::random_bytes();
        let sampling = drawing.digest();
        let mut hash = Sha256::new();
        hash.update(&nonce);
        hash.update(&model.digest);
        for digest in model.adapter_digests() {
            hash.update(&digest);
        }
        hash.update(bytes_of_slice(sequence.scales()));
        hash.update(&NUMERICS.to_le_bytes());
        hash.update(&sequence.kv_type().to_le_bytes());
        hash.update(&sampling);
        hash.update(&seed.to_le_bytes());
        let context = sequence.tokens();
        let count = (context.len() as u64).saturating_add(prompt.len() as u64);
        hash.update(&count.to_le_bytes());
        for part in Iterator::chain(context.chunks(PART), prompt.chunks(PART)) {
            hash.update(bytes_of_slice(part));
            task::relax();
        }
        let commitment = Self {
            nonce: Secret::new(nonce),
            sampling,
            hash,
            value: [0; DIGEST_BYTES],
        };
        Ok(KBox::new(commitment, GFP_KERNEL_ACCOUNT)?)
    }

    /// Adds an id of the answer.
    pub(crate) fn add(&mut self, id: u32) {
        self.hash.update(&id.to_le_bytes());
    }

    /// The answer is over.
    pub(crate) fn close(&mut self) {
        self.value = core::mem::replace(&mut self.hash, Sha256::new()).finish();
    }

    /// Its nonce.
    pub(crate) fn nonce(&self) -> [u8; NONCE_BYTES] {
        self.nonce.bytes()
    }

    /// SHA-256 of how tokens are drawn.
    pub(crate) fn sampling(&self) -> &[u8; DIGEST_BYTES] {
        &self.sampling
    }

    /// The commitment, once the answer is over.
    pub(crate) fn value(&self) -> [u8; DIGEST_BYTES] {
        self.value
    }
}
