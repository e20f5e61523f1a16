// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers compared with those of another version: what is counted, what is skipped, and whom it delays.

mod delays;
pub(crate) mod pressure;

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use sislm::{
    is_compared, Device, ModelName, SamplingConfig, Session, SessionConfig, Shadow, Source,
};

use crate::report::{Failure, Report};

/// Tokens of an answer.
const TOKENS: u32 = 40;
/// How long a comparison may take.
const LONGEST: Duration = Duration::from_secs(120);
/// Some of the turns.
const SOME: u32 = 300;
/// Turns in which something is changed.
const CHANGES: u64 = 12;

/// What the tests are about.
struct Case<'a> {
    device: &'a Device,
    /// Whose answers are compared.
    alias: ModelName,
    /// The version that answers.
    primary: ModelName,
    /// The version that compares.
    shadow: ModelName,
}

/// Compares `count` answers of `one` with those of `other`; the tokens of `stranger` are others.
pub(crate) fn run(
    report: &mut Report,
    one: &str,
    other: &str,
    stranger: &str,
    count: &str,
) -> Result<(), Failure> {
    let count: u64 = count.parse()?;
    let device = Device::open(Device::PATH)?;
    let name: ModelName = "shadowed".parse()?;
    let case = Case {
        device: &device,
        alias: "prod".parse()?,
        primary: name.with_version(1),
        shadow: name.with_version(2),
    };
    device.load(&Source::open(one)?, &name)?;
    device.load(&Source::open(other)?, &name)?;
    device.set_alias(&case.alias, &[(case.primary.clone(), 1)])?;
    let set = device.set_shadow(&case.alias, Some(&case.shadow), 1000)?;
    report.equal(
        "shadow/nothing-yet",
        (set.version(), set.primary(), set.ended),
        (case.shadow.to_string(), None, 0),
    );
    compared(report, &case, count)?;
    drawn(report, &case, count)?;
    delays::run(report, &case)?;
    held(report, &case)?;
    changed(report, &case, other)?;
    vocabulary(report, &case, stranger)?;
    device.set_shadow(&case.alias, None, 0)?;
    report.equal("shadow/off", device.shadows(None)?.len(), 0);
    device.set_alias(&case.alias, &[])?;
    for model in device.models()? {
        device.unload(
            &model
                .name()
                .parse::<ModelName>()?
                .with_version(model.version),
        )?;
    }
    report.equal(
        "shadow/no-memory-stays",
        (
            device.statistics()?.memory_models,
            device.statistics()?.kv_bytes,
        ),
        (0, 0),
    );
    Ok(())
}

fn config(model: &ModelName, seed: u64, tokens: u32) -> SessionConfig {
    SessionConfig {
        model: Some(model.clone()),
        context: 256,
        max_tokens: tokens,
        ignore_eos: true,
        sampling: SamplingConfig::balanced(),
        seed: Some(seed),
        ..Default::default()
    }
}

/// An answer: its ids behind those of its prompt, and how many are its own.
fn answer(session: &mut Session, prompt: &[u8]) -> Result<(Vec<u32>, usize), sislm::Error> {
    for text in session.prompt(prompt)? {
        text?;
    }
    let outcome = session.outcome()?;
    let own = outcome.ids.len();
    Ok(([outcome.prompt_ids, outcome.ids].concat(), own))
}

