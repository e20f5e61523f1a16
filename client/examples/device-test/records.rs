// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decision records: read, chained, committed to, and what happens to a slow reader.
//!
//! The module keeps fewer of them than there are turns here.

use std::collections::HashMap;
use std::io::Read;
use std::thread;

use nix::errno::Errno;
use nix::libc::POLLIN;
use sislm::{
    Chain, Commitment, Device, Error, Finish, ModelName, Outcome, Receipt, Record, RecordKind,
    Records, SamplingConfig, Session, SessionConfig, Source,
};

use crate::raw::{poll, read_nowhere, transfer, NOWHERE};
use crate::report::{Failure, Report};

/// Descriptors of TRACE at a time.
const READERS_MAX: usize = 64;
/// Turns between two reads of a reader that loses nothing.
const READ_EVERY: usize = 8;
/// Tokens of an answer.
const TOKENS: u32 = 3;

/// Makes `count` turns on `model`, and reads their records.
pub(crate) fn run(report: &mut Report, model: &str, count: &str) -> Result<(), Failure> {
    let count: usize = count.parse()?;
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "records".parse()?;
    let mut reader = device.trace()?;
    reader.set_waiting(false)?;
    let mut slow = device.trace()?;
    slow.set_waiting(false)?;
    let mut chain = Chain::default();
    let before = drained(&mut reader, &mut chain)?;
    device.load(&Source::open(model)?, &name)?;

    let config = config(&name);
    let mut session = device.session(&config)?;
    let (mut turns, mut found) = (Vec::new(), Vec::new());
    for place in 0..count {
        turns.push(turn(&mut session, place)?);
        if place.is_multiple_of(READ_EVERY) {
            found.extend(drained(&mut reader, &mut chain)?);
        }
    }
    found.extend(drained(&mut reader, &mut chain)?);
    report.equal("records/lost-by-a-reader-in-time", chain.lost, 0);
    all_are_there(report, &device, &name, &turns, &found, count)?;
    report.equal(
        "records/chain-head",
        found.last().map(Record::chain),
        Some(chain.head()),
    );
    commitments(report, &device, &name, &config, &turns, &found)?;
    flipped(report, &before, &found);
    lost(report, &mut slow, &chain)?;
    waits(report, &device, &mut session)?;
    edges(report, &device, &mut session)?;
    readers_are_bounded(report, &device, reader, slow)?;
    drop(session);
    device.unload(&name)?;
    Ok(())
}

/// Makes `count` turns on `model`, for whoever exports the records.
pub(crate) fn made(report: &mut Report, model: &str, count: &str) -> Result<(), Failure> {
    let count: usize = count.parse()?;
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "recorded".parse()?;
    device.load(&Source::open(model)?, &name)?;
    let mut session = device.session(&config(&name))?;
    let mut turns = HashMap::new();
    for place in 0..count {
        let receipt = turn(&mut session, place)?.receipt;
        turns.insert((receipt.session, receipt.turn), receipt.commitment);
    }
    report.equal("recorded/turns", turns.len(), count);
    drop(session);
    device.unload(&name)?;
    Ok(())
}

fn config(model: &ModelName) -> SessionConfig {
    SessionConfig {
        model: Some(model.clone()),
        context: 64,
        max_tokens: TOKENS,
        ignore_eos: true,
        sampling: SamplingConfig::balanced(),
        ..Default::default()
    }
}

/// A turn, with the ids that its context had before.
struct Made {
    context: Vec<u32>,
    outcome: Outcome,
    receipt: Receipt,
}

/// A turn of `session`; every second one goes on with the context of the one before.
fn turn(session: &mut Session, place: usize) -> Result<Made, Failure> {
    let mut context = Vec::new();
    if place.is_multiple_of(2) {
        session.reset()?;
    } else {
        let before = session.outcome()?;
        context.extend(before.prompt_ids);
        context.extend(before.ids);
    }
    let text = format!("{} ten", place % 7);
    for piece in session.prompt(text.as_bytes())? {
        piece?;
    }
    let outcome = session.outcome()?;
    context.extend(&outcome.prompt_ids);
    let receipt = session.receipt()?.ok_or("no receipt")?;
    Ok(Made {
        context,
        outcome,
        receipt,
    })
}

/// All records that there are, checked against the chain.
fn drained(reader: &mut Records, chain: &mut Chain) -> Result<Vec<Record>, Failure> {
    let mut found = Vec::new();
    let mut bytes = [0; 5 * Record::BYTES + 100];
    loop {
        let count = reader.read(&mut bytes)?;
        if count == 0 {
            return Ok(found);
        }
        let mut rest = &bytes[..count];
        while let Some((record, behind)) = Record::split_first(rest) {
            found.push(chain.add(record)?);
            rest = behind;
        }
        if !rest.is_empty() {
            return Err("a part of a record was read".into());
        }
    }
}

