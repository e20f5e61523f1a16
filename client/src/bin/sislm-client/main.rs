// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line of `/dev/sislm`.

mod answer;
mod bench;
mod chat;
mod choice;
mod cli;
mod closing_line;
mod commands;
mod context_shift;
mod counts;
mod embedded;
mod exit_codes;
mod export;
mod exposition;
mod guidance;
mod input;
mod interrupt;
mod loading;
mod lora;
mod place;
mod sampling;
mod serve;
mod target;
mod template;
mod top;

use std::io::{self, Write};
use std::process;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit_codes::ExitCode;

fn main() -> process::ExitCode {
    sislm::render_if_asked();
    let cli = Cli::parse();
    let code = run(&cli, &mut io::stdout().lock()).unwrap_or_else(|error| {
        if is_closed_pipe(&error) {
            return ExitCode::Success;
        }
        // With stderr closed as well, the exit code has to do.
        let _ = writeln!(io::stderr(), "sislm-client: {error:#}");
        ExitCode::of(&error)
    });
    code.into()
}

fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Info => commands::info::run(cli, out),
        Command::Load(arguments) => commands::load::run(cli, arguments, out),
        Command::Unload(arguments) => commands::unload::run(cli, arguments, out),
        Command::Limits(arguments) => commands::limits::run(cli, arguments, out),
        Command::Alias(arguments) => commands::alias::run(cli, arguments, out),
        Command::Shadow(arguments) => commands::shadow::run(cli, arguments, out),
        Command::Models => commands::models::run(cli, out),
        Command::Infer(arguments) => commands::infer::run(cli, arguments, out),
        Command::Chat(arguments) => commands::chat::run(cli, arguments, out),
        Command::Tokenize(arguments) => commands::tokenize::run(cli, arguments, out),
        Command::Detokenize(arguments) => commands::detokenize::run(cli, arguments, out),
        Command::Eval(arguments) => commands::eval::run(cli, arguments, out),
        Command::Embed(arguments) => commands::embed::run(cli, arguments, out),
        Command::Serve(arguments) => commands::serve::run(cli, arguments),
        Command::Key(arguments) => commands::key::run(arguments, out),
        Command::Completions(arguments) => commands::completions::run(arguments, out),
        Command::Man(arguments) => commands::man::run(arguments),
        Command::Stats => commands::stats::run(cli, out),
        Command::Metrics => commands::metrics::run(cli, out),
        Command::Export(arguments) => commands::export::run(cli, arguments),
        Command::Top(arguments) => commands::top::run(cli, arguments, out),
        Command::Trace(arguments) => commands::trace::run(cli, arguments, out),
        Command::Replay(arguments) => commands::replay::run(cli, arguments, out),
        Command::Bench(arguments) => commands::bench::run(cli, arguments, out),
        Command::Selftest(arguments) => commands::selftest::run(cli, arguments, out),
    }
}

/// Whether the reader of our output went away: that is its right, not an error.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
