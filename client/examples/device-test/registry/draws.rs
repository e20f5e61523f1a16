// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which versions files are given.

use std::fs;
use std::os::fd::AsRawFd;

use sislm::{draw, Device, ModelName};

use crate::raw::{call, name as bytes_of, open, sislm_configure, sislm_sampling};
use crate::raw::{SISLM_IOC_CONFIGURE, SISLM_MILLION};
use crate::report::{Failure, Report};

/// Nine of ten, as far as the alias goes.
const WEIGHTS: [u32; 4] = [90, 10, 0, 0];

/// Sets the alias `ab` to 90:10 of two versions of `model`, and configures `count` files by it. Prints who was given what to
/// `path`.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    count: &str,
    path: &str,
) -> Result<(), Failure> {
    let count: u32 = count.parse()?;
    let device = Device::open(Device::PATH)?;
    let model: ModelName = model.parse()?;
    let targets = [
        (model.with_version(1), WEIGHTS[0]),
        (model.with_version(2), WEIGHTS[1]),
    ];
    let generation = device.set_alias(&"ab".parse()?, &targets)?.generation;
    let (mut second, mut wrong, mut text) = (0_u32, 0, format!("generation {generation}\n"));
    for _ in 0..count {
        let (session, version) = given(b"ab")?;
        second += u32::from(version == 2);
        wrong += u32::from(draw(generation, session, WEIGHTS) + 1 != version);
        text += &format!("{session} {version}\n");
    }
    fs::write(path, text)?;
    report.equal("registry/draws-can-be-repeated", wrong, 0);
    // 3.29 standard deviations: 99.9 %.
    let (count, second) = (f64::from(count), f64::from(second));
    let apart = (second - count * 0.1).abs() / (count * 0.09).sqrt();
    report.equal(
        &format!("registry/{second}-of-{count}-are-a-tenth"),
        apart < 3.29,
        true,
    );
    Ok(())
}

/// Number and version of a file that is configured by this alias.
fn given(alias: &[u8]) -> Result<(u64, u32), Failure> {
    let file = open()?;
    let mut configuration = sislm_configure {
        model: bytes_of(alias),
        sampling: sislm_sampling {
            top_p: SISLM_MILLION,
            typical_p: SISLM_MILLION,
            repeat_penalty: SISLM_MILLION,
            ..Default::default()
        },
        ..Default::default()
    };
    call(&file, SISLM_IOC_CONFIGURE, &mut configuration)?;
    let facts = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))?;
    let fact = |key: &str| {
        let mut lines = facts.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(":\t"))
    };
    let session = fact("sislm-client-id").ok_or("no number")?.parse()?;
    Ok((session, fact("sislm-version").ok_or("no version")?.parse()?))
}
