// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use sislm::{Device, KvType, ModelName, Pooling, Simd};

use crate::exit_codes;
use crate::export::Collector;
use crate::lora::{LoraFile, LoraScale};
use crate::place::Place;
use crate::sampling::Sampling;
use crate::target::{base_name, version_name, Target};

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

/// Options of `load`.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The GGUF file, or any part of a split model (NAME-00001-of-0000N.gguf)
    #[arg(required_unless_present = "all")]
    pub file: Option<PathBuf>,
    /// Name of the model [default: the file's, without .gguf]
    #[arg(long, value_parser = base_name)]
    pub name: Option<ModelName>,
    /// In place of the versions that are loaded: each is unloaded when no session uses it any more
    #[arg(long)]
    pub replace: bool,
    /// What you think of the model, 1 to 1000, the more the better: -m auto chooses among models with a rank, the best that
    /// is in time and has memory; 0 for never
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(sislm::RANK_MAX)))]
    pub rank: u32,
    /// All files NAME.gguf of a directory, split models as one, each under its own name
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "name", "lora"])]
    pub all: Option<PathBuf>,
    /// An adapter (LoRA) of the model, and what it is multiplied by where a session does not say, 1 when not
    /// given; up to 4
    #[arg(long, value_name = "FILE[=SCALE]")]
    pub lora: Vec<LoraFile>,
}

/// Options of `limits`.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The user's id
    pub uid: u32,
    /// Most open files
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// Most memory for keys and values, in MiB
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub kv_mb: Option<u64>,
    /// Most prompts that wait, in KiB
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 50))]
    pub prompts_kb: Option<u64>,
    /// Most open files in each cgroup namespace
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub namespace_sessions: Option<u32>,
    /// Most memory for keys and values in each cgroup namespace, in MiB
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 40))]
    pub namespace_kv_mb: Option<u64>,
    /// Most prompts that wait in each cgroup namespace, in KiB
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..1 << 50))]
    pub namespace_prompts_kb: Option<u64>,
    /// Most tokens of answers in a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub tokens_per_second: Option<u32>,
    /// Most milliseconds of an answer
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..))]
    pub deadline: Option<u32>,
}

/// Options of `unload`.
#[derive(Debug, Args)]
pub(crate) struct Unload {
    /// Name of the model; of one of several versions NAME@VERSION
    pub name: ModelName,
    /// Although sessions use it: their turns end with an error; or an alias gives it, which does no more
    #[arg(long)]
    pub force: bool,
    /// When no session uses it any more; none begins to
    #[arg(long, conflicts_with = "force")]
    pub drain: bool,
}

/// Options of `alias`.
#[derive(Debug, Args)]
pub(crate) struct Alias {
    /// The alias [default: show all]
    #[arg(value_parser = base_name)]
    pub name: Option<ModelName>,
    /// Versions that it is to give, each as often as its weight (1 when not given) says, as compared with the others; up to 4
    #[arg(value_name = "NAME@N[=WEIGHT]", num_args = ..=sislm::TARGETS_MAX as usize)]
    pub targets: Vec<Target>,
    /// Let it follow the newest version of its name again
    #[arg(long, requires = "name", conflicts_with = "targets")]
    pub unpin: bool,
}

/// Options of `shadow`.
#[derive(Debug, Args)]
pub(crate) struct Shadow {
    /// Whose answers [default: show all that are compared]
    #[arg(value_parser = base_name)]
    pub name: Option<ModelName>,
    /// The version that they are compared with from now on
    #[arg(long, value_name = "NAME@N", requires = "name", value_parser = version_name)]
    pub on: Option<ModelName>,
    /// How many of 1,000 turns are compared; 0 for none, and what was counted stays
    #[arg(long, requires = "on", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub permille: u32,
    /// Compare them no more, and forget what was counted
    #[arg(long, requires = "name", conflicts_with = "on")]
    pub off: bool,
}

/// The model of a command.
#[derive(Debug, Args)]
pub(crate) struct Model {
    /// A loaded model, or a GGUF file, which is loaded when it is not [default: the model named
    /// default, else the only one loaded, else the one embedded in this program]
    #[arg(short, long, value_name = "NAME|FILE")]
    pub model: Option<OsString>,
}

/// The adapters of a command.
#[derive(Debug, Args)]
pub(crate) struct Lora {
    /// What an adapter of the model is multiplied by, by its name or its number from 0 (models lists them); 0 is
    /// off
    #[arg(long, value_name = "NAME|N=SCALE")]
    pub lora: Vec<LoraScale>,
}

