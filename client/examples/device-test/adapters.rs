// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model with an adapter: what MODEL says of it, and that nothing computed at one scale is kept for another.

use sislm::{
    AdapterFile, Device, LoadOptions, ModelName, SamplingConfig, SessionConfig, Slot, Source,
};

use crate::report::{Failure, Report};

/// 1 and 1/2 in millionths.
const ONE: i32 = 1_000_000;
const HALF: i32 = ONE / 2;

/// Loads `model` with the adapter `lora` twice.
pub(crate) fn run(report: &mut Report, model: &str, lora: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "adapted".parse()?;
    let adapters = [AdapterFile::open(lora, HALF)?, AdapterFile::open(lora, 0)?];
    let source = Source::open(model)?;
    let load = device.load_adapted(&source, &adapters, &name, LoadOptions::default())?;
    let bytes = source.bytes() + 2 * adapters[0].bytes();
    report.equal("adapters/bytes", load.bytes, bytes);
    let loaded = device.model(&name)?.ok_or("the model is gone")?;
    let told: Vec<_> = loaded
        .adapters()
        .iter()
        .map(|adapter| (adapter.scale, adapter.file_bytes, adapter.rank > 0))
        .collect();
    let each = adapters[0].bytes();
    report.equal(
        "adapters/told",
        told,
        vec![(HALF, each, true), (0, each, true)],
    );
    keeps_by_scale(report, &device, &name)?;
    device.unload(&name)?;
    Ok(())
}

fn config(name: &ModelName, scales: Option<Vec<i32>>) -> SessionConfig {
    SessionConfig {
        model: Some(name.clone()),
        context: 128,
        max_tokens: 12,
        ignore_eos: true,
        sampling: SamplingConfig::greedy(),
        scales,
        ..Default::default()
    }
}

/// Turns of one slot at changing scales are those of empty ones; what is kept is of the same scales.
fn keeps_by_scale(report: &mut Report, device: &Device, name: &ModelName) -> Result<(), Failure> {
    let ids: Vec<u32> = (0..40).map(|place| 40 + place * 7 % 200).collect();
    let turn = |slot: &mut Slot, config: &SessionConfig| -> Result<(u32, Vec<u32>), Failure> {
        for text in slot.begin(config, &ids)? {
            text?;
        }
        Ok((slot.kept(), slot.finish()?.ids))
    };
    let mut slot = Slot::new(device.session(&config(name, None))?);
    let mut answers = Vec::new();
    for (test, scales, keeps) in [
        ("load", None, false),
        ("same", Some(vec![HALF, 0]), true),
        ("other", Some(vec![ONE]), false),
        ("second", Some(vec![0, ONE]), false),
        ("off", Some(vec![]), false),
        ("off-again", Some(vec![0, 0]), true),
    ] {
        let config = config(name, scales);
        let (kept, found) = turn(&mut slot, &config)?;
        report.equal(&format!("adapters/{test}/keeps"), kept > 0, keeps);
        let mut empty = Slot::new(device.session(&config)?);
        let (_, wanted) = turn(&mut empty, &config)?;
        report.equal(&format!("adapters/{test}/answer"), &found, &wanted);
        answers.push(found);
    }
    report.equal("adapters/twice", &answers[2], &answers[3]);
    report.equal("adapters/differ", answers[2] == answers[4], false);
    Ok(())
}
