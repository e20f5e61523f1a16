// SPDX-License-Identifier: MIT OR Apache-2.0
//! `trace`: decision records, shown, exported and verified.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::{json, Value};
use sislm::{hex, Chain, Choices, Device, Reason, Record, RecordKind};

use crate::cli::{Cli, Trace};
use crate::exit_codes::{ExitCode, Failure};

/// Records that are read at a time.
const RECORDS: usize = 16;

/// Runs `trace`.
pub(crate) fn run(cli: &Cli, arguments: &Trace, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    if let Some(path) = &arguments.verify {
        return verify(cli, path, out);
    }
    // The device itself is closed then: the descriptor of the records is another file.
    let mut records = Device::open(&cli.device)?.trace()?;
    records.set_waiting(arguments.follow)?;
    let mut bytes = [0; RECORDS * Record::BYTES_MAX];
    loop {
        let count = records.read(&mut bytes)?;
        if count == 0 {
            return Ok(ExitCode::Success);
        }
        let bytes = bytes.get(..count).unwrap_or(&bytes);
        if arguments.raw {
            out.write_all(bytes)?;
        } else {
            let mut rest = bytes;
            while let Some((record, behind)) = Record::split_first(rest) {
                if let Some(record) = Record::from_bytes(record) {
                    show(cli, &record, out)?;
                }
                rest = behind;
            }
        }
        out.flush()?;
    }
}

/// Whether the export at `path` is whole.
fn verify(cli: &Cli, path: &Path, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let (chain, choices) = checked(BufReader::new(file), path)?;
    if choices.wrong != 0 {
        let sentence = format!(
            "{name} has {} choices that do not follow from what they were made by",
            choices.wrong
        );
        return Err(Failure::error(ExitCode::NotVerified, sentence));
    }
    if cli.json {
        let object = json!({
            "records": chain.records,
            "lost": chain.lost,
            "last": chain.last,
            "chain": chain.head().to_string(),
            "choices": choices.right,
        });
        writeln!(out, "{object}")?;
    } else {
        let Chain {
            records,
            lost,
            last,
            ..
        } = &chain;
        let head = chain.head();
        writeln!(
            out,
            "{records} records up to {last} are as they were made, {lost} were lost; chain {head}"
        )?;
    }
    Ok(ExitCode::Success)
}

/// The chain of all records that `file`, named `path`, gives, and the choices in them.
fn checked(mut file: impl Read, path: &Path) -> anyhow::Result<(Chain, Choices)> {
    let (mut chain, mut choices) = (Chain::default(), Choices::default());
    let name = path.display();
    loop {
        let mut bytes = Vec::with_capacity(Record::BYTES_LEAST);
        let mut read = |count: usize, bytes: &mut Vec<u8>| {
            file.by_ref()
                .take(count as u64)
                .read_to_end(bytes)
                .with_context(|| format!("cannot read {name}"))
        };
        read(Record::BYTES_LEAST, &mut bytes)?;
        if bytes.is_empty() {
            return Ok((chain, choices));
        }
        let more = Record::length(&bytes).map_or(0, |length| length - Record::BYTES_LEAST);
        read(more, &mut bytes)?;
        let record = chain.add(&bytes).map_err(|error| {
            let sentence = format!("{name} is no whole export of records: {error}");
            Failure::error(ExitCode::NotVerified, sentence)
        })?;
        choices.add(&record);
    }
}

fn show(cli: &Cli, record: &Record, out: &mut impl Write) -> std::io::Result<()> {
    if cli.json {
        writeln!(out, "{}", object(record))
    } else {
        writeln!(out, "{}", line(record))
    }
}

