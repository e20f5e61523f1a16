// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state table of the device, and what a session is as a file.

mod context;
mod file;
mod session;
mod table;
mod wait;

use std::fs::File;

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"states";

/// Loads `model` (a context of 1024 at least, no early end) and goes through the table.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    load(&device, &weights, MODEL)?;
    let mut query = sislm_query::default();
    call(&device, SISLM_IOC_QUERY, &mut query)?;
    table::idle(report, query.prompt_max as usize)?;
    table::pending(report, query.prompt_max as usize)?;
    table::running(report)?;
    wait::polled(report)?;
    wait::events(report)?;
    wait::impatient(report, query.prompt_max as usize)?;
    file::readonly(report)?;
    file::shared(report)?;
    file::interrupted(report)?;
    context::contexts(report)?;
    file::closed(report, &device)?;
    unload(&device, MODEL)?;
    Ok(())
}
