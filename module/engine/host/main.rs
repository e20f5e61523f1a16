// SPDX-License-Identifier: GPL-2.0
//! The engine on the host: the same functions, in the same order, as the kernel module calls,
//! on threads of the standard library. For tests and development; it prints what the client prints.

mod adapter;
mod arguments;
mod commitment;
mod drawing;
mod embed;
mod evaluate;
mod infer;
mod logits;
mod replay;
mod report;
mod simd;
mod source;
// Written with `std` alone; the client finds the parts of a model in the same way.
#[path = "../../../client/src/split/mod.rs"]
mod split;
mod stop;
mod wall;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sislm-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    wall::check_abi()?;
    let simd = arguments.simd.resolve()?;
    match arguments.command {
        Command::Selftest { cases } => return report::selftest(simd, cases),
        Command::Bench {
            format,
            rows,
            columns,
            groups,
            repeats,
        } => {
            return report::bench(simd, (format, rows, columns, groups), repeats);
        }
        _ => {}
    }
    let model = wall::Loader {
        simd: simd.number(),
        context: arguments.context_max,
        threads: arguments.threads,
        budget: arguments.budget,
        segment_bytes: arguments.segment_bytes,
    }
    .load(&arguments.model, &arguments.lora)?;
    match &arguments.command {
        Command::Infer(options) => infer::run(arguments, simd, &model, options)?,
        Command::Replay(options) => return replay::run(arguments, &model, options),
        Command::Embed(options) => embed::run(arguments, simd, &model, options)?,
        Command::Eval(options) => evaluate::run(arguments, simd, &model, options)?,
        Command::Logits(options) => logits::run(arguments, &model, options)?,
        Command::Tokenize {
            text,
            continued,
            control,
        } => {
            let ids = model.tokenize(text.as_bytes(), !continued, *control, arguments.budget)?;
            report::ids(arguments.json, &ids);
        }
        Command::Detokenize { ids, continued } => report::text(&model, ids, !continued)?,
        Command::Info => report::info(arguments, simd, &model)?,
        Command::Selftest { .. } | Command::Bench { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
