// SPDX-License-Identifier: MIT OR Apache-2.0
//! The type of the stored keys and values.

use std::fmt;
use std::str::FromStr;

use crate::uapi::{SISLM_KV_F16, SISLM_KV_F32, SISLM_KV_Q8_0};

/// How keys and values are stored in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// IEEE binary16: half the memory.
    #[default]
    F16,
    /// IEEE binary32: as computed.
    F32,
    /// Integers of 8 bits, with a scale for each 32 dimensions of a head: about a quarter of the memory of [`Self::F32`].
    Q8_0,
}

impl KvType {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::F16 => SISLM_KV_F16,
            Self::F32 => SISLM_KV_F32,
            Self::Q8_0 => SISLM_KV_Q8_0,
        }
    }
}

impl FromStr for KvType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f16" => Ok(Self::F16),
            "f32" => Ok(Self::F32),
            "q8_0" => Ok(Self::Q8_0),
            _ => Err("expected f16, f32 or q8_0".into()),
        }
    }
}

impl fmt::Display for KvType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::Q8_0 => "q8_0",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_name_and_a_number() {
        for (number, name) in ["f16", "f32", "q8_0"].into_iter().enumerate() {
            let kv: KvType = name.parse().expect("a type");
            assert_eq!(
                (kv.number() as usize, kv.to_string().as_str()),
                (number, name)
            );
        }
        assert!("q4_0".parse::<KvType>().is_err());
    }
}
