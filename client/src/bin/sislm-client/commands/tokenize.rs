// SPDX-License-Identifier: MIT OR Apache-2.0
//! `tokenize`: text to ids.

use std::io::Write;

use serde_json::json;
use sislm::{Device, SessionConfig};

use crate::cli::{Cli, Tokenize};
use crate::exit_codes::ExitCode;
use crate::{choice, input};

/// Runs `tokenize`: ids on one line.
pub(crate) fn run(
    cli: &Cli,
    arguments: &Tokenize,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let text = input::text(arguments.text.as_deref(), device.query()?.prompt_max)?;
    let model = choice::choose(&device, cli, arguments.model.model.as_deref())?;
    let config = SessionConfig {
        model: Some(choice::name_of(&model)?),
        ..Default::default()
    };
    let how = sislm::Tokenize {
        first: !arguments.continued,
        control: arguments.control,
    };
    let ids = device.session(&config)?.tokenize(&text, how)?;
    if cli.json {
        writeln!(out, "{}", json!({ "model": model.name(), "ids": ids }))?;
    } else {
        let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
        writeln!(out, "{}", ids.join(" "))?;
    }
    Ok(ExitCode::Success)
}
