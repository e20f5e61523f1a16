// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whom comparisons delay: by the records, nobody by more than the step that is in flight.

use std::sync::mpsc;
use std::thread;

use sislm::{Record, RecordKind};

use super::{answer, config, in_hand, Case};
use crate::records;
use crate::report::{Failure, Report};

/// Times that it is tried.
const ROUNDS: u64 = 4;
/// Tokens of what is compared, or goes on meanwhile.
const LONG: u32 = 180;
/// Short answers that are looked at beside comparisons.
const SHORT: usize = 24;

/// While a comparison waits or goes on, others answer.
pub(super) fn run(report: &mut Report, case: &Case<'_>) -> Result<(), Failure> {
    starved(report, case)?;
    beside(report, case)
}

/// What others than the user of a turn were served until its record: comparisons alone, here.
fn others(record: &Record) -> u64 {
    record.all_served_ns - record.served_ns
}

/// A comparison that begins while a turn goes on is given nothing before its end; answers meanwhile are only counted.
fn starved(report: &mut Report, case: &Case<'_>) -> Result<(), Failure> {
    let (mut tried, mut given, mut busy) = (0, Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let before = case.settled()?;
        let (device, shadow) = (case.device, &case.shadow);
        let (long, shorts) = thread::scope(|scope| {
            let (begun, begins) = mpsc::channel();
            // Of the version that compares, whose own answers are not.
            let long = scope.spawn(move || {
                let mut session = device.session(&config(shadow, round, LONG))?;
                for text in session.prompt(b"one")? {
                    text?;
                    let _ = begun.send(());
                }
                session.receipt()
            });
            // It fails with the session, of which the join tells.
            let _ = begins.recv();
            let session = device.session(&config(&case.alias, round, 2));
            let shorts = session.and_then(|mut session| {
                let mut receipt = || {
                    answer(&mut session, b"ten")?;
                    session.receipt()
                };
                Ok((receipt()?, receipt()?))
            });
            (long.join(), shorts)
        });
        let long = long.map_err(|_| "a session panicked")??;
        let long = long.ok_or("no receipt")?;
        let (short, next) = shorts?;
        let short = short.ok_or("no receipt")?;
        let next = next.ok_or("no receipt")?;
        let after = case.settled()?;
        let turns = records::of_kind(case.device, RecordKind::Turn)?;
        let find = |session, turn| turns.get(&(session, turn)).ok_or("no record");
        let long = find(long.session, long.turn)?;
        let short = find(short.session, short.turn)?;
        let next = find(next.session, next.turn)?;
        // Else the comparison began after both.
        if short.sequence < long.sequence {
            tried += 1;
            given.push(others(long) - others(short));
        }
        if next.sequence < long.sequence {
            busy.push((after.turns - before.turns, after.busy - before.busy));
        }
    }
    report.equal("shadow/turns-beside-a-comparison", tried > 0, true);
    let none = vec![0; given.len()];
    report.equal("shadow/nothing-before-turns-that-go-on", given, none);
    report.equal("shadow/two-answers-meanwhile", busy.is_empty(), false);
    report.equal(
        "shadow/one-of-two-is-counted-only",
        &busy,
        &vec![(1, 1); busy.len()],
    );
    let compared = records::of_kind(case.device, RecordKind::Compare)?;
    let is_own = |record: &&Record| record.uid == 0 && record.cpu_ns > 0 && record.count == 0;
    let all = compared.len();
    let sound = compared.values().filter(is_own).count();
    report.equal(
        "shadow/comparisons-have-records",
        (all > 0, sound),
        (true, all),
    );
    Ok(())
}

/// Short turns that begin while a comparison goes on wait for one step at most.
fn beside(report: &mut Report, case: &Case<'_>) -> Result<(), Failure> {
    let mut session = case.device.session(&config(&case.alias, 0, LONG))?;
    let mut short = case.device.session(&config(&case.shadow, 0, 1))?;
    let mut receipts = Vec::new();
    for round in 0..64 {
        if receipts.len() >= SHORT {
            break;
        }
        session.configure(&config(&case.alias, round, LONG), 0)?;
        answer(&mut session, b"one ten")?;
        loop {
            let before = in_hand(&case.counts()?);
            answer(&mut short, b"ten")?;
            let receipt = short.receipt()?.ok_or("no receipt")?;
            short.reset()?;
            if before == 0 || in_hand(&case.counts()?) == 0 {
                break;
            }
            receipts.push((receipt.session, receipt.turn));
        }
        case.settled()?;
    }
    let turns = records::of_kind(case.device, RecordKind::Turn)?;
    let waits = receipts
        .iter()
        .filter_map(|numbers| turns.get(numbers))
        .map(|record| (record.queue_ns, record.longest_step_ns));
    let waits: Vec<_> = waits.collect();
    // A step's time is computing time; beside it, who waits has to be run again.
    let late = waits
        .iter()
        .filter(|(queue, step)| *queue > *step + 2_000_000);
    let late = late.count();
    let longest = waits.iter().max();
    println!(
        "# shadow: {} waits, the longest with the longest step {longest:?} ns",
        waits.len()
    );
    report.equal(
        "shadow/short-turns-beside-comparisons",
        waits.len() >= SHORT,
        true,
    );
    // The machine is shared: one in eight may have been held up by it.
    report.equal(
        &format!("shadow/{late}-wait-for-more-than-a-step"),
        late * 8 <= waits.len(),
        true,
    );
    Ok(())
}
