// SPDX-License-Identifier: GPL-2.0
//! Why a load ends early.

use super::wall::{status, Fault, Header, Progress, Refusal};
use kernel::error::Error;

/// Why a load ends early.
pub(crate) enum LoadError {
    /// Something went wrong here.
    Errno(Error),
    /// The engine refuses the model.
    Refused(Refusal),
    /// The header is longer: so many bytes from the start of the file are needed at least.
    Short(u64),
}

impl From<Error> for LoadError {
    fn from(error: Error) -> Self {
        Self::Errno(error)
    }
}

/// Before the engine has refused anything.
pub(super) fn no_refusal() -> Refusal {
    Refusal {
        reason: 0,
        kind: 0,
        detail: 0,
        subject: [0; 64],
        value: [0; 32],
    }
}

/// What a call of the engine came to.
pub(super) fn check(code: i32, header: &Header, refusal: &Refusal) -> Result<Progress, LoadError> {
    status(code).map_err(|fault| match fault {
        Fault::Refused => LoadError::Refused(*refusal),
        Fault::Short => LoadError::Short(header.need),
        other => LoadError::Errno(other.into()),
    })
}
