// SPDX-License-Identifier: MIT OR Apache-2.0
//! NEXT: what a caller that guides an answer gets, and what ends its turn.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"guided";
const PROMPT: &[u8] = b"one ten tires";
/// Tokens of an answer.
const TOKENS: usize = 12;
/// Candidates of a token.
const TOP: usize = 5;

/// One call and its answer.
struct Call {
    next: sislm_next,
    top: [sislm_candidate; TOP],
}

impl Call {
    /// The first of a turn.
    fn first() -> Self {
        Self {
            next: sislm_next::default(),
            top: [sislm_candidate::default(); TOP],
        }
    }

    /// Makes it with this mask and these forced ids, both of which may be empty.
    fn make(&mut self, file: &File, mask: &[u32], forced: &[u32]) -> Result<(), Errno> {
        let place = |list: &[u32]| match list.len() {
            0 => 0,
            _ => list.as_ptr() as u64,
        };
        self.next.mask = place(mask);
        self.next.mask_count = u32::try_from(mask.len()).map_err(|_| Errno::EINVAL)?;
        self.next.forced = place(forced);
        self.next.forced_count = u32::try_from(forced.len()).map_err(|_| Errno::EINVAL)?;
        (self.next.top, self.next.top_k) = (self.top.as_mut_ptr() as u64, 5);
        call(file, SISLM_IOC_NEXT, &mut self.next)
    }
}

/// Loads `model` and guides answers of it.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    load(&device, &weights, MODEL)?;
    let mut facts = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    call(&device, SISLM_IOC_MODEL, &mut facts)?;
    freely(report)?;
    masked(report, facts.vocabulary)?;
    forced(report, facts.ends[0])?;
    ended(report)?;
    beside(report)?;
    interrupted(report, facts.vocabulary)?;
    unload(&device, MODEL)?;
    Ok(())
}

/// A session with a prompt that waits; `temperature` 0 is greedy.
fn session(temperature: u32, tokens: u32, flags: u32) -> Result<File, Failure> {
    let file = open()?;
    let mut configure = sislm_configure {
        flags: SISLM_CONFIGURE_SEED | flags,
        seed: 7,
        max_tokens: tokens,
        model: name(MODEL),
        sampling: sislm_sampling {
            temperature,
            top_p: SISLM_MILLION,
            typical_p: SISLM_MILLION,
            repeat_penalty: SISLM_MILLION,
            ..Default::default()
        },
        ..Default::default()
    };
    call(&file, SISLM_IOC_CONFIGURE, &mut configure)?;
    (&file).write_all(PROMPT)?;
    Ok(file)
}

/// The prompt's ids, the answer's, and the reason of the end.
fn outcome(file: &File) -> Result<(Vec<u32>, Vec<u32>, u32), Errno> {
    let (mut prompt, mut ids) = (vec![0; 64], vec![0; 64]);
    let mut result = sislm_result {
        prompt_ids: prompt.as_mut_ptr() as u64,
        ids: ids.as_mut_ptr() as u64,
        prompt_capacity: 64,
        capacity: 64,
        ..Default::default()
    };
    call(file, SISLM_IOC_RESULT, &mut result)?;
    prompt.truncate(result.prompt_count as usize);
    ids.truncate(result.count as usize);
    Ok((prompt, ids, result.finish))
}

/// Without a mask the answer is that of a read, and the log-probabilities are EVALUATE's.
fn freely(report: &mut Report) -> Result<(), Failure> {
    let flags = SISLM_CONFIGURE_IGNORE_EOS;
    let file = session(900_000, 12, flags)?;
    (&file).read_to_end(&mut Vec::new())?;
    let (prompt, read, finish) = outcome(&file)?;
    report.equal(
        "guided/read",
        (read.len(), finish),
        (TOKENS, SISLM_FINISH_LENGTH),
    );

    let file = session(900_000, 12, flags)?;
    let mut asked = Call::first();
    let mut found = Vec::new();
    for _ in 0..TOKENS {
        asked.make(&file, &[], &[])?;
        let top = asked.top.map(|one| (one.id, one.log_probability));
        found.push((asked.next.id, asked.next.log_probability, top));
    }
    let ids: Vec<u32> = found.iter().map(|one| one.0).collect();
    report.equal("guided/as-read", &ids, &read);
    let ended = (asked.next.turn, asked.next.finish, asked.next.count);
    report.equal("guided/length", ended, (0, SISLM_FINISH_LENGTH, 12));
    report.equal(
        "guided/result",
        outcome(&file)?,
        (prompt.clone(), read, SISLM_FINISH_LENGTH),
    );

    let all = [prompt.as_slice(), &ids].concat();
    let mut scores = vec![0_i32; all.len()];
    let mut rows = vec![sislm_candidate::default(); all.len() * TOP];
    let mut evaluate = sislm_evaluate {
        ids: all.as_ptr() as u64,
        count: u32::try_from(all.len())?,
        log_probabilities: scores.as_mut_ptr() as u64,
        top: rows.as_mut_ptr() as u64,
        top_k: 5,
        ..Default::default()
    };
    call(&file, SISLM_IOC_EVALUATE, &mut evaluate)?;
    let evaluated: Vec<_> = (prompt.len()..all.len())
        .map(|place| {
            let row = &rows[(place - 1) * TOP..place * TOP];
            let top: Vec<_> = row
                .iter()
                .map(|one| (one.id, one.log_probability))
                .collect();
            (all[place], scores[place], top)
        })
        .collect();
    let found: Vec<_> = found
        .into_iter()
        .map(|(id, score, top)| (id, score, top.to_vec()))
        .collect();
    report.equal("guided/as-evaluated", found, evaluated);
    Ok(())
}

