// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of who watches the module, and bounds it.

use std::path::PathBuf;

use clap::Args;

use super::values::delay;
use crate::export::Collector;

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
