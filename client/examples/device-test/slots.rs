// SPDX-License-Identifier: MIT OR Apache-2.0
//! A context that CONFIGURE keeps: the same answers as an empty one, with fewer positions computed.

use sislm::{
    Device, KvType, Millionths, ModelName, Outcome, SamplingConfig, SessionConfig, Slot, Source,
};

use crate::report::{Failure, Report};

/// Ids of the first prompt.
const PROMPT: u32 = 70;
/// Tokens of an answer.
const TOKENS: u32 = 24;

/// Gives whole prompts that begin alike to one slot, and to empty ones. `kept`: whether the device keeps `any` positions of
/// this model, or `all` that are computed.
pub(crate) fn run(report: &mut Report, model: &str, kept: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let source = Source::open(model)?;
    let (name, other): (ModelName, ModelName) = ("slots".parse()?, "slots-other".parse()?);
    device.load(&source, &name)?;
    device.load(&source, &other)?;
    goes_on(report, &device, &name, kept == "any")?;
    begins_anew(report, &device, &name, &other)?;
    device.unload(&name)?;
    device.unload(&other)?;
    Ok(())
}

/// Draws that depend on all tokens before, penalties included.
fn config(model: &ModelName, seed: u64) -> SessionConfig {
    SessionConfig {
        model: Some(model.clone()),
        context: 256,
        max_tokens: TOKENS,
        ignore_eos: true,
        seed: Some(seed),
        sampling: SamplingConfig {
            temperature: Millionths(1_500_000),
            repeat_penalty: Millionths(1_300_000),
            repeat_last: 256,
            ..SamplingConfig::greedy()
        },
        ..Default::default()
    }
}

/// Some ids, which begin alike up to where `change` is.
fn ids(count: u32, change: u32) -> Vec<u32> {
    let id = |place| 40 + place * 7 % 200 + u32::from(place >= change);
    (0..count).map(id).collect()
}

/// A turn of the slot, and the positions that it computed.
fn answer(
    device: &Device,
    slot: &mut Slot,
    config: &SessionConfig,
    ids: &[u32],
) -> Result<(Outcome, u64), Failure> {
    let before = device.statistics()?.positions_computed;
    for text in slot.begin(config, ids)? {
        text?;
    }
    let outcome = slot.finish()?;
    Ok((outcome, device.statistics()?.positions_computed - before))
}

fn goes_on(
    report: &mut Report,
    device: &Device,
    name: &ModelName,
    any: bool,
) -> Result<(), Failure> {
    let mut slot = Slot::new(device.session(&config(name, 0))?);
    let first = ids(PROMPT, PROMPT);
    let (outcome, _) = answer(device, &mut slot, &config(name, 1), &first)?;
    report.equal("slots/first", (slot.kept(), outcome.reused), (0, 0));
    let conversation = [&first[..], &outcome.ids, &ids(9, 0)].concat();
    let some = |positions: u32| if any { positions } else { 0 };
    let prompts = [
        // The last token drawn is kept, but has no keys and values yet.
        ("conversation", conversation.clone(), PROMPT + TOKENS, 1),
        ("again", conversation.clone(), some(PROMPT + TOKENS + 8), 0),
        ("other-end", ids(PROMPT, 33), some(33), 0),
        ("shorter", ids(20, 33), some(19), 0),
        ("nothing-alike", ids(30, 0), 0, 0),
    ];
    for (seed, (test, prompt, kept, uncomputed)) in (2..).zip(prompts) {
        let config = config(name, seed);
        let (found, computed) = answer(device, &mut slot, &config, &prompt)?;
        let mut empty = Slot::new(device.session(&config)?);
        let (wanted, all) = answer(device, &mut empty, &config, &prompt)?;
        report.equal(&format!("slots/{test}/kept"), slot.kept(), kept);
        report.equal(&format!("slots/{test}/answer"), &found.ids, &wanted.ids);
        let reused = kept - uncomputed;
        report.equal(&format!("slots/{test}/reused"), found.reused, reused);
        report.equal(
            &format!("slots/{test}/computed"),
            all - computed,
            u64::from(reused),
        );
    }
    Ok(())
}

/// Another model, another number of positions, another type of keys: nothing is kept.
fn begins_anew(
    report: &mut Report,
    device: &Device,
    name: &ModelName,
    other: &ModelName,
) -> Result<(), Failure> {
    let same = config(name, 1);
    let configs = [
        ("model", config(other, 1)),
        (
            "positions",
            SessionConfig {
                context: 255,
                ..same.clone()
            },
        ),
        (
            "kv",
            SessionConfig {
                kv: KvType::F32,
                ..same.clone()
            },
        ),
        (
            "kv-quantized",
            SessionConfig {
                kv: KvType::Q8_0,
                ..same.clone()
            },
        ),
    ];
    let prompt = ids(PROMPT, PROMPT);
    for (test, changed) in configs {
        let mut slot = Slot::new(device.session(&same)?);
        answer(device, &mut slot, &same, &prompt)?;
        let (outcome, _) = answer(device, &mut slot, &changed, &prompt)?;
        report.equal(
            &format!("slots/another-{test}"),
            (slot.kept(), outcome.reused),
            (0, 0),
        );
    }
    Ok(())
}
