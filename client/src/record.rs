// SPDX-License-Identifier: MIT OR Apache-2.0
//! A decision record.

use std::fmt;

use crate::plain::{bytes_of, from_bytes};
use crate::uapi::*;
use crate::{draw, Digest, Finish};

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
    /// An alias was changed.
    Alias,
    /// A model that could be chosen.
    Choice,
    /// An answer was computed again to compare it.
    Compare,
    /// Something that this client does not know.
    Other,
}

impl Record {
    /// Bytes of a record, as far as this client knows it.
    pub const BYTES: usize = size_of::<Self>();

    /// Bytes of the records of the first modules, which had fewer members.
    pub const BYTES_LEAST: usize = 280;

    /// Bytes of the longest record that a later module may give.
    pub const BYTES_MAX: usize = 4096;

    /// Bytes of the record that begins with `bytes`, if it is one.
    pub fn length(bytes: &[u8]) -> Option<usize> {
        let size = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        (Self::BYTES_LEAST..=Self::BYTES_MAX)
            .contains(&size)
            .then_some(size)
    }

    /// Takes the first record off `bytes`; None when it is not whole.
    pub fn split_first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        bytes.split_at_checked(Self::length(bytes)?)
    }

    /// The record that `bytes` are, as far as this client knows it; None when they are none. Members that it does not
    /// have are 0.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if Self::length(bytes)? != bytes.len() {
            return None;
        }
        let mut known = [0; Self::BYTES];
        let common = bytes.len().min(Self::BYTES);
        known
            .get_mut(..common)?
            .copy_from_slice(bytes.get(..common)?);
        from_bytes(&known)
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
            SISLM_RECORD_ALIAS => RecordKind::Alias,
            SISLM_RECORD_CHOICE => RecordKind::Choice,
            SISLM_RECORD_COMPARE => RecordKind::Compare,
            _ => RecordKind::Other,
        }
    }

    /// Why the turn ended.
    pub fn finish(&self) -> Finish {
        Finish::from(self.finish)
    }

    /// Whether its file was given the version that follows from generation, session and weights.
    pub fn is_drawn_rightly(&self) -> bool {
        draw(self.generation, self.session, self.weights) == self.slot
    }

    /// Of a changed alias: the numbers of the loads of its versions.
    pub fn loads(&self) -> Vec<u64> {
        let (loads, _) = self.commitment.as_chunks();
        let loads = loads.iter().map(|bytes| u64::from_le_bytes(*bytes));
        loads.take_while(|load| *load != 0).collect()
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
            Self::Alias => "alias",
            Self::Choice => "choice",
            Self::Compare => "compare",
            Self::Other => "other",
        })
    }
}
