// SPDX-License-Identifier: GPL-2.0
//! Many sessions, one after the other and at the same time.

use std::fs::File;
use std::os::fd::AsFd;
use std::thread;

use sislm::{Device, ModelName, SamplingConfig, SessionConfig};

use crate::report::{Failure, Report};

/// Opens, infers and closes `count` times, then lets two clients infer at once.
pub fn run(report: &mut Report, model: &str, count: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "sessions".parse()?;
    device.load(File::open(model)?.as_fd(), &name)?;
    let before = device.statistics()?;
    let count: u32 = count.parse()?;
    let first = answer(&device, &name, 2)?;
    let mut differed = 0;
    for _ in 1..count {
        if answer(&device, &name, 2)? != first {
            differed += 1;
        }
    }
    report.equal(
        &format!("sessions/{count}-times-open-infer-close"),
        differed,
        0,
    );
    two_at_once(report, &device, &name)?;
    let after = device.statistics()?;
    report.equal("sessions/no-block-stays", after.kv_blocks, before.kv_blocks);
    report.equal(
        "sessions/no-memory-stays",
        after.memory_sessions,
        before.memory_sessions,
    );
    report.equal(
        "sessions/turns-counted",
        after.turns - before.turns,
        u64::from(count) + 5,
    );
    device.unload(&name)?;
    Ok(())
}

fn answer(device: &Device, name: &ModelName, tokens: u32) -> Result<Vec<u32>, Failure> {
    let config = SessionConfig {
        model: Some(name.clone()),
        max_tokens: tokens,
        sampling: SamplingConfig::greedy(),
        ..Default::default()
    };
    let mut session = device.session(&config)?;
    for text in session.prompt(b"one ten")? {
        text?;
    }
    Ok(session.outcome()?.ids)
}

fn two_at_once(report: &mut Report, device: &Device, name: &ModelName) -> Result<(), Failure> {
    let alone = answer(device, name, 24)?;
    let answers = thread::scope(|scope| {
        let client = || {
            let answers =
                (0..2).map(|_| answer(device, name, 24).map_err(|error| error.to_string()));
            answers.collect::<Result<Vec<_>, String>>()
        };
        [scope.spawn(client), scope.spawn(client)].map(|client| client.join())
    });
    for (number, answers) in answers.into_iter().enumerate() {
        let answers = answers.map_err(|_| "a client panicked")??;
        report.equal(
            &format!("sessions/two-at-once-{number}"),
            answers,
            vec![alone.clone(); 2],
        );
    }
    Ok(())
}
