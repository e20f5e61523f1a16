// SPDX-License-Identifier: MIT OR Apache-2.0
//! The type of the stored keys and values.

use std::fmt;
use std::str::FromStr;

use crate::uapi::{SISLM_KV_F16, SISLM_KV_F32};

/// How keys and values are stored in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// IEEE binary16: half the memory.
    #[default]
    F16,
    /// IEEE binary32: as computed.
    F32,
}

impl KvType {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::F16 => SISLM_KV_F16,
            Self::F32 => SISLM_KV_F32,
        }
    }
}

impl FromStr for KvType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f16" => Ok(Self::F16),
            "f32" => Ok(Self::F32),
            _ => Err("expected f16 or f32".into()),
        }
    }
}

impl fmt::Display for KvType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F16 => "f16",
            Self::F32 => "f32",
        })
    }
}
