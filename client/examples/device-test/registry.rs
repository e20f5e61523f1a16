// SPDX-License-Identifier: MIT OR Apache-2.0
//! Versions and aliases: swapped under load, replaced, shared, drawn.

mod draws;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sislm::{
    Device, Digest, LoadOptions, ModelName, RecordKind, SamplingConfig, Session, SessionConfig,
    Source,
};

use crate::records;
use crate::report::{Failure, Report};

pub(crate) use draws::run as draws;

/// Sessions that answer while versions are swapped.
const SESSIONS: u64 = 8;
/// Tokens of an answer.
const TOKENS: u32 = 48;
/// Between two swaps.
const PAUSE: Duration = Duration::from_millis(5);
/// Between two swaps that only wait for answers: each makes a record, and those of the answers have to stay.
const WAIT: Duration = Duration::from_millis(100);
/// Answers of either version that swaps wait for.
const EACH: u64 = 4;
/// How long they wait: a slow machine answers once in seconds.
const LONGEST: Duration = Duration::from_secs(120);
/// What is answered.
const PROMPT: &[u8] = b"one ten tires";

/// Two versions of one name under load, with `swaps` swaps between them; then a third takes their place.
pub(crate) fn run(report: &mut Report, one: &str, other: &str, swaps: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "registry".parse()?;
    let (one, other) = (Source::open(one)?, Source::open(other)?);
    let load = device.load(&one, &name)?;
    report.equal(
        "registry/first-version",
        (load.version, load.shared),
        (1, false),
    );
    let memory = device.statistics()?.memory_models;
    report.equal(
        "registry/second-version",
        device.load(&other, &name)?.version,
        2,
    );
    let versions = [name.with_version(1), name.with_version(2)];
    swap(report, &device, &versions, swaps.parse()?)?;
    rollback(report, &device, &versions)?;
    busy(report, &device, &versions)?;
    replace(report, &device, &one, &versions)?;
    report.equal(
        "registry/memory-of-one-version",
        device.statistics()?.memory_models,
        memory,
    );
    device.unload(&name)?;
    report.equal(
        "registry/no-memory-stays",
        device.statistics()?.memory_models,
        0,
    );
    Ok(())
}

fn config(name: &ModelName, seed: u64) -> SessionConfig {
    SessionConfig {
        model: Some(name.clone()),
        context: 128,
        max_tokens: TOKENS,
        ignore_eos: true,
        sampling: SamplingConfig::balanced(),
        seed: Some(seed),
        ..Default::default()
    }
}

/// An answer: of which file, and its ids.
type Answer = (Digest, Vec<u32>);

fn answer(session: &mut Session) -> Result<Answer, sislm::Error> {
    for text in session.prompt(PROMPT)? {
        text?;
    }
    let outcome = session.outcome()?;
    Ok((outcome.model_digest, outcome.ids))
}

/// The answers of a version, by seed.
fn alone(device: &Device, name: &ModelName) -> Result<Vec<Answer>, sislm::Error> {
    let one = |seed| answer(&mut device.session(&config(name, seed))?);
    (0..SESSIONS).map(one).collect()
}

/// An answer that the load gave: number of its file and of its turn, its seed, and what it was.
type Given = (u64, u64, u64, Answer);

/// What the load and the swaps tell one another.
struct Progress {
    /// The load ends.
    over: AtomicBool,
    /// File of the first version.
    first: Digest,
    /// Answers of either version.
    answers: [AtomicU64; 2],
}

/// Answers until it is over, configured anew for each.
fn load(
    device: &Device,
    name: &ModelName,
    seed: u64,
    progress: &Progress,
) -> Result<Vec<Given>, String> {
    let failed = |error: sislm::Error| error.to_string();
    let mut given = Vec::new();
    let config = config(name, seed);
    let mut session = device.session(&config).map_err(failed)?;
    while !progress.over.load(Ordering::Relaxed) {
        session.configure(&config, 0).map_err(failed)?;
        let answer = answer(&mut session).map_err(failed)?;
        let receipt = session.receipt().map_err(failed)?.ok_or("no receipt")?;
        let place = usize::from(answer.0 != progress.first);
        progress.answers[place].fetch_add(1, Ordering::Relaxed);
        given.push((receipt.session, receipt.turn, seed, answer));
    }
    Ok(given)
}

