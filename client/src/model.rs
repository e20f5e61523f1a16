// SPDX-License-Identifier: MIT OR Apache-2.0
//! A loaded model.

use crate::name::text_of;
use crate::uapi::{
    SISLM_MODEL_LEAVING, SISLM_MODEL_SHARED, SISLM_TOKENIZER_BPE, SISLM_TOKENIZER_SPM,
    SISLM_TOKENIZER_UGM, SISLM_TOKENIZER_UTF8, SISLM_TOKENIZER_WPM,
};
use crate::{Adapter, Digest, Pooling, Query};
use std::borrow::Cow;

/// Positions of one block of keys and values.
const BLOCK_POSITIONS: u32 = 32;

/// A loaded model: shapes, ids, and memory by part; the members are those of `struct sislm_model`.
pub use crate::uapi::sislm_model as Model;

impl Model {
    /// The name it was loaded under.
    pub fn name(&self) -> String {
        text_of(&self.name)
    }

    /// The name of it alone, NAME@VERSION; without the version from a module that has none.
    pub fn full_name(&self) -> String {
        match self.version {
            0 => self.name(),
            version => format!("{}@{version}", self.name()),
        }
    }

    /// Whether no session begins to use it, and it is unloaded with the last one that does.
    pub fn is_leaving(&self) -> bool {
        self.state & SISLM_MODEL_LEAVING != 0
    }

    /// Whether its memory is another's too.
    pub fn is_shared(&self) -> bool {
        self.state & SISLM_MODEL_SHARED != 0
    }

    /// `general.name` of its file; empty when there is none.
    pub fn title(&self) -> String {
        text_of(&self.title)
    }

    /// SHA-256 of its file.
    pub fn digest(&self) -> Digest {
        Digest(self.digest)
    }

    /// The architecture as GGUF names it.
    pub fn architecture_name(&self) -> Cow<'_, str> {
        let end = self.architecture_name.iter().position(|&byte| byte == 0);
        let name = self.architecture_name.get(..end.unwrap_or(usize::MAX));
        String::from_utf8_lossy(name.unwrap_or(&self.architecture_name))
    }

    /// The kind of its tokenizer.
    pub fn tokenizer_name(&self) -> &'static str {
        match self.tokenizer {
            SISLM_TOKENIZER_SPM => "spm",
            SISLM_TOKENIZER_BPE => "bpe",
            SISLM_TOKENIZER_WPM => "wpm",
            SISLM_TOKENIZER_UTF8 => "utf8",
            SISLM_TOKENIZER_UGM => "ugm",
            _ => "unknown",
        }
    }

    /// Its adapters, in the order they were given to LOAD.
    pub fn adapters(&self) -> &[Adapter] {
        let count = self.adapter_count as usize;
        self.adapters.get(..count).unwrap_or(&self.adapters)
    }

    /// How its file makes one embedding of the hidden states of a text.
    pub fn pooling(&self) -> Option<Pooling> {
        Pooling::from_number(self.pooling)
    }

    /// Whether it makes embeddings, and no text.
    pub fn is_encoder(&self) -> bool {
        self.encoder != 0
    }

    /// Positions of a context when none are asked for: the device's default, or the model's own when
    /// smaller.
    pub fn default_context(&self, query: &Query) -> u32 {
        self.context.min(query.context_default)
    }

    /// Bytes of the keys and values of a full context of `positions`, in f16.
    pub fn kv_bytes_of(&self, positions: u32) -> u64 {
        u64::from(positions.div_ceil(BLOCK_POSITIONS)).saturating_mul(self.kv_block_bytes)
    }

    /// The id put before the text at position 0.
    pub fn bos_id(&self) -> Option<u32> {
        optional(self.bos)
    }

    /// The end-of-sequence token.
    pub fn eos_id(&self) -> Option<u32> {
        optional(self.eos)
    }

    /// The tokens that end a turn, ascending; of more than [`crate::ENDS_MAX`] the first.
    pub fn end_ids(&self) -> &[u32] {
        let count = self.end_count as usize;
        self.ends.get(..count).unwrap_or(&self.ends)
    }
}

/// An id of the interface in which `~0` means that there is none.
fn optional(number: u32) -> Option<u32> {
    (number != u32::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_takes_whole_blocks() {
        let model = Model {
            kv_block_bytes: 1000,
            context: 512,
            ..Default::default()
        };
        let query = Query {
            context_default: 4096,
            ..Default::default()
        };
        assert_eq!(model.default_context(&query), 512);
        assert_eq!(
            [1, 32, 33, 256].map(|n| model.kv_bytes_of(n)),
            [1000, 1000, 2000, 8000]
        );
    }

    #[test]
    fn a_version_is_named_where_there_are_versions() {
        let mut model = Model::default();
        model.name[..4].copy_from_slice(b"tiny");
        assert_eq!(model.full_name(), "tiny");
        (model.version, model.state) = (3, 2);
        assert_eq!(model.full_name(), "tiny@3");
        assert_eq!((model.is_leaving(), model.is_shared()), (false, true));
    }

    #[test]
    fn absent_ids_are_none() {
        let model = Model {
            bos: 1,
            eos: u32::MAX,
            ..Default::default()
        };
        assert_eq!((model.bos_id(), model.eos_id()), (Some(1), None));
    }

    #[test]
    fn as_many_ends_are_given_as_there_is_room_for() {
        let mut model = Model::default();
        assert!(model.end_ids().is_empty());
        (model.ends[0], model.end_count) = (2, 1);
        assert_eq!(model.end_ids(), [2]);
        model.end_count = 99;
        assert_eq!(model.end_ids().len(), crate::ENDS_MAX as usize);
    }
}
