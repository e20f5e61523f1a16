// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers are not compared where that would take memory from those who answer.

use sislm::{Device, ModelName, Session, Source};

use super::{answer, config, Case};
use crate::report::{Failure, Report};

/// Tokens of an answer that is kept.
const KEPT: u32 = 200;
/// Most answers that are kept.
const ANSWERS: u64 = 200;

/// Keeps answers of `one` until more than half of `limit` bytes for keys and values is in use; its shadow is `other`.
pub(crate) fn run(report: &mut Report, one: &str, other: &str, limit: &str) -> Result<(), Failure> {
    let limit: u64 = limit.parse()?;
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "pressed".parse()?;
    let case = Case {
        device: &device,
        alias: name.clone(),
        primary: name.with_version(1),
        shadow: name.with_version(2),
    };
    device.load(&Source::open(one)?, &name)?;
    device.load(&Source::open(other)?, &name)?;
    device.set_alias(&name, &[(case.primary.clone(), 1)])?;
    let mut kept: Vec<Session> = Vec::new();
    let is_scarce = || Ok::<_, sislm::Error>(device.statistics()?.kv_bytes > limit / 2);
    for seed in 0..ANSWERS {
        if is_scarce()? {
            break;
        }
        let mut session = device.session(&config(&case.primary, seed, KEPT))?;
        answer(&mut session, b"one")?;
        kept.push(session);
    }
    report.equal("shadow/memory-is-scarce", is_scarce()?, true);
    device.set_shadow(&name, Some(&case.shadow), 1000)?;
    let mut drawn = device.session(&config(&name, 0, 2))?;
    answer(&mut drawn, b"ten")?;
    let counts = case.settled()?;
    report.equal(
        "shadow/nothing-is-compared-then",
        (counts.drawn, counts.turns, counts.memory, is_scarce()?),
        (1, 0, 1, true),
    );
    drop((kept, drawn));
    answer(&mut device.session(&config(&name, 0, 20))?, b"ten")?;
    let counts = case.settled()?;
    report.equal(
        "shadow/with-memory-it-is-again",
        (counts.drawn, counts.turns, counts.memory),
        (2, 1, 1),
    );
    device.set_shadow(&name, None, 0)?;
    device.set_alias(&name, &[])?;
    for version in [case.primary, case.shadow] {
        device.unload(&version)?;
    }
    Ok(())
}
