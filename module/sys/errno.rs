// SPDX-License-Identifier: GPL-2.0
//! Errors that the kernel crate does not name.

use kernel::{bindings, error::Error};

macro_rules! errno {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        $(
            $(#[$meta])*
            pub(crate) fn $name() -> Error {
                // CAST: Error numbers are below 4096.
                Error::from_errno(-(bindings::$name as i32))
            }
        )*
    };
}

#[allow(non_snake_case, reason = "named as C names them")]
mod functions {
    use super::*;
    errno! {
        /// No turn has been asked for yet.
        ENODATA;
        /// The machine or the build cannot do this.
        EOPNOTSUPP;
        /// Another call has ended the turn.
        ECANCELED;
        /// Over a limit on keys and values.
        EDQUOT;
        /// The model was unloaded by force.
        EIDRM;
        /// More than one model could be meant.
        ENOTUNIQ;
        /// The file became shorter while it was read.
        ESTALE;
    }
}
pub(crate) use functions::*;
