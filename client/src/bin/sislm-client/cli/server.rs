// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of the server.

use std::path::PathBuf;

use clap::Args;

use super::common::Context;
use super::values::at_least_one;
use crate::place::Place;
use crate::sampling::Sampling;

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