/// A mask that allows every third token, another one in each call.
fn third(vocabulary: u32, turn: u32) -> Vec<u32> {
    let mut mask = vec![0_u32; vocabulary.div_ceil(32) as usize];
    for id in (0..vocabulary).filter(|id| id % 3 == turn % 3) {
        mask[id as usize / 32] |= 1 << (id % 32);
    }
    mask
}

/// Whole answers under masks.
fn guided(vocabulary: u32, temperature: u32) -> Result<Vec<u32>, Failure> {
    let file = session(temperature, 12, SISLM_CONFIGURE_IGNORE_EOS)?;
    let mut call = Call::first();
    let mut ids = Vec::new();
    for turn in 0..12 {
        call.make(&file, &third(vocabulary, turn), &[])?;
        ids.push(call.next.id);
    }
    Ok(ids)
}

/// Only what is allowed is drawn, the same with the same seed.
fn masked(report: &mut Report, vocabulary: u32) -> Result<(), Failure> {
    for (name, temperature) in [("greedy", 0), ("drawn", 900_000)] {
        let ids = guided(vocabulary, temperature)?;
        let allowed = (0..).zip(&ids).all(|(turn, id)| id % 3 == turn % 3);
        report.equal(&format!("guided/mask-{name}"), allowed, true);
        let again = guided(vocabulary, temperature)?;
        report.equal(&format!("guided/mask-{name}-again"), again, ids);
    }
    let file = session(900_000, 12, 0)?;
    let mut one = vec![0; vocabulary.div_ceil(32) as usize];
    one[300 / 32] = 1 << (300 % 32);
    let mut call = Call::first();
    call.make(&file, &one, &[])?;
    report.equal("guided/mask-of-one", call.next.id, 300);
    let likelier = call
        .top
        .iter()
        .all(|top| top.log_probability >= call.next.log_probability);
    report.equal("guided/likelier", likelier, true);
    Ok(())
}

/// Forced ids are part of the answer, and what comes after them is as if they had been drawn.
fn forced(report: &mut Report, end: u32) -> Result<(), Failure> {
    let ids = {
        let file = session(0, 12, SISLM_CONFIGURE_IGNORE_EOS)?;
        (&file).read_to_end(&mut Vec::new())?;
        outcome(&file)?.1
    };
    let file = session(0, 12, SISLM_CONFIGURE_IGNORE_EOS)?;
    let mut call = Call::first();
    call.make(&file, &[], &ids[..3])?;
    report.equal(
        "guided/forced-first",
        (call.next.id, call.next.count),
        (ids[3], 4),
    );
    call.make(&file, &[], &ids[4..9])?;
    report.equal(
        "guided/forced-later",
        (call.next.id, call.next.count),
        (ids[9], 10),
    );
    call.make(&file, &[], &ids[..9])?;
    let ended = (
        call.next.id,
        call.next.finish,
        call.next.count,
        call.next.turn,
    );
    report.equal(
        "guided/forced-length",
        ended,
        (!0, SISLM_FINISH_LENGTH, 12, 0),
    );

    let file = session(0, 0, 0)?;
    let mut call = Call::first();
    call.make(&file, &[], &[300, end, 301])?;
    let ended = (call.next.id, call.next.finish, call.next.count);
    report.equal("guided/forced-end", ended, (!0, SISLM_FINISH_STOP, 2));

    // More than the blocks that are taken in advance.
    let file = session(0, 0, SISLM_CONFIGURE_IGNORE_EOS)?;
    let mut call = Call::first();
    call.make(&file, &[], &[300; 400])?;
    call.make(&file, &[], &[301; 400])?;
    report.equal(
        "guided/forced-many",
        (call.next.finish, call.next.count),
        (0, 802),
    );
    Ok(())
}

