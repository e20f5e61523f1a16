// SPDX-License-Identifier: GPL-2.0
//! The text of a prompt: the argument, or standard input.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use crate::exit_codes::{ExitCode, Failure};

/// The bytes of `argument`; of standard input for `-`, or for nothing unless that is a terminal.
pub fn text(argument: Option<&OsStr>) -> anyhow::Result<Vec<u8>> {
    match argument {
        Some(text) if text != OsStr::new("-") => return Ok(text.as_bytes().to_vec()),
        None if io::stdin().is_terminal() => {
            let sentence = "no text: give it as an argument, or - to type it and end with Ctrl-D";
            return Err(Failure::error(ExitCode::Usage, sentence));
        }
        _ => {}
    }
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut text)
        .context("cannot read the text from standard input")?;
    Ok(text)
}
