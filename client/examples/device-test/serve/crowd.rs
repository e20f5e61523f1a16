// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many clients at once, some of them bad: nothing is lost or mixed, and nothing stays behind.

use std::fs;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use serde_json::json;
use sislm::Device;

use super::clients::{self, Client};
use super::{waits_for, Server, SOCKET};
use crate::http::get;
use crate::report::{Failure, Report};

/// Prompts differ by these, so that an answer that is another's is seen.
const SEEDS: u64 = 20;
/// Parts of the streams in each round. The first two fill what the server keeps.
const ROUNDS: [u64; 4] = [1, 2, 2, 2];
/// KiB by which the server may grow in each round after: what leaks grows in all of them, an allocator's reserve in one.
const GROWTH: u64 = 1024;
/// Streams under way at the end: more than are answered at once.
const LAST: u64 = 24;

/// `streams` clients of `model` at once, half of which hang up; then the server's end in the middle of streams, twice.
pub(crate) fn run(report: &mut Report, model: &str, streams: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    // The server inherits it: one huge page would be twice what it may grow by.
    prctl::set_thp_disable(true)?;
    let server = Server::start(&["--idle", "1", "--grace", "600"])?;
    let alone = Alone::ask(model)?;
    let mut distinct = alone.texts.clone();
    distinct.sort();
    distinct.dedup();
    report.equal("crowd/alone", distinct.len(), alone.texts.len());
    let mut memory = Vec::new();
    let streams: u64 = streams.parse()?;
    for (round, part) in (1..).zip(ROUNDS) {
        alone.crowd(report, round, streams / part)?;
        waits_for("turns to end", || {
            Ok(get(SOCKET, "/get_load")?.object()?["load"] == json!(0))
        })?;
        memory.push(resident(server.0.id())?);
    }
    println!("# memory of the server after each round, KiB: {memory:?}");
    let grown = match memory[..] {
        [.., second, third, fourth] => third
            .saturating_sub(second)
            .min(fourth.saturating_sub(third)),
        _ => return Err("too few rounds".into()),
    };
    if grown < GROWTH {
        println!("ok crowd/memory-is-flat");
    } else {
        report.failed(
            "crowd/memory-is-flat",
            &format!("KiB after each round: {memory:?}"),
        );
    }
    // Left are that of this test and the server's own.
    waits_for("idle sessions to be closed", || {
        Ok(device.query()?.sessions == 2 && device.statistics()?.kv_blocks == 0)
    })?;
    println!("ok crowd/no-session-left");

    let last = alone.last()?;
    server.signal(Signal::SIGTERM)?;
    let found: Vec<_> = last.into_iter().map(clients::joined).collect();
    let cut = found.iter().zip(0..).filter(|(found, number)| {
        let text = alone.text(*number);
        // A character that was not whole there.
        let begin = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        !found.as_ref().is_ok_and(|text| text.starts_with(begin))
    });
    report.equal("crowd/drained", cut.collect(), vec![]);
    report.equal("crowd/drained-exit-code", server.ended()?, Some(0));

    let server = Server::start(&[])?;
    let last = alone.last()?;
    server.ends(Signal::SIGKILL)?;
    let answered = last.into_iter().map(clients::joined).filter(Result::is_ok);
    report.equal("crowd/killed", (answered.count() as u64) < LAST, true);
    waits_for("sessions to be freed", || {
        let (query, all) = (device.query()?, device.statistics()?);
        Ok((query.sessions, all.kv_blocks, all.kv_bytes) == (1, 0, 0))
    })?;
    println!("ok crowd/killed-leaves-nothing");
    Ok(())
}

/// What each seed is answered when nobody else asks.
struct Alone<'a> {
    model: &'a str,
    texts: Vec<String>,
}

impl<'a> Alone<'a> {
    fn ask(model: &'a str) -> Result<Self, Failure> {
        let text = |seed| clients::joined(clients::patient(model, seed));
        let texts: Result<_, String> = (0..SEEDS).map(text).collect();
        Ok(Self {
            model,
            texts: texts?,
        })
    }

    /// That of the client of this number.
    fn text(&self, number: u64) -> String {
        let texts = self.texts.iter().cycle();
        let mut texts = texts.skip((number % SEEDS) as usize);
        texts.next().cloned().unwrap_or_default()
    }

    /// One round.
    fn crowd(&self, report: &mut Report, round: u64, streams: u64) -> Result<(), Failure> {
        let before = hang_ups()?;
        let slow = clients::slow(self.model);
        let bad = [clients::large_body(), clients::header_flood()];
        let half = 0..streams / 2;
        let (patient, hasty): (Vec<_>, Vec<_>) = half
            .map(|number| {
                let seed = number % SEEDS;
                let hasty = clients::hasty(self.model, seed, round * streams + number);
                (clients::patient(self.model, seed), hasty)
            })
            .unzip();
        let found: Vec<_> = patient.into_iter().map(clients::joined).collect();
        let wrong: Vec<_> = (0..)
            .zip(&found)
            .filter(|(number, text)| **text != Ok(self.text(*number)))
            .take(3)
            .collect();
        report.equal(
            &format!("crowd/streams-{round}"),
            (found.len(), wrong),
            ((streams / 2) as usize, vec![]),
        );
        let mut begun = 0;
        for client in hasty {
            begun += u64::from(clients::joined(client)?);
        }
        let slow = clients::joined(slow)?;
        let alone = clients::joined(clients::unhurried(self.model))?;
        report.equal(&format!("crowd/slow-reader-{round}"), slow == alone, true);
        let bad = bad.map(clients::joined);
        report.equal(&format!("crowd/bad-{round}"), bad, [Ok(413), Ok(431)]);
        // A request whose client went away before it was read is none.
        waits_for("hang-ups to be counted", || {
            Ok(hang_ups()? >= before + begun)
        })?;
        println!(
            "# hang-ups: {begun} of answers that had begun, {} in all",
            hang_ups()? - before
        );
        println!("ok crowd/hang-ups-{round}");
        Ok(())
    }

    /// Streams, of which some are answered and some wait. All have come before the first has ended.
    fn last(&self) -> Result<Vec<Client<String>>, Failure> {
        let last = (0..LAST).map(|number| clients::lasting(self.model, number % SEEDS));
        let last = last.collect();
        waits_for("all requests", || {
            Ok(get(SOCKET, "/get_load")?.object()?["load"] == json!(LAST))
        })?;
        Ok(last)
    }
}

/// Requests whose clients went away, until now.
fn hang_ups() -> Result<u64, Failure> {
    let metrics = get(SOCKET, "/metrics")?.text()?;
    let mut lines = metrics.lines();
    let count = lines.find_map(|line| line.strip_prefix("sislm_hang_ups_total "));
    Ok(count.ok_or("no count of hang-ups")?.parse()?)
}

/// KiB that a process has in memory.
fn resident(process: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no memory")?.parse()?)
}
