// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a turn ended.

use std::fmt;

use crate::uapi::{
    SISLM_FINISH_CANCELLED, SISLM_FINISH_CONTEXT, SISLM_FINISH_DEADLINE, SISLM_FINISH_ERROR,
    SISLM_FINISH_LENGTH, SISLM_FINISH_NONE, SISLM_FINISH_NUMERIC, SISLM_FINISH_STOP,
};

/// Why a turn ended (`SISLM_FINISH_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// No turn yet, or it is running.
    None,
    /// End-of-sequence token or stop string.
    Stop,
    /// The most tokens asked for.
    Length,
    /// No position left in the context.
    Context,
    /// Cancelled, reset or closed.
    Cancelled,
    /// A non-finite activation.
    Numeric,
    /// Memory, a prompt that is too long, or a broken device.
    Error,
    /// The time that was given it is over.
    Deadline,
    /// A number this library does not know.
    Unknown(u32),
}

impl From<u32> for Finish {
    fn from(number: u32) -> Self {
        match number {
            SISLM_FINISH_NONE => Self::None,
            SISLM_FINISH_STOP => Self::Stop,
            SISLM_FINISH_LENGTH => Self::Length,
            SISLM_FINISH_CONTEXT => Self::Context,
            SISLM_FINISH_CANCELLED => Self::Cancelled,
            SISLM_FINISH_NUMERIC => Self::Numeric,
            SISLM_FINISH_ERROR => Self::Error,
            SISLM_FINISH_DEADLINE => Self::Deadline,
            number => Self::Unknown(number),
        }
    }
}

impl fmt::Display for Finish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Stop => f.write_str("stop"),
            Self::Length => f.write_str("length"),
            Self::Context => f.write_str("context"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Numeric => f.write_str("numeric"),
            Self::Error => f.write_str("error"),
            Self::Deadline => f.write_str("deadline"),
            Self::Unknown(number) => write!(f, "unknown-{number}"),
        }
    }
}
