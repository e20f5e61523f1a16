// SPDX-License-Identifier: GPL-2.0
//! Scheduling: which turns are in the next step, and who computes it.

mod batch;
pub(crate) mod carrier;
mod growth;
mod list;
mod queue;
mod rows;
mod run_queue;
pub(crate) mod scheduler;
mod tree;
mod watch;
mod weight;
pub(crate) mod worker;

pub(crate) use batch::Job;
