// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many sessions, one after the other and at the same time.

use std::os::unix::fs::MetadataExt;
use std::thread;

use nix::unistd::{getegid, setegid, seteuid, Gid, Uid};
use sislm::{Device, Error, ModelName, Session, SessionConfig, Source};

use crate::report::{Failure, Report};

/// Sessions that infer at once.
const AT_ONCE: usize = 8;
/// Tokens that each of them generates.
const TOKENS: u32 = 120;

/// Opens, infers and closes `count` times, then lets eight clients infer at once.
pub(crate) fn run(report: &mut Report, model: &str, count: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "sessions".parse()?;
    device.load(&Source::open(model)?, &name)?;
    let before = device.statistics()?;
    let count: u32 = count.parse()?;
    let first = answer(&device, &config(&name, 2, 0), PROMPT)?;
    let mut differed = 0;
    for _ in 1..count {
        if answer(&device, &config(&name, 2, 0), PROMPT)? != first {
            differed += 1;
        }
    }
    report.equal(
        &format!("sessions/{count}-times-open-infer-close"),
        differed,
        0,
    );
    at_once(report, &device, &name)?;
    by_user(report, &device, &name)?;
    let spy = as_user(NOBODY, || Device::open(Device::PATH))?;
    let seen = spy.statistics()?;
    // The one turn of theirs in `by_user`.
    report.equal(
        "sessions/no-counters-of-others",
        (seen.turns, seen.tokens, seen.steps, seen.kv_blocks),
        (1, u64::from(TOKENS), 0, 0),
    );
    drop(spy);
    uses(report, &device, &name)?;
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
        u64::from(count) + 2 * AT_ONCE as u64 + 1 + 2 * AT_ONCE as u64 + 1 + 2,
    );
    device.unload(&name)?;
    Ok(())
}

/// A user who is not root.
const NOBODY: u32 = 65534;
/// What most sessions are asked.
const PROMPT: &[u8] = b"one ten";

fn config(name: &ModelName, tokens: u32, seed: u64) -> SessionConfig {
    SessionConfig {
        model: Some(name.clone()),
        max_tokens: tokens,
        ignore_eos: true,
        seed: Some(seed),
        ..Default::default()
    }
}

fn answer(device: &Device, config: &SessionConfig, prompt: &[u8]) -> Result<Vec<u32>, Failure> {
    finish(&mut device.session(config)?, prompt)
}

fn finish(session: &mut Session, prompt: &[u8]) -> Result<Vec<u32>, Failure> {
    for text in session.prompt(prompt)? {
        text?;
    }
    Ok(session.outcome()?.ids)
}

/// Answers with the numbers of those who ask, of different length and beside one that is given up:
/// the company in a step changes none of them.
fn at_once(report: &mut Report, device: &Device, name: &ModelName) -> Result<(), Failure> {
    let ask = |number: usize| {
        let prompt = PROMPT.repeat(1 + number * number / 3);
        answer(device, &config(name, TOKENS, number as u64), &prompt)
            .map_err(|error| error.to_string())
    };
    let alone = (0..AT_ONCE).map(ask).collect::<Result<Vec<_>, _>>()?;
    let before = device.statistics()?;
    let together = thread::scope(|scope| {
        let asking: Vec<_> = (0..AT_ONCE)
            .map(|number| scope.spawn(move || ask(number)))
            .collect();
        give_up(device, &config(name, TOKENS, 0)).map_err(|error| error.to_string())?;
        let answers = asking.into_iter().map(|client| client.join());
        answers
            .map(|answer| answer.map_err(|_| "a client panicked")?)
            .collect::<Result<Vec<_>, String>>()
    })?;
    let after = device.statistics()?;
    for (number, (together, alone)) in together.into_iter().zip(alone).enumerate() {
        report.equal(&format!("sessions/eight-at-once-{number}"), together, alone);
    }
    let steps = after.steps - before.steps;
    let tokens = AT_ONCE as u64 * u64::from(TOKENS);
    report.equal(
        &format!("sessions/{steps}-steps-for-{tokens}-tokens"),
        steps < tokens / 2,
        true,
    );
    Ok(())
}

/// One session of a user beside sixteen of another: it has a row in each step.
fn by_user(report: &mut Report, device: &Device, name: &ModelName) -> Result<(), Failure> {
    let config = config(name, TOKENS, 0);
    let mut other = as_user(NOBODY, || device.session(&config))?;
    let steps = thread::scope(|scope| {
        let asking: Vec<_> = (0..2 * AT_ONCE)
            .map(|_| scope.spawn(|| answer(device, &config, PROMPT).map(drop).is_ok()))
            .collect();
        let before = device.statistics()?.steps;
        finish(&mut other, PROMPT)?;
        let steps = device.statistics()?.steps - before;
        let answered = asking
            .into_iter()
            .all(|client| client.join().unwrap_or(false));
        if answered {
            Ok(steps)
        } else {
            Err(Failure::from("a client was not answered"))
        }
    })?;
    report.equal(
        &format!("sessions/{steps}-steps-for-a-user-with-one-of-many"),
        steps < u64::from(TOKENS) * 5 / 4,
        true,
    );
    Ok(())
}

/// What a user is told of open files and of a model's use: their own.
fn uses(report: &mut Report, device: &Device, name: &ModelName) -> Result<(), Failure> {
    let config = config(name, 2, 0);
    let mut own = as_user(NOBODY, || device.session(&config))?;
    let mut of_root = device.session(&config)?;
    finish(&mut own, PROMPT)?;
    finish(&mut of_root, PROMPT)?;
    let spy = as_user(NOBODY, || Device::open(Device::PATH))?;
    let used = |device: &Device| {
        let model = device.model(name)?.ok_or("the model is gone")?;
        let sessions = device.query()?.sessions;
        let kv_bytes = (model.kv_bytes, device.statistics()?.kv_bytes);
        Ok::<_, Failure>((sessions, model.users, kv_bytes))
    };
    let (bytes, _) = used(&spy)?.2;
    report.equal("sessions/own-keys-and-values", bytes > 0, true);
    report.equal(
        "sessions/no-use-of-others",
        used(&spy)?,
        (2, 1, (bytes, bytes)),
    );
    report.equal(
        "sessions/all-uses-for-root",
        used(device)?,
        (4, 2, (2 * bytes, 2 * bytes)),
    );
    Ok(())
}

/// Does something as another user, with the group of the device.
fn as_user<T>(user: u32, action: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
    let (group, before) = (std::fs::metadata(Device::PATH)?.gid(), getegid());
    setegid(Gid::from_raw(group))?;
    seteuid(Uid::from_raw(user))?;
    let done = action();
    seteuid(Uid::from_raw(0))?;
    setegid(before)?;
    Ok(done?)
}

/// Closes a session that is being answered.
fn give_up(device: &Device, config: &SessionConfig) -> Result<(), Failure> {
    let mut session = device.session(config)?;
    session.prompt(PROMPT)?.next().transpose()?;
    Ok(())
}
