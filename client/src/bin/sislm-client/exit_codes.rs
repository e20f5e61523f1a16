// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exit codes, by name.

use std::{fmt, process};

use nix::errno::Errno;
use sislm::Error;

/// What the exit status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done; also when the reader of the output went away.
    Success = 0,
    /// An error that has no number of its own.
    GeneralError = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is no device, or it is broken.
    NoDevice = 3,
    /// This user may not do that.
    NotPermitted = 4,
    /// No such model is loaded, and none could be.
    NoModel = 5,
    /// The file is no model that the module supports.
    Refused = 6,
    /// Not enough memory.
    NoMemory = 7,
    /// The prompt, or a text to tokenize, is too long.
    PromptTooLong = 8,
    /// The turn began and failed.
    TurnFailed = 9,
    /// The self-test found a difference.
    SelftestFailed = 10,
    /// An answer by a grammar is not whole: it came to its most tokens.
    CutShort = 11,
    /// An export of records is not whole, or an answer is not the recorded one.
    NotVerified = 12,
    /// Ended by Ctrl-C, as a shell counts it: 128 + SIGINT.
    Cancelled = 130,
}

/// The text of the codes for `--help`.
pub(crate) const HELP: &str = "Exit codes: 0 success, 1 other error, 2 wrong command line, 3 no device, 4 not permitted, \
5 no such model, 6 file refused, 7 not enough memory, 8 prompt too long, 9 turn failed, 10 self-test failed, \
11 answer by a grammar not whole, 12 records not verified, \
130 cancelled with Ctrl-C";

/// An error of the client itself: a sentence with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub code: ExitCode,
    /// The sentence.
    pub sentence: String,
}

impl Failure {
    /// An error with this exit code and sentence.
    pub(crate) fn error(code: ExitCode, sentence: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self {
            code,
            sentence: sentence.into(),
        })
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl ExitCode {
    /// The code of an error that reached `main`.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.code;
        }
        error
            .downcast_ref::<Error>()
            .map_or(Self::GeneralError, Self::of_device)
    }

    fn of_device(error: &Error) -> Self {
        match (error, error.errno()) {
            (_, Errno::EPERM | Errno::EACCES) => Self::NotPermitted,
            (
                Error::Load {
                    refusal: Some(_), ..
                },
                _,
            ) => Self::Refused,
            (
                Error::Configure {
                    refused: Some(_), ..
                },
                _,
            ) => Self::Usage,
            (_, Errno::ENOMEM) => Self::NoMemory,
            (
                Error::PromptBytes { .. } | Error::TextBytes { .. } | Error::PromptTokens { .. },
                _,
            ) => Self::PromptTooLong,
            (Error::Open { .. }, Errno::ENOENT | Errno::ENXIO | Errno::ENODEV) => Self::NoDevice,
            (_, Errno::ENOTTY) => Self::NoDevice,
            (Error::Configure { .. } | Error::Unload { .. }, Errno::ENOENT) => Self::NoModel,
            (Error::Turn { .. }, _) => Self::TurnFailed,
            (_, Errno::EIO) => Self::NoDevice,
            _ => Self::GeneralError,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_errors_keep_their_code_under_a_context() {
        let error = Error::Open {
            path: "/dev/sislm".into(),
            errno: Errno::ENOENT,
        };
        let error = anyhow::Error::new(error).context("while opening");
        assert_eq!(ExitCode::of(&error), ExitCode::NoDevice);
    }

    #[test]
    fn each_kind_of_error_has_its_code() {
        let name = || "tiny".parse().unwrap();
        let load = |errno, refusal| Error::Load {
            name: name(),
            errno,
            refusal,
            done: 0,
            total: 0,
        };
        let refusal = sislm::Refusal {
            reason: 1,
            ..Default::default()
        };
        for (error, code) in [
            (load(Errno::EPERM, None), ExitCode::NotPermitted),
            (load(Errno::ENOMEM, None), ExitCode::NoMemory),
            (load(Errno::EINVAL, Some(refusal)), ExitCode::Refused),
            (
                Error::Unload {
                    name: name(),
                    errno: Errno::ENOENT,
                },
                ExitCode::NoModel,
            ),
            (
                Error::Unload {
                    name: name(),
                    errno: Errno::EBUSY,
                },
                ExitCode::GeneralError,
            ),
            (
                Error::PromptTokens {
                    tokens: 9,
                    context: 8,
                },
                ExitCode::PromptTooLong,
            ),
            (
                Error::Turn {
                    finish: sislm::Finish::Numeric,
                    errno: Errno::EIO,
                },
                ExitCode::TurnFailed,
            ),
        ] {
            assert_eq!(ExitCode::of(&anyhow::Error::new(error)), code);
        }
    }

    #[test]
    fn the_help_names_every_code() {
        for code in [
            ExitCode::Success,
            ExitCode::GeneralError,
            ExitCode::Usage,
            ExitCode::NoDevice,
            ExitCode::NotPermitted,
            ExitCode::NoModel,
            ExitCode::Refused,
            ExitCode::NoMemory,
            ExitCode::PromptTooLong,
            ExitCode::TurnFailed,
            ExitCode::SelftestFailed,
            ExitCode::NotVerified,
            ExitCode::Cancelled,
        ] {
            assert!(HELP.contains(&format!(" {} ", code as u8)), "{code:?}");
        }
    }
}
