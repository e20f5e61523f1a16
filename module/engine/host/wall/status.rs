// SPDX-License-Identifier: GPL-2.0
//! What the engine answers, as errors that say what happened.

use std::fmt;

use sislm_engine::abi::{DONE, MORE, Refusal, fault};

/// A negative status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The model is refused.
    Refused,
    /// A non-finite activation.
    Numeric,
    /// More ids than there is room for.
    Capacity,
    /// An argument outside its range.
    Argument,
    /// The header is longer than what was handed in.
    Short,
    /// A status this program does not know.
    Unknown(i32),
}

impl Fault {
    /// The fault of a negative status.
    pub fn new(status: i32) -> Self {
        match status {
            fault::REFUSED => Self::Refused,
            fault::NUMERIC => Self::Numeric,
            fault::CAPACITY => Self::Capacity,
            fault::ARGUMENT => Self::Argument,
            fault::SHORT => Self::Short,
            status => Self::Unknown(status),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the engine refuses the model"),
            Self::Numeric => f.write_str("a non-finite number came up"),
            Self::Capacity => f.write_str("the engine's workspace is too small"),
            Self::Argument => f.write_str("the engine refuses an argument"),
            Self::Short => f.write_str("the engine wants more of the file"),
            Self::Unknown(status) => write!(f, "the engine answers {status}"),
        }
    }
}

impl std::error::Error for Fault {}

/// `true` for `DONE`, `false` for `MORE`.
pub fn done(status: i32) -> Result<bool, Fault> {
    match status {
        DONE => Ok(true),
        MORE => Ok(false),
        status => Err(Fault::new(status)),
    }
}

/// Calls until the engine is done.
pub fn finish(mut call: impl FnMut() -> i32) -> Result<(), Fault> {
    while !done(call())? {}
    Ok(())
}

/// An empty refusal for the engine to fill in.
pub fn no_refusal() -> Refusal {
    Refusal {
        reason: 0,
        kind: 0,
        detail: 0,
        subject: [0; 64],
        value: [0; 32],
    }
}

/// `SISLM_DETAIL_F32`.
const FLOAT: u32 = 1;
/// `SISLM_DETAIL_TEXT`.
const TEXT: u32 = 2;

/// The sentence of a refusal, or of another fault.
pub fn explain(fault: Fault, refusal: &Refusal) -> anyhow::Error {
    if fault != Fault::Refused {
        return fault.into();
    }
    let text = |bytes: &[u8]| {
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    };
    let subject = text(&refusal.subject);
    let value = match refusal.kind {
        // CAST: The bits of a float are in the lower half.
        #[expect(clippy::cast_possible_truncation)]
        FLOAT => format!(", which is {}", f32::from_bits(refusal.detail as u32)),
        TEXT => format!(", which is '{}'", text(&refusal.value)),
        _ => String::new(),
    };
    anyhow::anyhow!(
        "the model is refused: reason {}, detail {}, about '{subject}'{value}",
        refusal.reason,
        refusal.detail
    )
}