/// A record as a line.
fn line(record: &Record) -> String {
    let seconds = record.real_ns / 1_000_000_000;
    let begin = format!("{} {seconds} {}", record.sequence, record.kind());
    let who = format!(
        "uid {} process {} session {}",
        record.uid, record.tgid, record.session
    );
    let digest = hex(&record.digest);
    let model = record.model;
    match record.kind() {
        RecordKind::Lost => format!("{} lost {}", record.sequence, record.lost),
        RecordKind::Load | RecordKind::Unload => {
            format!(
                "{begin} {who} model {model} {digest} version {}",
                record.version
            )
        }
        RecordKind::Alias => {
            let given = record.loads().into_iter().zip(record.weights);
            let given: Vec<_> = given
                .map(|(load, weight)| format!("{load}={weight}"))
                .collect();
            format!(
                "{begin} {who} generation {} models {}",
                record.generation,
                given.join(" ")
            )
        }
        RecordKind::Choice => {
            let [rank, count, reason, _] = record.weights;
            let chosen = match reason {
                0 => String::new(),
                reason => format!(", chosen: {}", Reason::from(reason)),
            };
            format!(
                "{begin} {who} model {model} {digest} rank {rank}, {} of {count}{chosen}",
                record.slot + 1
            )
        }
        RecordKind::Turn | RecordKind::Evaluate | RecordKind::Compare | RecordKind::Other => {
            format!(
                "{begin} {who} turn {} model {model} {digest} tokens {}+{} finish {} cpu {} us",
                record.turn,
                record.prompt_count,
                record.count,
                record.finish(),
                record.cpu_ns / 1000,
            )
        }
    }
}

/// A record as an object, with the names of `struct sislm_record`.
fn object(record: &Record) -> Value {
    if record.kind() == RecordKind::Lost {
        return json!({
            "kind": "lost",
            "sequence": record.sequence,
            "lost": record.lost,
            "chain": record.chain().to_string(),
        });
    }
    json!({
        "kind": record.kind().to_string(),
        "sequence": record.sequence,
        "boot_ns": record.boot_ns,
        "real_ns": record.real_ns,
        "session": record.session,
        "turn": record.turn,
        "cgroup": record.cgroup,
        "tenant": record.tenant,
        "uid": record.uid,
        "tgid": record.tgid,
        "model": record.model,
        "digest": hex(&record.digest),
        "sampling": hex(&record.sampling),
        "seed": record.seed,
        "numerics": record.numerics,
        "simd": sislm::Simd(record.simd).to_string(),
        "kv_type": record.kv_type,
        "prompt_count": record.prompt_count,
        "reused": record.reused,
        "count": record.count,
        "guided": record.is_guided(),
        "finish": record.finish().to_string(),
        "error": record.error,
        "queue_ns": record.queue_ns,
        "prefill_ns": record.prefill_ns,
        "decode_ns": record.decode_ns,
        "cpu_ns": record.cpu_ns,
        "kv_bytes": record.kv_bytes,
        "peers": record.peers,
        "served_ns": record.served_ns,
        "all_served_ns": record.all_served_ns,
        "longest_step_ns": record.longest_step_ns,
        "generation": record.generation,
        "version": record.version,
        "slot": record.slot,
        "weights": record.weights,
        "commitment": record.commitment().to_string(),
        "chain": record.chain().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u32) -> Record {
        Record {
            size: 312,
            kind,
            sequence: 3,
            real_ns: 5_000_000_000,
            uid: 1000,
            tgid: 42,
            session: 7,
            turn: 2,
            model: 1,
            prompt_count: 4,
            count: 9,
            finish: 2,
            cpu_ns: 1_234_567,
            lost: 11,
            ..Record::default()
        }
    }

    #[test]
    fn a_line_says_who_and_how_much() {
        let wanted = "3 5 turn uid 1000 process 42 session 7 turn 2 model 1 0000000000000000 \
            tokens 4+9 finish length cpu 1234 us";
        assert_eq!(line(&record(4)), wanted);
        assert_eq!(line(&record(1)), "3 lost 11");
    }

    #[test]
    fn an_object_has_no_more_than_its_kind() {
        let lost = object(&record(1));
        assert_eq!(lost["lost"], 11);
        assert_eq!(lost.as_object().unwrap().len(), 4);
        assert_eq!(object(&record(4))["finish"], "length");
    }

    #[test]
    fn a_part_of_a_record_is_no_export() {
        let error = checked(&[0; 100][..], Path::new("x")).unwrap_err();
        assert!(
            error.to_string().contains("x is no whole export"),
            "{error}"
        );
        assert_eq!(checked(&[][..], Path::new("x")).unwrap().0.records, 0);
    }
}
