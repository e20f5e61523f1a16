// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chain of records: whether an export is whole and as it was made.

use std::fmt;
use std::mem::offset_of;

use sha2::{Digest as _, Sha256};

use crate::{Digest, Record, RecordKind};

/// Where a record has its chain, which covers the rest of it.
const CHAIN: usize = offset_of!(Record, chain);

/// Records checked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Records that are there.
    pub records: u64,
    /// Records that the reader was too slow for.
    pub lost: u64,
    /// Sequence of the last one, there or lost.
    pub last: u64,
    head: Digest,
}

/// What is wrong with an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// The record after so many is none, or only a part of one.
    NoRecord(u64),
    /// A record is missing, twice there, or at another place.
    Sequence {
        /// That of the next record.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// The record with this sequence, or one before, is not as it was made.
    Changed(u64),
}

impl Chain {
    /// The head: the chain of the last record.
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Checks the next record, and gives it.
    ///
    /// # Errors
    ///
    /// [`ChainError`]
    pub fn add(&mut self, bytes: &[u8]) -> Result<Record, ChainError> {
        let none = ChainError::NoRecord(self.records);
        let record = Record::from_bytes(bytes).ok_or(none)?;
        let wanted = self.last.saturating_add(1);
        if record.sequence != wanted {
            let found = record.sequence;
            return Err(ChainError::Sequence { wanted, found });
        }
        if record.kind() == RecordKind::Lost {
            return self.skip(record, bytes);
        }
        let mut hash = Sha256::new();
        hash.update(self.head.0);
        hash.update(&bytes[..CHAIN]);
        hash.update(&bytes[CHAIN + size_of::<Digest>()..]);
        if Digest(hash.finalize().into()) != record.chain() {
            return Err(ChainError::Changed(wanted));
        }
        self.records += 1;
        self.last = wanted;
        self.head = record.chain();
        Ok(record)
    }

    /// Goes on behind what is lost: the record after it shows that the chain is the right one.
    fn skip(&mut self, record: Record, bytes: &[u8]) -> Result<Record, ChainError> {
        let bare = Record {
            size: record.size,
            kind: record.kind,
            sequence: record.sequence,
            lost: record.lost,
            chain: record.chain,
            ..Record::default()
        };
        let unknown = bytes.get(Record::BYTES..).unwrap_or_default();
        let is_bare = bare.bytes() == record.bytes() && unknown.iter().all(|byte| *byte == 0);
        if record.lost == 0 || !is_bare {
            return Err(ChainError::Changed(record.sequence));
        }
        self.lost = self.lost.saturating_add(record.lost);
        self.last = self.last.saturating_add(record.lost);
        self.head = record.chain();
        Ok(record)
    }
}

impl std::error::Error for ChainError {}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord(before) => write!(f, "what follows after {before} records is no record"),
            Self::Sequence { wanted, found } => {
                write!(f, "record {found} stands where record {wanted} should be")
            }
            Self::Changed(sequence) => {
                write!(f, "record {sequence}, or the chain before it, was changed")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uapi::{SISLM_RECORD_LOST, SISLM_RECORD_TURN};

    /// `count` records, chained as the device does.
    fn made(count: u64) -> Vec<Record> {
        let mut head = [0; 32];
        let record = |sequence| {
            let mut record = Record {
                size: 312,
                kind: SISLM_RECORD_TURN,
                sequence,
                turn: sequence * 7,
                served_ns: sequence * 11,
                ..Record::default()
            };
            let mut hash = Sha256::new();
            hash.update(head);
            hash.update(&record.bytes()[..224]);
            hash.update(&record.bytes()[256..]);
            head = hash.finalize().into();
            record.chain = head;
            record
        };
        (1..=count).map(record).collect()
    }

    fn verified(bytes: &[u8]) -> Result<Chain, ChainError> {
        let mut chain = Chain::default();
        for record in bytes.chunks(Record::BYTES) {
            chain.add(record)?;
        }
        Ok(chain)
    }

    fn export(records: &[Record]) -> Vec<u8> {
        records
            .iter()
            .flat_map(|record| record.bytes().to_vec())
            .collect()
    }

    #[test]
    fn what_was_made_is_sound() {
        let chain = verified(&export(&made(5))).unwrap();
        assert_eq!((chain.records, chain.lost, chain.last), (5, 0, 5));
    }

    #[test]
    fn every_flipped_byte_is_found() {
        let sound = export(&made(3));
        for place in 0..sound.len() {
            let mut changed = sound.clone();
            changed[place] ^= 0x10;
            assert!(verified(&changed).is_err(), "byte {place}");
        }
    }

    #[test]
    fn a_record_of_a_later_module_is_checked_whole() {
        let mut bytes = made(1)[0].bytes().to_vec();
        bytes.extend([5; 24]);
        bytes[..4].copy_from_slice(&336u32.to_le_bytes());
        let mut hash = Sha256::new();
        hash.update([0; 32]);
        hash.update(&bytes[..224]);
        hash.update(&bytes[256..]);
        bytes[224..256].copy_from_slice(&hash.finalize());
        assert_eq!(Record::length(&bytes), Some(336));
        assert_eq!(Chain::default().add(&bytes).unwrap().turn, 7);
        bytes[335] = 4;
        let error = |bytes| Chain::default().add(bytes).unwrap_err();
        assert_eq!(error(&bytes), ChainError::Changed(1));
        assert_eq!(error(&bytes[..335]), ChainError::NoRecord(0));
    }

    #[test]
    fn a_record_of_an_earlier_module_is_checked_whole() {
        let mut bytes = made(1)[0].bytes()[..280].to_vec();
        bytes[..4].copy_from_slice(&280u32.to_le_bytes());
        let mut hash = Sha256::new();
        hash.update([0; 32]);
        hash.update(&bytes[..224]);
        hash.update(&bytes[256..]);
        bytes[224..256].copy_from_slice(&hash.finalize());
        let record = Chain::default().add(&bytes).unwrap();
        assert_eq!((record.turn, record.version), (7, 0));
        bytes[279] ^= 1;
        let error = Chain::default().add(&bytes).unwrap_err();
        assert_eq!(error, ChainError::Changed(1));
    }

    #[test]
    fn a_record_that_is_missing_is_found() {
        let mut records = made(4);
        records.remove(1);
        let wanted = ChainError::Sequence {
            wanted: 2,
            found: 3,
        };
        assert_eq!(verified(&export(&records)), Err(wanted));
        let short = &export(&made(2))[..330];
        assert_eq!(verified(short), Err(ChainError::NoRecord(1)));
    }

    #[test]
    fn what_is_lost_is_told_and_the_chain_goes_on() {
        let mut records = made(9);
        let lost = Record {
            size: 312,
            kind: SISLM_RECORD_LOST,
            sequence: 1,
            lost: 6,
            chain: records[5].chain,
            ..Record::default()
        };
        records.splice(..6, [lost]);
        let sound = export(&records);
        let chain = verified(&sound).unwrap();
        assert_eq!((chain.records, chain.lost, chain.last), (3, 6, 9));
        for place in 0..sound.len() {
            let mut changed = sound.clone();
            changed[place] ^= 1;
            assert!(verified(&changed).is_err(), "byte {place}");
        }
    }
}
