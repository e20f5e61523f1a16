// SPDX-License-Identifier: MIT OR Apache-2.0
//! `key`: a new API key of the server.

use std::io::Write;

use crate::cli::Key;
use crate::exit_codes::ExitCode;
use crate::serve::Keys;

/// Runs `key`: the key on one line. The file gets its hash.
pub(crate) fn run(arguments: &Key, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let key = Keys::add(&arguments.keys, &arguments.name)?;
    writeln!(out, "{key}")?;
    Ok(ExitCode::Success)
}