/// The records of a kind that there are, by the numbers of file and turn.
pub(crate) fn of_kind(
    device: &Device,
    kind: RecordKind,
) -> Result<HashMap<(u64, u64), Record>, Failure> {
    let mut reader = device.trace()?;
    reader.set_waiting(false)?;
    let all = drained(&mut reader, &mut Chain::default())?;
    let found = all.into_iter().filter(|record| record.kind() == kind);
    Ok(found
        .map(|record| ((record.session, record.turn), record))
        .collect())
}

/// One record for the load and one for each turn, which say what RESULT and RECEIPT do.
fn all_are_there(
    report: &mut Report,
    device: &Device,
    name: &ModelName,
    turns: &[Made],
    found: &[Record],
    count: usize,
) -> Result<(), Failure> {
    let kinds: Vec<RecordKind> = found.iter().map(Record::kind).collect();
    let mut wanted = vec![RecordKind::Load];
    wanted.resize(count + 1, RecordKind::Turn);
    report.equal("records/one-a-turn", kinds == wanted, true);
    let model = device.model(name)?.ok_or("the model is gone")?;
    report.equal(
        "records/load-has-the-digest",
        found.first().map(Record::commitment),
        Some(model.digest()),
    );
    let uid = nix::unistd::geteuid().as_raw();
    let same = |made: &Made, record: &Record| {
        let outcome = &made.outcome;
        (record.session, record.turn) == (made.receipt.session, made.receipt.turn)
            && record.commitment() == made.receipt.commitment
            && (record.uid, record.tgid) == (uid, std::process::id())
            && record.prompt_count as usize == outcome.prompt_ids.len()
            && record.count as usize == outcome.ids.len()
            && (record.reused, record.seed) == (outcome.reused, outcome.seed)
            && (record.finish(), record.error) == (Finish::Length, 0)
            && record.prefill_ns == outcome.timings.prefill_ns
            && record.decode_ns == outcome.timings.decode_ns
            && record.numerics == outcome.numerics
            && (record.peers, record.is_guided()) == (1, false)
            && record.digest == model.digest[..8]
            && record.cpu_ns > 0
            && record.kv_bytes > 0
            && record.cgroup > 0
    };
    let differ = turns.iter().zip(found.iter().skip(1));
    let differ: Vec<u64> = differ
        .filter(|(made, record)| !same(made, record))
        .map(|(_, record)| record.sequence)
        .collect();
    report.equal("records/say-what-result-says", differ, vec![]);
    // Only this program was served since the module was loaded.
    let of_one_user =
        |record: &&Record| record.served_ns == record.all_served_ns && record.longest_step_ns > 0;
    let grows = |pair: &[Record]| pair[0].served_ns < pair[1].served_ns;
    let turns = found.get(1..).unwrap_or_default();
    report.equal(
        "records/served",
        turns.iter().filter(of_one_user).count(),
        count,
    );
    report.equal("records/served-grows", turns.windows(2).all(grows), true);
    Ok(())
}

/// The commitments that this program computes, and not those of other ids, nonces or seeds.
fn commitments(
    report: &mut Report,
    device: &Device,
    name: &ModelName,
    config: &SessionConfig,
    turns: &[Made],
    found: &[Record],
) -> Result<(), Failure> {
    let model = device.model(name)?.ok_or("the model is gone")?;
    let records: HashMap<_, _> = found
        .iter()
        .map(|record| ((record.session, record.turn), record.commitment()))
        .collect();
    let (mut agree, mut tampered) = (0, 0);
    for made in turns {
        let outcome = &made.outcome;
        let sound = Commitment {
            nonce: made.receipt.nonce,
            model: &model,
            config,
            numerics: outcome.numerics,
            seed: outcome.seed,
            context: &made.context,
            ids: &outcome.ids,
        };
        let recorded = records.get(&(made.receipt.session, made.receipt.turn));
        agree += usize::from(sound.digest().as_ref() == recorded);
        let others = [
            Commitment {
                nonce: [0; 16],
                ..sound
            },
            Commitment {
                seed: outcome.seed ^ 1,
                ..sound
            },
            Commitment {
                ids: &outcome.ids[1..],
                ..sound
            },
        ];
        let same = |other: &Commitment<'_>| other.digest().as_ref() == recorded;
        tampered += others.iter().filter(|other| same(other)).count();
    }
    report.equal("records/commitments", (agree, tampered), (turns.len(), 0));
    let nonces: HashMap<_, _> = turns.iter().map(|made| (made.receipt.nonce, ())).collect();
    report.equal("records/nonces-differ", nonces.len(), turns.len());
    Ok(())
}

