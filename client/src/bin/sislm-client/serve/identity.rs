// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of answers, and the time.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{SystemTime, UNIX_EPOCH};

/// Name and time of an answer.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Unlike all others.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
}

impl Identity {
    /// A new one, its name beginning with `prefix`.
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            id: format!("{prefix}{}", unlike()),
            created: now(),
        }
    }
}

/// Name of a call of a function: 9 letters and digits, as some models' templates want it.
pub(super) fn call_id() -> String {
    unlike().chars().take(9).collect()
}

/// 24 digits. Nothing depends on nobody guessing them.
pub(super) fn unlike() -> String {
    let random = |salt: u8| RandomState::new().hash_one(salt);
    format!("{:016x}{:08x}", random(0), random(1) >> 32)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        let (one, other) = (Identity::new("a-"), Identity::new("a-"));
        assert_ne!(one.id, other.id);
        assert_eq!(one.id.len(), 26);
    }
}
