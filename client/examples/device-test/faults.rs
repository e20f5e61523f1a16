// SPDX-License-Identifier: MIT OR Apache-2.0
//! Allocations that fail one at a time: the first of this thread's in a call, then the second, until the call comes to
//! no more. tests/guest/faults.sh says which allocations the kernel counts: the module's.

use std::fs;

use nix::errno::Errno;
use sislm::{Device, Error, ModelName, SamplingConfig, Session, SessionConfig, Source, Tokenize};

use crate::report::{Failure, Report};

/// Holds which allocation is to fail; 0 when it has, or when none is.
const FAIL_NTH: &str = "/proc/thread-self/fail-nth";

/// More than any call comes to.
const LIMIT: u32 = 2000;

/// Every call that allocates, on a model that was loaded soundly, and its answer afterwards.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let source = Source::open(model)?;
    let name: ModelName = "sound".parse()?;
    let other: ModelName = "faulty".parse()?;
    each(report, "load", (), || {
        device.load(&source, &other)?;
        // With an allocation left to fail, this may fail in its place.
        device.unload(&other).or_else(|_| device.unload(&other))
    })?;
    device.load(&source, &name)?;
    let config = SessionConfig {
        model: Some(name.clone()),
        max_tokens: 4,
        sampling: SamplingConfig::greedy(),
        ignore_eos: true,
        ..Default::default()
    };
    let answer = || {
        let mut session = device.session(&config)?;
        for text in session.prompt(b"one ten")? {
            text?;
        }
        Ok(session.outcome()?.ids)
    };
    let wanted = answer()?;
    each(report, "answer", wanted.clone(), answer)?;
    refused(report, &device, &config)?;
    let evaluate = || {
        let mut session = device.session(&config)?;
        Ok(session.evaluate(&wanted, 3)?.logits_digest)
    };
    let digest = evaluate()?;
    each(report, "evaluate", digest, evaluate)?;
    let session = device.session(&config)?;
    let how = Tokenize {
        first: true,
        control: false,
    };
    let ids = session.tokenize(b"one ten", how)?;
    each(report, "tokenize", ids, || {
        session.tokenize(b"one ten", how)
    })?;
    drop(session);
    device.unload(&name)?;
    Ok(())
}

/// A prompt that is refused leaves nothing behind: the next one is answered as if it had not been.
fn refused(report: &mut Report, device: &Device, config: &SessionConfig) -> Result<(), Failure> {
    let ask = |session: &mut Session, prompt: &[u8]| -> Result<(), Error> {
        session.prompt(prompt)?.try_for_each(|text| text.map(drop))
    };
    let facts = |session: &Session| -> Result<_, Error> {
        let outcome = session.outcome()?;
        Ok((
            outcome.prompt_ids,
            outcome.ids,
            outcome.positions,
            outcome.reused,
            outcome.seed,
        ))
    };
    let config = SessionConfig {
        seed: Some(1),
        ..config.clone()
    };
    // In a fresh context, and in one that has an answer before.
    for before in [0, 1] {
        let prepared = || -> Result<Session, Error> {
            let mut session = device.session(&config)?;
            for _ in 0..before {
                ask(&mut session, b"one")?;
            }
            Ok(session)
        };
        let mut session = prepared()?;
        ask(&mut session, b"he")?;
        let wanted = facts(&session)?;
        let (mut refusals, mut wrong) = (0, Vec::new());
        for nth in 1..LIMIT {
            let mut session = prepared()?;
            fs::write(FAIL_NTH, nth.to_string())?;
            let asked = ask(&mut session, b"one ten tires");
            let left = fs::read_to_string(FAIL_NTH)?;
            fs::write(FAIL_NTH, "0")?;
            if asked.is_err() {
                refusals += 1;
                ask(&mut session, b"he")?;
                let found = facts(&session)?;
                if found != wanted {
                    wrong.push(format!("{nth}: {found:?}, wanted {wanted:?}"));
                }
            }
            if left.trim() != "0" {
                break;
            }
        }
        let name = format!("faults/refused-after-{before}-answers");
        report.equal(&format!("{name}-leaves-no-trace"), wrong, Vec::new());
        report.equal(&format!("{name}-was-refused"), refusals > 3, true);
    }
    Ok(())
}

/// Makes `call` with its first allocation failing, its second and so on: it gives `wanted` or ENOMEM.
fn each<T: PartialEq>(
    report: &mut Report,
    name: &str,
    wanted: T,
    mut call: impl FnMut() -> Result<T, Error>,
) -> Result<(), Failure> {
    let (mut failed, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for nth in 1..LIMIT {
        fs::write(FAIL_NTH, nth.to_string())?;
        let found = call();
        let left = fs::read_to_string(FAIL_NTH)?;
        fs::write(FAIL_NTH, "0")?;
        match found {
            Err(error) if error.errno() == Errno::ENOMEM => refused += 1,
            Err(error) => wrong.push(format!("{nth}: {error:?}")),
            Ok(found) if found != wanted => wrong.push(format!("{nth}: another answer")),
            Ok(_) => {}
        }
        if left.trim() != "0" {
            break;
        }
        failed = nth;
    }
    println!("# {name}: {failed} allocations failed, {refused} of them seen");
    report.equal(&format!("faults/{name}/each-allocation"), wrong, Vec::new());
    let seen = failed > 0 && refused > 0 && failed < LIMIT - 1;
    report.equal(&format!("faults/{name}/allocations-failed"), seen, true);
    Ok(())
}
