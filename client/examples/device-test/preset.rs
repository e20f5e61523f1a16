// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file that is never configured draws as the client's default preset does.

use std::fs::File;

use sislm::{Device, SessionConfig};

use crate::raw::*;
use crate::report::{Failure, Report};

const PROMPT: &[u8] = b"one ten tires";

/// Loads `model` as the default one, and answers with the seed that an unconfigured file has drawn.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    load(&device, &weights, b"default")?;
    let mut text = vec![0_u8; 1 << 18];
    let mut run = sislm_run {
        prompt: PROMPT.as_ptr() as u64,
        prompt_length: u32::try_from(PROMPT.len())?,
        text: text.as_mut_ptr() as u64,
        capacity: u32::try_from(text.len())?,
        ..Default::default()
    };
    call(&device, SISLM_IOC_RUN, &mut run)?;
    text.truncate(run.length as usize);
    let config = SessionConfig {
        seed: Some(run.result.seed),
        ..Default::default()
    };
    let mut session = Device::open(Device::PATH)?.session(&config)?;
    let configured = session.run(PROMPT)?;
    report.equal(
        "preset/unconfigured-is-the-default-preset",
        configured,
        String::from_utf8_lossy(&text).into_owned(),
    );
    drop((session, device));
    unload(&open()?, b"default")?;
    Ok(())
}