/// What ends a turn that is parked.
fn ended(report: &mut Report) -> Result<(), Failure> {
    type End = fn(&File) -> Result<(), Errno>;
    let ends: [(&str, End); 5] = [
        ("reset", |file| call(file, SISLM_IOC_RESET, &mut ())),
        ("cancel", |file| call(file, SISLM_IOC_CANCEL, &mut ())),
        ("write", |mut file| {
            file.write(b"two").map(drop).map_err(|_| Errno::EIO)
        }),
        ("read", |mut file| {
            file.read(&mut [0; 8]).map(drop).map_err(|_| Errno::EIO)
        }),
        ("configure", |file| {
            let mut configure = sislm_configure {
                model: name(MODEL),
                sampling: sislm_sampling {
                    top_p: SISLM_MILLION,
                    typical_p: SISLM_MILLION,
                    repeat_penalty: SISLM_MILLION,
                    ..Default::default()
                },
                ..Default::default()
            };
            call(file, SISLM_IOC_CONFIGURE, &mut configure)
        }),
    ];
    for (name, end) in ends {
        let file = session(0, 0, SISLM_CONFIGURE_IGNORE_EOS)?;
        let mut call = Call::first();
        call.make(&file, &[], &[])?;
        report.equal(&format!("guided/ended-by-{name}"), end(&file), Ok(()));
        let found = call.make(&file, &[], &[]);
        report.refused(&format!("guided/after-{name}"), found, &[Errno::ECANCELED]);
    }
    // Another call, while one computes: a prompt that is long to compute.
    let file = session(0, 0, SISLM_CONFIGURE_IGNORE_EOS)?;
    let other = file.try_clone()?;
    let computing = thread::spawn(move || Call::first().make(&other, &[], &[300; 900]));
    thread::sleep(Duration::from_millis(20));
    let reset = call(&file, SISLM_IOC_RESET, &mut ());
    report.equal("guided/reset-of-a-step", reset, Ok(()));
    let computed = computing.join().map_err(|_| "the call panicked")?;
    let ended = matches!(computed, Ok(()) | Err(Errno::ECANCELED | Errno::ENODATA));
    report.equal("guided/step-that-is-reset", ended, true);
    Ok(())
}

/// A turn that is parked holds nobody up, and its file's end frees it.
fn beside(report: &mut Report) -> Result<(), Failure> {
    let mut before = sislm_statistics::default();
    let device = open()?;
    call(&device, SISLM_IOC_STATISTICS, &mut before)?;
    let parked: Vec<File> = (0..16)
        .map(|_| {
            let file = session(0, 0, SISLM_CONFIGURE_IGNORE_EOS)?;
            Call::first().make(&file, &[], &[])?;
            Ok(file)
        })
        .collect::<Result<_, Failure>>()?;
    let file = session(0, 12, SISLM_CONFIGURE_IGNORE_EOS)?;
    (&file).read_to_end(&mut Vec::new())?;
    report.equal("guided/others-go-on", outcome(&file)?.1.len(), TOKENS);
    drop((file, parked));
    let mut after = sislm_statistics::default();
    call(&device, SISLM_IOC_STATISTICS, &mut after)?;
    let held = (after.kv_blocks, after.memory_sessions);
    report.equal(
        "guided/closed-frees",
        held,
        (before.kv_blocks, before.memory_sessions),
    );
    Ok(())
}

/// Signals change nothing but the number of calls.
fn interrupted(report: &mut Report, vocabulary: u32) -> Result<(), Failure> {
    let ids = guided(vocabulary, 900_000)?;
    for (name, restart) in [("restarted", true), ("interrupted", false)] {
        alarms(3000, restart)?;
        let found = guided_through(vocabulary);
        alarms(0, restart)?;
        report.equal(&format!("guided/{name}"), found?, ids.clone());
    }
    Ok(())
}

/// As `guided`, with calls made again after a signal.
fn guided_through(vocabulary: u32) -> Result<Vec<u32>, Failure> {
    let file = loop {
        // Opening and writing may be interrupted as well.
        if let Ok(file) = session(900_000, 12, SISLM_CONFIGURE_IGNORE_EOS) {
            break file;
        }
    };
    let mut call = Call::first();
    let mut ids = Vec::new();
    for turn in 0..12 {
        let mask = third(vocabulary, turn);
        loop {
            match call.make(&file, &mask, &[]) {
                Ok(()) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        ids.push(call.next.id);
    }
    Ok(ids)
}
