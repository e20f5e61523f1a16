// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server of the OpenAI API. It holds no weights: each request is a turn of a session of the device.

mod access;
mod answer;
mod asked;
mod base64;
mod body;
mod chat;
mod completions;
mod connections;
mod embeddings;
mod engine;
mod envelope;
mod error;
mod fields;
mod format;
mod grammars;
mod hangup;
mod identity;
mod job;
mod keys;
mod listen;
mod logprobs;
mod messages;
mod metrics;
mod models;
mod page;
mod pool;
mod prompts;
mod reply;
mod responses;
mod router;
mod sampling;
mod server;
mod sse;
mod status;
mod stops;
mod stream;
mod text;
mod work;

pub(crate) use keys::Keys;
pub(crate) use server::run;
