// SPDX-License-Identifier: GPL-2.0
//! What a load found out.

use crate::{
    models::metadata::Metadata,
    sys::{
        digest::DIGEST_BYTES,
        model::{Facts, ModelMemory},
        uapi,
    },
};
use kernel::{prelude::*, sync::Arc};

/// A model, or an adapter, that is read and packed.
pub(crate) struct Loaded {
    /// The packed weights and tables.
    pub(crate) memory: Arc<ModelMemory>,
    /// Its strings.
    pub(crate) metadata: KBox<Metadata>,
    /// The engine's facts.
    pub(crate) facts: Facts,
    /// SHA-256 of the file.
    pub(crate) digest: [u8; DIGEST_BYTES],
    /// Size of the file.
    pub(crate) file_bytes: u64,
    /// Packed weights, norms and biases.
    pub(crate) weight_bytes: u64,
    /// Vocabulary tables.
    pub(crate) vocabulary_bytes: u64,
    /// The model's descriptor and strings.
    pub(crate) descriptor_bytes: u64,
    /// Most memory held while loading.
    pub(crate) peak_bytes: u64,
}

impl Loaded {
    /// What is told of an adapter whose scale is `scale`.
    pub(super) fn described(&self, scale: i32) -> uapi::Adapter {
        uapi::Adapter {
            title: self.facts.title,
            digest: self.digest,
            file_bytes: self.file_bytes,
            parameters: self.facts.parameters,
            scale,
            rank: self.facts.rank,
        }
    }
}

/// An adapter, loaded as a model is, and its scale where nothing else is asked for, millionths.
pub(crate) type LoadedAdapter = (KBox<Loaded>, i32);
