// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

mod answers;
mod checks;
mod common;
mod models;
mod server;
mod shell;
mod text;
mod values;
mod watching;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use sislm::Device;

use crate::exit_codes;

pub(crate) use answers::{Chat, Grammar, Infer, Replay};
pub(crate) use checks::{Bench, Selftest};
pub(crate) use models::{Alias, Load, Shadow, Unload};
pub(crate) use server::{Key, Serve};
pub(crate) use shell::{Completions, Man};
pub(crate) use text::{Detokenize, Embed, Eval, Tokenize};
pub(crate) use values::{seed, Seed};
pub(crate) use watching::{Export, Limits, Top, Trace};

/// Talks to the language model in the kernel.
#[derive(Debug, Parser)]
#[command(name = "sislm-client", version, after_help = exit_codes::HELP)]
pub(crate) struct Cli {
    /// Print one JSON object on one line
    #[arg(long, global = true)]
    pub json: bool,
    /// Path of the device
    #[arg(long, global = true, value_name = "PATH", default_value = Device::PATH)]
    pub device: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the device, its limits, and each model's memory by part
    Info,
    /// Load a GGUF file (needs CAP_SYS_ADMIN)
    Load(Load),
    /// Unload a model (needs CAP_SYS_ADMIN)
    Unload(Unload),
    /// Show what a user may have and has, or change it (needs CAP_SYS_ADMIN)
    Limits(Limits),
    /// Show what names of models mean, or change it (needs CAP_SYS_ADMIN): swap, canary, A/B, rollback
    Alias(Alias),
    /// Compare answers of a name with those of another version, and show how they agree (needs CAP_SYS_ADMIN)
    Shadow(Shadow),
    /// List the loaded models
    Models,
    /// Answer a prompt
    Infer(Box<Infer>),
    /// Talk with a model on the terminal
    Chat(Box<Chat>),
    /// Serve the OpenAI API over HTTP
    Serve(Box<Serve>),
    /// Make an API key for serve
    Key(Key),
    /// Turn text into token ids
    Tokenize(Tokenize),
    /// Turn token ids into text
    Detokenize(Detokenize),
    /// Give the log-probability of each token of a text, and its perplexity
    Eval(Eval),
    /// Print the embedding of a text, as JSON
    Embed(Embed),
    /// Show the module's counters
    Stats,
    /// Print counters, gauges and histograms as Prometheus reads them (needs CAP_SYS_ADMIN)
    Metrics,
    /// Send what `metrics` shows to an OpenTelemetry collector (needs CAP_SYS_ADMIN)
    Export(Export),
    /// Show sessions, tokens per second and memory as they change
    Top(Top),
    /// Show who had what computed, export it, or verify an export (needs CAP_SYS_ADMIN)
    Trace(Trace),
    /// Compute an answer again, and compare its ids and its commitment
    Replay(Box<Replay>),
    /// Measure tokens per second, as llama-bench does
    Bench(Bench),
    /// Compare the engine's loops with their scalar twins on this CPU
    Selftest(Selftest),
    /// Print what a shell needs to complete the command line
    Completions(Completions),
    /// Write manual pages
    Man(Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn infer(arguments: &[&str]) -> Result<Infer, clap::Error> {
        let cli = Cli::try_parse_from([&["sislm-client", "infer"], arguments].concat())?;
        match cli.command {
            Command::Infer(infer) => Ok(*infer),
            command => panic!("{command:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_no_number_can_be_is_refused() {
        for bad in [
            ["--temperature", "-1"],
            ["--top-p", "one"],
            ["--top-k", "-1"],
            ["--kv", "q4_0"],
            ["--ctx", "0"],
            ["-n", "0"],
            ["-n", "-2"],
            ["-n", "x"],
            ["--seed", "-2"],
            ["--seed", "18446744073709551616"],
            ["--stop-id", "-1"],
            ["--stop", ""],
            ["--stop", "123456789012345678901234567890123"],
        ] {
            assert!(infer(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_seed_has_64_bits() {
        assert_eq!(
            infer(&["--seed", "18446744073709551615"]).unwrap().seed,
            Seed(Some(u64::MAX))
        );
    }

    #[test]
    fn minus_one_is_without_limit_and_without_a_seed() {
        let given = infer(&["-n", "-1", "--seed", "-1", "Hello"]).unwrap();
        assert_eq!((given.max_tokens, given.seed), (0, Seed(None)));
        assert_eq!(given.prompt, Some("Hello".into()));
        let left_out = infer(&[]).unwrap();
        assert_eq!((left_out.max_tokens, left_out.seed), (0, Seed(None)));
        assert_eq!(infer(&["-n", "7"]).unwrap().max_tokens, 7);
        let sentence = infer(&["-n", "-3"]).unwrap_err().to_string();
        assert!(sentence.contains("-1 for no limit"), "{sentence}");
    }

    #[test]
    fn a_message_is_apart_from_control_tokens() {
        let given = infer(&["--chat", "--system", "Be brief.", "Hello"]).unwrap();
        assert_eq!(
            (given.chat, given.system.as_deref()),
            (true, Some("Be brief."))
        );
        assert!(infer(&["--chat", "--control", "x"]).is_err());
        assert!(infer(&["--system", "Be brief.", "x"]).is_err());
    }

    #[test]
    fn json_may_stand_anywhere() {
        for line in [
            ["sislm-client", "--json", "info"],
            ["sislm-client", "info", "--json"],
        ] {
            assert!(Cli::try_parse_from(line).unwrap().json);
        }
    }

    #[test]
    fn ids_and_a_text_exclude_each_other() {
        assert!(Cli::try_parse_from(["sislm-client", "eval", "--ids", "1,2", "text"]).is_err());
    }

    #[test]
    fn top_waits_for_a_time_and_bench_measures_lists() {
        let top = |words: &[&str]| Cli::try_parse_from([&["sislm-client", "top"], words].concat());
        for bad in ["0", "-1", "nan", "inf", "1e9"] {
            assert!(top(&["-d", bad]).is_err(), "{bad}");
        }
        assert!(top(&["-d", "0.5", "-n", "3", "--batch"]).is_ok());
        assert!(top(&["--once", "-n", "2"]).is_err());
        let line = ["sislm-client", "bench", "-p", "16,32", "-n", "0"];
        let Ok(Command::Bench(found)) = Cli::try_parse_from(line).map(|cli| cli.command) else {
            panic!("it is no bench");
        };
        assert_eq!((found.prompt, found.generation), (vec![16, 32], vec![0]));
    }
}
