// SPDX-License-Identifier: MIT OR Apache-2.0
//! One file per subcommand.

pub(crate) mod alias;
pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod completions;
pub(crate) mod detokenize;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod infer;
pub(crate) mod info;
pub(crate) mod key;
pub(crate) mod limits;
pub(crate) mod load;
pub(crate) mod man;
pub(crate) mod metrics;
pub(crate) mod models;
pub(crate) mod replay;
pub(crate) mod selftest;
pub(crate) mod serve;
pub(crate) mod shadow;
pub(crate) mod stats;
pub(crate) mod suite;
pub(crate) mod tokenize;
pub(crate) mod top;
pub(crate) mod trace;
pub(crate) mod unload;
