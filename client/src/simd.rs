// SPDX-License-Identifier: MIT OR Apache-2.0
//! The instruction level of the engine's loops.

use std::fmt;
use std::str::FromStr;

use crate::uapi::{
    SISLM_SIMD_AUTOMATIC, SISLM_SIMD_DOTPROD, SISLM_SIMD_I8MM, SISLM_SIMD_NEON, SISLM_SIMD_SCALAR,
};

/// `SISLM_SIMD_*`: numbers a newer module may have are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simd(pub u32);

const NAMES: [(u32, &str); 5] = [
    (SISLM_SIMD_AUTOMATIC, "automatic"),
    (SISLM_SIMD_SCALAR, "scalar"),
    (SISLM_SIMD_NEON, "neon"),
    (SISLM_SIMD_DOTPROD, "dotprod"),
    (SISLM_SIMD_I8MM, "i8mm"),
];

impl FromStr for Simd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(_, name)| *name == text);
        found.map(|&(number, _)| Self(number)).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|&(_, name)| name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for Simd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "level {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_agree() {
        for (number, name) in NAMES {
            assert_eq!(name.parse(), Ok(Simd(number)));
            assert_eq!(Simd(number).to_string(), name);
        }
        assert!("sve".parse::<Simd>().unwrap_err().contains("dotprod"));
        assert_eq!(Simd(9).to_string(), "level 9");
    }
}
