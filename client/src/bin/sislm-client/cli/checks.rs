// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of what measures and checks the module.

use std::path::PathBuf;

use clap::Args;
use sislm::Simd;

use super::common::Model;

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
