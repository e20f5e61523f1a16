// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the hidden states of a text become its embedding.

use std::fmt;
use std::str::FromStr;

use crate::uapi::{
    SISLM_POOLING_FIRST, SISLM_POOLING_LAST, SISLM_POOLING_MEAN, SISLM_POOLING_NONE,
};

/// How the hidden states of a text become its embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// They do not: each token has its own.
    None,
    /// Their mean.
    Mean,
    /// That of the first token.
    First,
    /// That of the last token.
    Last,
}

/// Each with its number and its name.
const ALL: [(Pooling, u32, &str); 4] = [
    (Pooling::None, SISLM_POOLING_NONE, "none"),
    (Pooling::Mean, SISLM_POOLING_MEAN, "mean"),
    (Pooling::First, SISLM_POOLING_FIRST, "first"),
    (Pooling::Last, SISLM_POOLING_LAST, "last"),
];

impl Pooling {
    /// That of `SISLM_POOLING_*`.
    pub fn from_number(number: u32) -> Option<Self> {
        let found = ALL.iter().find(|(_, one, _)| *one == number);
        found.map(|(pooling, ..)| *pooling)
    }

    /// Its number.
    pub fn number(self) -> u32 {
        let found = ALL.iter().find(|(one, ..)| *one == self);
        found.map_or(SISLM_POOLING_NONE, |(_, number, _)| *number)
    }
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = ALL.iter().find(|(one, ..)| one == self);
        f.write_str(found.map_or("none", |(.., name)| name))
    }
}

impl FromStr for Pooling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // As others call that of the first token.
        let text = if text == "cls" { "first" } else { text };
        let found = ALL.iter().find(|(.., name)| *name == text);
        found
            .map(|(pooling, ..)| *pooling)
            .ok_or_else(|| "expected none, mean, first (or cls) or last".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_come_back() {
        for (pooling, number, name) in ALL {
            assert_eq!(Pooling::from_number(number), Some(pooling));
            assert_eq!(
                (pooling.number(), pooling.to_string()),
                (number, name.into())
            );
            assert_eq!(name.parse(), Ok(pooling));
        }
        assert_eq!("cls".parse(), Ok(Pooling::First));
        assert_eq!(Pooling::from_number(0), None);
        assert!("rank".parse::<Pooling>().is_err());
    }
}
