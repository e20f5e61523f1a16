// SPDX-License-Identifier: MIT OR Apache-2.0
//! One file per subcommand.

pub mod chat;
pub mod completions;
pub mod detokenize;
pub mod embed;
pub mod eval;
pub mod infer;
pub mod info;
pub mod key;
pub mod load;
pub mod man;
pub mod models;
pub mod selftest;
pub mod serve;
pub mod stats;
pub mod tokenize;
pub mod unload;