/// Swaps the versions under load: each answer is one version's, the one that its record names and the alias gave.
fn swap(
    report: &mut Report,
    device: &Device,
    versions: &[ModelName; 2],
    swaps: usize,
) -> Result<(), Failure> {
    let name: ModelName = versions[0].base().parse()?;
    let wanted = [alone(device, &versions[0])?, alone(device, &versions[1])?];
    report.equal(
        "registry/versions-differ",
        wanted[0][0] != wanted[1][0],
        true,
    );
    let progress = Progress {
        over: AtomicBool::new(false),
        first: wanted[0][0].0,
        answers: [AtomicU64::new(0), AtomicU64::new(0)],
    };
    let deadline = Instant::now() + LONGEST;
    let is_waiting = || {
        let mut answers = progress.answers.iter();
        answers.any(|count| count.load(Ordering::Relaxed) < EACH) && Instant::now() < deadline
    };
    let mut meant = HashMap::new();
    let (set, given) = thread::scope(|scope| {
        let progress = &progress;
        let name = &name;
        let loads: Vec<_> = (0..SESSIONS)
            .map(|seed| scope.spawn(move || load(device, name, seed, progress)))
            .collect();
        let go_on = |swap: &usize| *swap < swaps || is_waiting();
        let set = (0..).take_while(go_on).try_for_each(|swap| {
            let version = versions[swap % 2].clone();
            let alias = device.set_alias(name, &[(version, 1)])?;
            meant.insert(alias.generation, (swap % 2, swap));
            thread::sleep(if swap < swaps { PAUSE } else { WAIT });
            Ok::<(), sislm::Error>(())
        });
        progress.over.store(true, Ordering::Relaxed);
        let given: Vec<_> = loads
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        (set, given)
    });
    set?;
    let mut answers: Vec<Given> = Vec::new();
    for given in given {
        answers.extend(given.map_err(|_| "a session panicked")??);
    }
    report.equal("registry/swaps", meant.len() >= swaps, true);
    let records = records::of_kind(device, RecordKind::Turn)?;
    let (mut mixed, mut unrecorded, mut of_each) = (0, 0, [0, 0]);
    for (session, turn, seed, (digest, ids)) in answers {
        let Some(record) = records.get(&(session, turn)) else {
            unrecorded += 1;
            continue;
        };
        let place = usize::try_from(record.version)? - 1;
        let same = wanted[place][usize::try_from(seed)?] == (digest, ids);
        // Before the first swap it follows the newest.
        let meant = meant.get(&record.generation).map_or(1, |(place, _)| *place);
        of_each[place] += 1;
        if !same || meant != place || !record.is_drawn_rightly() || digest.0[..8] != record.digest {
            mixed += 1;
        }
    }
    report.equal(
        "registry/answers-of-one-version",
        (mixed, unrecorded),
        (0, 0),
    );
    let both = of_each.iter().all(|count| *count > 0);
    report.equal(&format!("registry/answers-{of_each:?}"), both, true);
    Ok(())
}

/// A session keeps its version, until it is configured.
fn rollback(
    report: &mut Report,
    device: &Device,
    versions: &[ModelName; 2],
) -> Result<(), Failure> {
    let name: ModelName = versions[0].base().parse()?;
    device.set_alias(&name, &[(versions[1].clone(), 1)])?;
    let config = config(&name, 0);
    let mut session = device.session(&config)?;
    let second = answer(&mut session)?.0;
    device.set_alias(&name, &[(versions[0].clone(), 1)])?;
    let kept = answer(&mut session)?.0;
    session.configure(&config, 0)?;
    let back = answer(&mut session)?.0;
    report.equal("registry/a-session-keeps-its-version", kept, second);
    report.equal("registry/rollback-at-configure", back != second, true);
    Ok(())
}

/// What an alias gives, or a session uses, is not unloaded.
fn busy(report: &mut Report, device: &Device, versions: &[ModelName; 2]) -> Result<(), Failure> {
    let name: ModelName = versions[0].base().parse()?;
    device.set_alias(&name, &[(versions[0].clone(), 1)])?;
    let errno = |result: Result<(), sislm::Error>| result.map_err(|error| error.errno());
    let found = [
        errno(device.unload(&versions[0])),
        errno(device.unload_when_unused(&versions[0])),
        errno(device.unload(&name)),
    ];
    let busy = Err(Errno::EBUSY);
    report.equal(
        "registry/what-an-alias-gives-stays",
        found,
        [busy, busy, Err(Errno::ENOTUNIQ)],
    );
    let session = device.session(&config(&versions[1], 0))?;
    report.equal(
        "registry/what-a-session-uses-stays",
        errno(device.unload(&versions[1])),
        Err(Errno::EBUSY),
    );
    drop(session);
    device.set_alias(&name, &[])?;
    Ok(())
}

/// A version of the first one's bytes takes the place of both; one of them is still used.
fn replace(
    report: &mut Report,
    device: &Device,
    source: &Source,
    versions: &[ModelName; 2],
) -> Result<(), Failure> {
    let name: ModelName = versions[0].base().parse()?;
    let mut session = device.session(&config(&versions[0], 0))?;
    let before = answer(&mut session)?;
    let memory = device.statistics()?.memory_models;
    let third = device.load(source, &name)?;
    report.equal(
        "registry/same-bytes-are-shared",
        (third.version, third.shared),
        (3, true),
    );
    report.equal(
        "registry/and-counted-once",
        device.statistics()?.memory_models,
        memory,
    );
    let fourth = device.load_adapted(
        source,
        &[],
        &name,
        LoadOptions {
            replaces: true,
            rank: 0,
        },
    )?;
    let states = || -> Result<Vec<_>, sislm::Error> {
        let models = device.models()?;
        Ok(models
            .iter()
            .map(|it| (it.version, it.is_leaving()))
            .collect())
    };
    report.equal(
        "registry/replaced-versions-leave",
        (fourth.version, states()?),
        (4, vec![(1, true), (4, false)]),
    );
    let errno = |config: &SessionConfig| device.session(config).map(drop).map_err(|it| it.errno());
    report.equal(
        "registry/nobody-begins-to-use-them",
        errno(&config(&versions[0], 0)),
        Err(Errno::ENOENT),
    );
    let given = device.alias(&name)?.map(|alias| alias.versions());
    report.equal(
        "registry/the-name-means-the-new-one",
        given,
        Some(vec![(name.with_version(4).to_string(), 1)]),
    );
    session.reset()?;
    let still = answer(&mut session)?;
    report.equal("registry/who-uses-one-goes-on", still.0, before.0);
    let same = answer(&mut device.session(&config(&name, 0))?)?;
    report.equal("registry/shared-memory-answers-alike", same, before);
    session.configure(&config(&name, 0), 0)?;
    report.equal(
        "registry/gone-with-its-last-session",
        states()?,
        vec![(4, false)],
    );
    Ok(())
}
