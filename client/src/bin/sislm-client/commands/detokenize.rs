// SPDX-License-Identifier: MIT OR Apache-2.0
//! `detokenize`: ids to text.

use std::io::Write;

use serde_json::json;
use sislm::{Device, SessionConfig};

use crate::choice;
use crate::cli::{Cli, Detokenize};
use crate::exit_codes::ExitCode;

/// Runs `detokenize`: the bytes as they are; in JSON with U+FFFD for what is no UTF-8.
pub(crate) fn run(
    cli: &Cli,
    arguments: &Detokenize,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let model = choice::choose(&device, cli, arguments.model.model.as_deref())?;
    choice::check_ids(&model, &arguments.ids)?;
    let config = SessionConfig {
        model: Some(choice::name_of(&model)?),
        ..Default::default()
    };
    let text = device
        .session(&config)?
        .detokenize(&arguments.ids, !arguments.continued)?;
    if cli.json {
        writeln!(
            out,
            "{}",
            json!({ "model": model.name(), "text": String::from_utf8_lossy(&text) })
        )?;
    } else {
        out.write_all(&text)?;
    }
    Ok(ExitCode::Success)
}
