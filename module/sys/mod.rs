// SPDX-License-Identifier: GPL-2.0
//! The kernel and the engine as safe types: the only place of the module with `unsafe` and C bindings.

pub(crate) mod attributes;
mod bindings;
pub(crate) mod callers;
pub(crate) mod charge;
pub(crate) mod check;
pub(crate) mod claims;
pub(crate) mod clock;
pub(crate) mod cpu;
pub(crate) mod digest;
pub(crate) mod errno;
pub(crate) mod file;
pub(crate) mod flight;
pub(crate) mod kv;
pub(crate) mod load;
pub(crate) mod lock;
pub(crate) mod mean;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod neon;
pub(crate) mod node;
pub(crate) mod piece;
mod refusal;
pub(crate) mod sample;
pub(crate) mod step;
pub(crate) mod stream;
pub(crate) mod task;
pub(crate) mod text;
pub(crate) mod thread;
pub(crate) mod trace;
pub(crate) mod uapi;
pub(crate) mod user;
pub(crate) mod wait;
mod wall;
pub(crate) mod wiped;
pub(crate) mod workqueue;

pub(crate) use wall::Progress;
