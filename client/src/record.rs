// SPDX-License-Identifier: MIT OR Apache-2.0
//! A decision record.

use std::fmt;

use crate::plain::{bytes_of, from_bytes};
use crate::uapi::*;
use crate::{Digest, Finish};

/// What was done, by whom, with what; the members are those of `struct sislm_record`.
pub use crate::uapi::sislm_record as Record;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Records that are kept no more.
    Lost,
    /// A model was loaded.
    Load,
    /// A model was unloaded.
    Unload,
    /// An answer to a prompt is over.
    Turn,
    /// An EVALUATE is over.
    Evaluate,
    /// Something that this client does not know.
    Other,
}

impl Record {
    /// Bytes of a record, as far as this client knows it.
    pub const BYTES: usize = size_of::<Self>();

    /// Bytes of the longest record that a later module may give.
    pub const BYTES_MAX: usize = 4096;

    /// Bytes of the record that begins with `bytes`, if it is one.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        let size = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        (Self::BYTES..=Self::BYTES_MAX)
            .contains(&size)
            .then_some(size)
    }

    /// Takes the first record off `bytes`; None when it is not whole.
    pub fn split_first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        bytes.split_at_checked(Self::length(bytes)?)
    }

    /// The record that `bytes` are, as far as this client knows it; None when they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let known = bytes.get(..Self::BYTES)?;
        (Self::length(bytes)? == bytes.len()).then(|| from_bytes(known))?
    }

    /// Its bytes, as the device gives them.
    pub fn bytes(&self) -> &[u8] {
        bytes_of(self)
    }

    /// What it is about.
    pub fn kind(&self) -> RecordKind {
        match self.kind {
            SISLM_RECORD_LOST => RecordKind::Lost,
            SISLM_RECORD_LOAD => RecordKind::Load,
            SISLM_RECORD_UNLOAD => RecordKind::Unload,
            SISLM_RECORD_TURN => RecordKind::Turn,
            SISLM_RECORD_EVALUATE => RecordKind::Evaluate,
            _ => RecordKind::Other,
        }
    }

    /// Why the turn ended.
    pub fn finish(&self) -> Finish {
        Finish::from(self.finish)
    }

    /// Whether a caller guided the answer.
    pub fn is_guided(&self) -> bool {
        self.flags & SISLM_RECORD_GUIDED != 0
    }

    /// The commitment of a turn, or the digest of a model.
    pub fn commitment(&self) -> Digest {
        Digest(self.commitment)
    }

    /// The chain up to this record.
    pub fn chain(&self) -> Digest {
        Digest(self.chain)
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "lost",
            Self::Load => "load",
            Self::Unload => "unload",
            Self::Turn => "turn",
            Self::Evaluate => "evaluate",
            Self::Other => "other",
        })
    }
}