/// Options of `infer`.
#[derive(Debug, Args)]
pub(crate) struct Infer {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Most tokens to generate, -1 for no limit but the context
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, default_value = "-1",
          value_parser = most_tokens)]
    pub max_tokens: u32,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Seed of the draws, -1 for one drawn by the kernel, and reported
    #[arg(long, allow_negative_numbers = true, default_value = "-1", value_parser = seed)]
    pub seed: Seed,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// Go on when the context is full: with the first KEEP ids [default: the prompt's], at most half, and the later
    /// half of the others
    #[arg(long, value_name = "KEEP", num_args = 0..=1, require_equals = true,
          conflicts_with_all = ["json_schema", "regex", "grammar"])]
    #[expect(
        clippy::option_option,
        reason = "clap's for an option whose value may lack"
    )]
    pub context_shift: Option<Option<u32>>,
    /// End at this text, up to 4 of at most 32 bytes, or at the control token of this name
    #[arg(long, value_name = "S", value_parser = stop)]
    pub stop: Vec<String>,
    /// End at the token of this id; up to 4
    #[arg(long, value_name = "ID")]
    pub stop_id: Vec<u32>,
    /// Go on past the model's own tokens that end a turn
    #[arg(long)]
    pub ignore_eos: bool,
    /// Compute alone, without the module's workers: all of it is charged to this process
    #[arg(long)]
    pub unhelped: bool,
    /// For whom the turn is, any number: this user's time is divided equally between them
    #[arg(long, value_name = "N", default_value_t)]
    pub tenant: u64,
    /// End the answer after so many milliseconds, 0 for no limit
    #[arg(long, value_name = "MS", default_value_t)]
    pub deadline: u32,
    /// Most tokens in a second, 0 for no limit
    #[arg(long, value_name = "N", default_value_t)]
    pub tokens_per_second: u32,
    /// Let names of control tokens in the prompt stand for these tokens
    #[arg(long, conflicts_with = "chat")]
    pub control: bool,
    /// Take the prompt as a message, and put it into the model's own chat template
    #[arg(long)]
    pub chat: bool,
    /// What the system says before the message
    #[arg(long, value_name = "TEXT", requires = "chat")]
    pub system: Option<String>,
    /// What the answer is to be.
    #[command(flatten)]
    pub grammar: Grammar,
    /// Print the closing line even when stderr is no terminal
    #[arg(long)]
    pub stats: bool,
    /// Words to add to the closing line, such as "emulated"
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// The prompt; - or nothing reads it from stdin
    pub prompt: Option<OsString>,
}

/// What an answer is to be: at most one.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with_all = ["ignore_eos", "stop"])]
pub(crate) struct Grammar {
    /// Answer with JSON of the schema in this file
    #[arg(long, value_name = "FILE")]
    pub json_schema: Option<PathBuf>,
    /// Answer with text that this regular expression matches as a whole
    #[arg(long, value_name = "R")]
    pub regex: Option<String>,
    /// Answer by the grammar in this file, in Lark's syntax, from its rule start
    #[arg(long, value_name = "FILE")]
    pub grammar: Option<PathBuf>,
}

/// Options of `chat`.
#[derive(Debug, Args)]
pub(crate) struct Chat {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// What the system says before the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Most tokens of an answer, -1 for no limit but the context
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, default_value = "-1",
          value_parser = most_tokens)]
    pub max_tokens: u32,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Seed of the draws of each answer, -1 for one drawn by the kernel
    #[arg(long, allow_negative_numbers = true, default_value = "-1", value_parser = seed)]
    pub seed: Seed,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// Tell tokens and tokens per second after each answer
    #[arg(long)]
    pub stats: bool,
    /// Neither read nor write the history of lines ($XDG_STATE_HOME/sislm/history)
    #[arg(long)]
    pub no_history: bool,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen: ADDRESS:PORT or unix:PATH; several are possible [default: the sockets that systemd has opened,
    /// else 127.0.0.1:8080]
    #[arg(long, value_name = "PLACE")]
    pub listen: Vec<Place>,
    /// API keys, of which one is then needed over TCP; sislm-client key makes them
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// A name by which the server may be called without a key, beside localhost
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
    /// Requests answered at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = at_least_one)]
    pub turns: usize,
    /// Requests that may wait beside them
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub queue: usize,
    /// Seconds after which a session that no request uses is closed
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub idle: u64,
    /// Seconds that requests have to end after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub grace: u64,
    /// How the next token is drawn, unless a request says otherwise.
    #[command(flatten)]
    pub sampling: Sampling,
    /// The context of each request.
    #[command(flatten)]
    pub context: Context,
}

/// Options of `key`.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// The file of the keys, which gets the key's hash
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// Whose key it is: one word
    pub name: String,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to write them
    pub directory: PathBuf,
}

/// Seed of the draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(pub Option<u64>);

/// Context of a session.
#[derive(Debug, Args)]
pub(crate) struct Context {
    /// Positions of the context [default: the device's, or the model's own when smaller]
    #[arg(long = "ctx", value_name = "POSITIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub positions: Option<u32>,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, value_name = "TYPE", default_value_t)]
    pub kv: KvType,
}

