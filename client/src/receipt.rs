// SPDX-License-Identifier: MIT OR Apache-2.0
//! What shows that a turn gave its ids.

use crate::uapi::{sislm_receipt, SISLM_NONCE_SIZE};
use crate::Digest;

/// Random bytes of a commitment.
pub const NONCE_BYTES: usize = SISLM_NONCE_SIZE as usize;

/// What RECEIPT says of the last turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Number of the open file in its record.
    pub session: u64,
    /// Number of the turn in its record.
    pub turn: u64,
    /// What only the owner has.
    pub nonce: [u8; NONCE_BYTES],
    /// The commitment in the record.
    pub commitment: Digest,
}

impl Receipt {
    /// None for a turn that has no record.
    pub(crate) fn of(raw: &sislm_receipt) -> Option<Self> {
        (raw.turn != 0).then_some(Self {
            session: raw.session,
            turn: raw.turn,
            nonce: raw.nonce,
            commitment: Digest(raw.commitment),
        })
    }
}