impl Case<'_> {
    /// What is counted of the version that answers; nothing before its first answer.
    fn counts(&self) -> Result<Shadow, sislm::Error> {
        let pairs = self.device.shadows(Some(&self.alias))?;
        let primary = self.primary.to_string();
        let mut pairs = pairs.into_iter();
        let found = pairs.find(|pair| pair.primary().as_ref() == Some(&primary));
        Ok(found.unwrap_or_default())
    }

    /// The same, once nothing is being compared.
    fn settled(&self) -> Result<Shadow, Failure> {
        let end = Instant::now() + LONGEST;
        while Instant::now() < end {
            let counts = self.counts()?;
            if in_hand(&counts) == 0 {
                return Ok(counts);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err("a comparison does not end".into())
    }
}

fn skipped(counts: &Shadow) -> u64 {
    counts.skipped().iter().map(|(_, count)| count).sum()
}

/// Turns that are being compared.
fn in_hand(counts: &Shadow) -> u64 {
    counts.drawn - counts.turns - skipped(counts)
}

/// All answers are compared, and the sums are what EVALUATE says of the same ids on both versions.
fn compared(report: &mut Report, case: &Case<'_>, count: u64) -> Result<(), Failure> {
    let (mut answers, mut context) = (Vec::new(), Vec::new());
    let mut session = case.device.session(&config(&case.alias, 0, TOKENS))?;
    for seed in 0..count {
        // Each third one goes on from the one before.
        if seed % 3 != 1 {
            session.configure(&config(&case.alias, seed, TOKENS), 0)?;
            context.clear();
        }
        let (ids, own) = answer(&mut session, format!("one ten tires {seed}").as_bytes())?;
        context.extend(ids);
        answers.push((context.clone(), own));
        case.settled()?;
    }
    drop(session);
    let mut wanted = Shadow::default();
    let mut primary = case.device.session(&config(&case.primary, 0, TOKENS))?;
    let mut shadow = case.device.session(&config(&case.shadow, 0, TOKENS))?;
    for (ids, own) in &answers {
        let (one, other) = (primary.evaluate(ids, 1)?, shadow.evaluate(ids, 1)?);
        let first = ids.len() - own;
        let mut difference = 0;
        for place in first..ids.len() {
            wanted.equal += u64::from(one.top[place - 1][0].id == other.top[place - 1][0].id);
            difference +=
                i64::from(one.log_probabilities[place]) - i64::from(other.log_probabilities[place]);
        }
        let (tokens, thousandths) = (u64::try_from(*own)?, difference / 1000);
        wanted.turns += 1;
        wanted.tokens += tokens;
        wanted.difference += difference;
        wanted.tokens_squared += tokens * tokens;
        wanted.difference_squared += thousandths.unsigned_abs().pow(2);
        wanted.product += tokens.cast_signed() * thousandths;
    }
    let found = case.settled()?;
    let sums = |of: &Shadow| {
        (
            (of.turns, of.tokens, of.equal, of.difference),
            (of.tokens_squared, of.difference_squared, of.product),
        )
    };
    report.equal(
        "shadow/sums-are-those-of-evaluate",
        sums(&found),
        sums(&wanted),
    );
    report.equal(
        "shadow/all-are-compared",
        (found.ended, found.drawn, skipped(&found)),
        (count, count, 0),
    );
    let differ = found.equal < found.tokens && found.difference != 0;
    report.equal("shadow/the-versions-differ", differ, true);
    let times = found.primary_ns > 0 && found.shadow_ns > 0;
    report.equal("shadow/times", times, true);
    println!(
        "# shadow: {} of {} tokens agree; {} and {} ns",
        found.equal, found.tokens, found.primary_ns, found.shadow_ns
    );
    Ok(())
}

/// Some answers are compared: those that follow from the numbers of their records.
fn drawn(report: &mut Report, case: &Case<'_>, count: u64) -> Result<(), Failure> {
    let before = case.settled()?;
    case.device
        .set_shadow(&case.alias, Some(&case.shadow), SOME)?;
    let alias = case.device.alias(&case.alias)?.ok_or("no alias")?;
    let mut wanted = 0;
    let mut session = case.device.session(&config(&case.alias, 0, 2))?;
    for _ in 0..count {
        answer(&mut session, b"ten")?;
        let receipt = session.receipt()?.ok_or("no receipt")?;
        let is_drawn = is_compared(alias.generation, receipt.session, receipt.turn, SOME);
        wanted += u64::from(is_drawn);
        session.reset()?;
        case.settled()?;
    }
    let found = case.settled()?;
    report.equal(
        "shadow/drawn-by-number",
        (
            found.ended - before.ended,
            found.drawn - before.drawn,
            found.turns - before.turns,
        ),
        (count, wanted, wanted),
    );
    report.equal("shadow/some-are-drawn", wanted > 0 && wanted < count, true);
    case.device.set_shadow(&case.alias, Some(&case.shadow), 0)?;
    session.configure(&config(&case.alias, 1, 2), 0)?;
    answer(&mut session, b"ten")?;
    let none = case.settled()?;
    report.equal(
        "shadow/none-is-drawn",
        (none.ended - found.ended, none.drawn - found.drawn),
        (1, 0),
    );
    // One that names the version is compared too.
    case.device
        .set_shadow(&case.alias, Some(&case.shadow), 1000)?;
    answer(
        &mut case.device.session(&config(&case.primary, 0, 2))?,
        b"ten",
    )?;
    let named = case.settled()?;
    report.equal("shadow/a-named-version", named.turns - none.turns, 1);
    // And its own are not.
    answer(
        &mut case.device.session(&config(&case.shadow, 0, 2))?,
        b"ten",
    )?;
    report.equal(
        "shadow/its-own-answers",
        case.device.shadows(Some(&case.alias))?.len(),
        1,
    );
    Ok(())
}

/// The version that compares is not unloaded but by force.
fn held(report: &mut Report, case: &Case<'_>) -> Result<(), Failure> {
    let errno = |result: Result<(), sislm::Error>| result.map_err(|error| error.errno());
    let busy = Err(Errno::EBUSY);
    report.equal(
        "shadow/what-compares-stays",
        (
            errno(case.device.unload(&case.shadow)),
            errno(case.device.unload_when_unused(&case.shadow)),
        ),
        (busy, busy),
    );
    Ok(())
}

/// While answers are compared, everything is changed that can be.
fn changed(report: &mut Report, case: &Case<'_>, other: &str) -> Result<(), Failure> {
    let (device, alias) = (case.device, &case.alias);
    let base: ModelName = case.shadow.base().parse()?;
    let mut shadow = case.shadow.clone();
    let mut ends = 0;
    for round in 0..CHANGES {
        let mut session = device.session(&config(alias, round, 150))?;
        answer(&mut session, b"one ten tires")?;
        match round % 4 {
            // It ends, and begins anew.
            0 => {
                device.set_shadow(alias, None, 0)?;
                device.set_shadow(alias, Some(&shadow), 1000)?;
            }
            // The name gives another version meanwhile.
            1 => {
                device.set_alias(alias, &[(shadow.clone(), 1)])?;
                device.set_alias(alias, &[(case.primary.clone(), 1)])?;
            }
            // The version that compares is unloaded.
            2 => {
                device.unload_by_force(&shadow)?;
                ends += u64::from(device.shadows(Some(alias))?.is_empty());
                let version = device.load(&Source::open(other)?, &base)?.version;
                shadow = base.with_version(version);
                device.set_shadow(alias, Some(&shadow), 1000)?;
            }
            // The name is gone meanwhile, and its shadow with it.
            _ => {
                device.set_alias(alias, &[])?;
                ends += u64::from(device.shadows(Some(alias))?.is_empty());
                device.set_alias(alias, &[(case.primary.clone(), 1)])?;
                device.set_shadow(alias, Some(&shadow), 1000)?;
            }
        }
        // It still compares.
        let before = case.settled()?;
        session.configure(&config(alias, round, 2), 0)?;
        answer(&mut session, b"ten")?;
        let after = case.settled()?;
        if after.turns != before.turns + 1 {
            let name = format!("shadow/goes-on-after-change-{}", round % 4);
            report.failed(&name, &format!("{before:?}, then {after:?}"));
        }
    }
    report.equal("shadow/ends-with-its-version-or-name", ends, CHANGES / 2);
    // The version that answered is unloaded: nothing holds it, and its answer goes no further.
    let mut session = device.session(&config(alias, 0, 150))?;
    answer(&mut session, b"one ten tires")?;
    drop(session);
    device.set_alias(alias, &[(shadow.clone(), 1)])?;
    device.unload(&case.primary)?;
    let counts = case.settled()?;
    report.equal(
        "shadow/what-answered-is-unloaded",
        counts.stopped + counts.turns >= 1,
        true,
    );
    Ok(())
}

/// Ids that mean something else are not compared.
fn vocabulary(report: &mut Report, case: &Case<'_>, stranger: &str) -> Result<(), Failure> {
    let name: ModelName = "stranger".parse()?;
    case.device.load(&Source::open(stranger)?, &name)?;
    let alias: ModelName = "strange".parse()?;
    let primary: ModelName = case.device.models()?[0].name().parse()?;
    let primary = primary.with_version(case.device.models()?[0].version);
    case.device.set_alias(&alias, &[(primary.clone(), 1)])?;
    case.device.set_shadow(&case.alias, None, 0)?;
    case.device
        .set_shadow(&alias, Some(&name.with_version(1)), 1000)?;
    let strange = Case {
        alias,
        primary,
        shadow: name.with_version(1),
        ..*case
    };
    let mut session = case.device.session(&config(&strange.alias, 0, 4))?;
    for _ in 0..3 {
        answer(&mut session, b"ten")?;
        strange.settled()?;
    }
    let counts = strange.settled()?;
    report.equal(
        "shadow/other-vocabulary",
        (counts.ended, counts.turns, counts.vocabulary),
        (3, 0, 3),
    );
    drop(session);
    case.device.set_alias(&strange.alias, &[])?;
    case.device
        .set_shadow(&case.alias, Some(&strange.shadow), 1000)?;
    Ok(())
}
