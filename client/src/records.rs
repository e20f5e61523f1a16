// SPDX-License-Identifier: MIT OR Apache-2.0
//! A descriptor that reads decision records.

use std::fs::File;
use std::io::Read;

use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};

use crate::error::errno_of;
use crate::Error;

/// The records from the oldest one on that is kept.
#[derive(Debug)]
pub struct Records {
    file: File,
}

impl Records {
    pub(crate) fn new(file: File) -> Self {
        Self { file }
    }

    /// Whether [`Records::read`] waits for the next record, as it does at first.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]
    pub fn set_waiting(&mut self, waits: bool) -> Result<(), Error> {
        let flags = if waits {
            OFlag::empty()
        } else {
            OFlag::O_NONBLOCK
        };
        fcntl(&self.file, FcntlArg::F_SETFL(flags))
            .map(drop)
            .map_err(failed)
    }

    /// Fills `bytes` with whole records ([`crate::Record::split_first`]); how many bytes there were, 0
    /// when there is none and it does not wait.
    ///
    /// # Errors
    ///
    /// [`Error::Call`]; EINVAL when no record fits.
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.file.read(bytes).map_err(|error| errno_of(&error)) {
                Ok(count) => return Ok(count),
                Err(Errno::EAGAIN) => return Ok(0),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
    }

    /// The descriptor, to be polled or given away.
    pub fn file(&self) -> &File {
        &self.file
    }
}

fn failed(errno: Errno) -> Error {
    Error::Call {
        doing: "read the records",
        errno,
    }
}