/// Options of `tokenize`.
#[derive(Debug, Args)]
pub(crate) struct Tokenize {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// As in the middle of a context: no BOS, no space prefix
    #[arg(long)]
    pub continued: bool,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}

/// Options of `detokenize`.
#[derive(Debug, Args)]
pub(crate) struct Detokenize {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// As in the middle of a context: the leading space is kept
    #[arg(long)]
    pub continued: bool,
    /// The ids
    #[arg(value_delimiter = ',', value_name = "ID")]
    pub ids: Vec<u32>,
}

/// Options of `eval`.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Most likely tokens to give after each position, 0 to 64
    #[arg(long, value_name = "K", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(sislm::TOP_MAX)))]
    pub top: u32,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// The ids, instead of a text
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID,ID...",
        conflicts_with = "text"
    )]
    pub ids: Option<Vec<u32>>,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}

/// Options of `embed`.
#[derive(Debug, Args)]
pub(crate) struct Embed {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Make one embedding of the hidden states of all tokens: none, mean, first or last [default: as the
    /// model's file says]
    #[arg(long)]
    pub pooling: Option<Pooling>,
    /// Do not divide by the 2-norm
    #[arg(long)]
    pub raw: bool,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub kv: KvType,
    /// The ids, instead of a text
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID,ID...",
        conflicts_with = "text"
    )]
    pub ids: Option<Vec<u32>>,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The collector: http://HOST[:PORT], to which /v1/metrics is added where there is no path
    #[arg(long, value_name = "URL")]
    pub otlp: Collector,
    /// Seconds between two sends, until Ctrl-C [default: send once]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub interval: Option<u64>,
}

/// Options of `top`.
#[derive(Debug, Args)]
pub(crate) struct Top {
    /// Seconds between two samples
    #[arg(short, long, value_name = "SECONDS", default_value = "2", value_parser = delay)]
    pub delay: f64,
    /// Samples to show [default: until Ctrl-C]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub number: Option<u64>,
    /// Print one sample below the other, as where stdout is no terminal
    #[arg(short, long)]
    pub batch: bool,
    /// Print one sample
    #[arg(long, conflicts_with = "number")]
    pub once: bool,
}

/// Options of `trace`.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// Wait for further records, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Write the records as the device gives them, 312 bytes each: an export
    #[arg(long, conflicts_with = "json")]
    pub raw: bool,
    /// Check that an export is whole and as it was made, without a device
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "raw"])]
    pub verify: Option<PathBuf>,
}

/// Options of `replay`: those that `infer` was given.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, default_value_t)]
    pub kv: KvType,
    /// What `infer --json` printed; - for standard input
    pub file: PathBuf,
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Tokens of a prompt; 0 for none
    #[arg(
        short,
        long,
        value_name = "N,N...",
        value_delimiter = ',',
        default_value = "512"
    )]
    pub prompt: Vec<u32>,
    /// Tokens of an answer; 0 for none
    #[arg(
        short = 'n',
        long,
        value_name = "N,N...",
        value_delimiter = ',',
        default_value = "128"
    )]
    pub generation: Vec<u32>,
    /// Times that each is measured, after once that is not counted
    #[arg(short, long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub repetitions: u32,
    /// Draw the rows there
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Measure parts of the module instead, each beside what it is to take
    #[arg(long, conflicts_with_all = ["prompt", "generation", "svg"])]
    pub suite: bool,
}

/// Options of `selftest`.
#[derive(Debug, Args)]
pub(crate) struct Selftest {
    /// Instruction level: scalar, neon, dotprod, i8mm [default: the one in use]
    #[arg(long, value_name = "LEVEL")]
    pub simd: Option<Simd>,
}

/// A count of tokens, from 1; 0 for -1, which is without limit.
fn most_tokens(text: &str) -> Result<u32, String> {
    match text.parse() {
        _ if text == "-1" => Ok(0),
        Ok(0) | Err(_) => Err("expected 1 or more, or -1 for no limit but the context".into()),
        Ok(count) => Ok(count),
    }
}

/// A count from 1.
fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| *count > 0)
        .ok_or("expected a number from 1".into())
}

/// A seed of 64 bits; none for -1.
pub(crate) fn seed(text: &str) -> Result<Seed, String> {
    match text.parse() {
        _ if text == "-1" => Ok(Seed(None)),
        Ok(seed) => Ok(Seed(Some(seed))),
        Err(_) => Err("expected 0 to 18446744073709551615, or -1 for one that is drawn".into()),
    }
}

fn stop(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > sislm::STOP_BYTES as usize {
        return Err(format!(
            "a stop string has 1 to {} bytes",
            sislm::STOP_BYTES
        ));
    }
    Ok(text.into())
}

/// A time that can be waited for.
fn delay(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    seconds
        .filter(|seconds| (0.1..=86_400.0).contains(seconds))
        .ok_or_else(|| "give a number of seconds from 0.1 to 86400".into())
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