/// Each byte of a record, changed, is found in an export of it and the next one.
fn flipped(report: &mut Report, before: &[Record], found: &[Record]) {
    let mut start = Chain::default();
    for record in before.iter().chain(found.iter().take(4)) {
        if start.add(record.bytes()).is_err() {
            report.failed("records/flipped", "the export itself is not sound");
            return;
        }
    }
    let Some(record) = found.get(4) else {
        report.failed("records/flipped", "no record");
        return;
    };
    let unnoticed = (0..Record::BYTES).filter(|place| {
        let mut bytes = record.bytes().to_vec();
        bytes[*place] ^= 1;
        start.clone().add(&bytes).is_ok()
    });
    report.equal("records/flipped", unnoticed.count(), 0);
}

/// A reader that comes late is told once how many it has missed, and goes on in the same chain.
fn lost(report: &mut Report, slow: &mut Records, whole: &Chain) -> Result<(), Failure> {
    let mut chain = Chain::default();
    let found = drained(slow, &mut chain)?;
    let kinds = found.iter().filter(|one| one.kind() == RecordKind::Lost);
    report.equal("records/lost-is-one-record", kinds.count(), 1);
    report.equal(
        "records/lost-first",
        found.first().map(|record| (record.kind(), record.lost > 0)),
        Some((RecordKind::Lost, true)),
    );
    report.equal(
        "records/lost-and-read-are-all",
        (chain.lost + chain.records, chain.head()),
        (whole.last, whole.head()),
    );
    Ok(())
}

/// A poller and a reader that wait are woken by the next turn.
fn waits(report: &mut Report, device: &Device, session: &mut Session) -> Result<(), Failure> {
    let mut reader = device.trace()?;
    reader.set_waiting(false)?;
    drained(&mut reader, &mut Chain::default())?;
    report.equal(
        "records/poll-nothing",
        poll(reader.file(), POLLIN, 0),
        Ok(0),
    );
    let polled = reader.file().try_clone()?;
    let poller = thread::spawn(move || poll(&polled, POLLIN, 60_000));
    turn(session, 0)?;
    let polled = poller.join().map_err(|_| "the poller panicked")?;
    report.equal("records/poll-wakes", polled, Ok(POLLIN));
    drained_any(&mut reader)?;
    reader.set_waiting(true)?;
    let waiter = thread::spawn(move || {
        let mut bytes = [0; Record::BYTES];
        reader.read(&mut bytes).map(|count| (count, bytes))
    });
    let made = turn(session, 0)?;
    let (count, bytes) = waiter.join().map_err(|_| "the reader panicked")??;
    let record = Record::from_bytes(&bytes[..count]).map(|record| record.turn);
    report.equal("records/read-waits", record, Some(made.receipt.turn));
    Ok(())
}

fn drained_any(reader: &mut Records) -> Result<(), Error> {
    let mut bytes = [0; 16 * Record::BYTES];
    while reader.read(&mut bytes)? > 0 {}
    Ok(())
}

/// Reads that give nothing take nothing.
fn edges(report: &mut Report, device: &Device, session: &mut Session) -> Result<(), Failure> {
    let mut reader = device.trace()?;
    reader.set_waiting(false)?;
    drained_any(&mut reader)?;
    let mut bytes = [0; Record::BYTES];
    let empty = reader
        .file()
        .read(&mut bytes)
        .map_err(|error| error.raw_os_error());
    report.equal(
        "records/nothing-to-read",
        empty,
        Err(Some(Errno::EAGAIN as i32)),
    );
    let made = turn(session, 0)?;
    let errno = |result: Result<usize, Error>| result.map_err(|error| error.errno());
    report.refused(
        "records/read-too-short",
        errno(reader.read(&mut bytes[..Record::BYTES - 1])),
        &[Errno::EINVAL],
    );
    report.refused(
        "records/read-short-nowhere",
        transfer(reader.file(), NOWHERE, false),
        &[Errno::EINVAL],
    );
    report.refused(
        "records/read-nowhere",
        read_nowhere(reader.file(), Record::BYTES),
        &[Errno::EFAULT],
    );
    let count = reader.read(&mut bytes)?;
    let record = Record::from_bytes(&bytes[..count]).map(|record| record.turn);
    report.equal(
        "records/kept-after-a-fault",
        record,
        Some(made.receipt.turn),
    );
    report.refused(
        "records/not-written",
        transfer(reader.file(), bytes.as_ptr() as u64, true),
        &[Errno::EBADF],
    );
    Ok(())
}

/// No more descriptors than the module has room for, and all of them again afterwards.
fn readers_are_bounded(
    report: &mut Report,
    device: &Device,
    reader: Records,
    slow: Records,
) -> Result<(), Failure> {
    drop((reader, slow));
    for round in ["bounded", "given-back"] {
        let mut readers = Vec::new();
        let refused = loop {
            match device.trace() {
                Ok(reader) => readers.push(reader),
                Err(error) => break error.errno(),
            }
        };
        report.equal(
            &format!("records/readers-{round}"),
            (readers.len(), refused),
            (READERS_MAX, Errno::ENFILE),
        );
    }
    Ok(())
}
