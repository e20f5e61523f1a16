// SPDX-License-Identifier: GPL-2.0
//! The engine's functions, declared from the wall's own list, and what their statuses mean.

#[path = "../engine/wall.rs"]
#[expect(
    unreachable_pub,
    reason = "the text is shared with the engine, which exports it"
)]
#[allow(
    dead_code,
    reason = "the text is shared with the engine, which needs all of it"
)]
mod abi;

pub(crate) use abi::*;

macro_rules! declare {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        unsafe extern "C" {
            $($(#[$doc])* pub(super) fn $name($($argument: $type),*) -> $result;)*
        }
    };
}
crate::sislm_wall!(declare);

/// Whether a resumable function is finished.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is.
    Done,
    /// Call again.
    More,
}

/// Why the engine cannot go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The model is refused.
    Refused,
    /// A non-finite activation.
    Numeric,
    /// More than the memory handed in holds.
    Capacity,
    /// The module called it with something out of range.
    Argument,
    /// The header is longer than what was handed in.
    Short,
}

/// The meaning of a status.
pub(super) fn status(code: i32) -> Result<Progress, Fault> {
    match code {
        DONE => Ok(Progress::Done),
        MORE => Ok(Progress::More),
        fault::REFUSED => Err(Fault::Refused),
        fault::NUMERIC => Err(Fault::Numeric),
        fault::CAPACITY => Err(Fault::Capacity),
        fault::SHORT => Err(Fault::Short),
        _ => Err(Fault::Argument),
    }
}

impl From<Fault> for kernel::error::Error {
    fn from(fault: Fault) -> Self {
        use kernel::error::code::*;
        match fault {
            Fault::Refused | Fault::Short | Fault::Argument => EINVAL,
            Fault::Numeric => EDOM,
            Fault::Capacity => EMSGSIZE,
        }
    }
}
