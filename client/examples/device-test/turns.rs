// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that meet on one file: each comes back, and knows its own turn.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::{POLLIN, POLLOUT};

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"turns";
const PROMPT: &[u8] = b"one ten tires";
/// Tokens of a turn that meets another call.
const TOKENS: u32 = 48;
/// No call takes as long, even on the debug kernel.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ids of the evaluations that meet: the caller's own, and the other one's.
const EVALUATIONS: (usize, usize) = (16, 200);
/// What the caller's array holds beside them.
const UNTOUCHED: i32 = 0x5a5a_5a5a;

/// A call of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Cancel,
    Read,
    Run,
    Evaluate,
    Reset,
    Write,
    Poll,
    Result,
    Configure,
}

const CALLS: [Call; 9] = [
    Call::Cancel,
    Call::Read,
    Call::Run,
    Call::Evaluate,
    Call::Reset,
    Call::Write,
    Call::Poll,
    Call::Result,
    Call::Configure,
];

/// Loads `model` and lets each pair of calls meet `rounds` times.
pub(crate) fn run(report: &mut Report, model: &str, rounds: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    load(&device, &weights, MODEL)?;
    let rounds = rounds.parse()?;
    if !pairs(report, rounds)? {
        // The threads of calls that hang cannot be joined.
        return Ok(());
    }
    if !spectators(report, 40 * rounds)? {
        return Ok(());
    }
    evaluations(report)?;
    signals(report)?;
    unload(&device, MODEL)?;
    Ok(())
}

fn configure(file: &File, tokens: u32) -> Result<(), Errno> {
    let mut configure = sislm_configure {
        flags: SISLM_CONFIGURE_IGNORE_EOS,
        context: 256,
        max_tokens: tokens,
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
}

/// Makes a call; whatever it says is one of its answers.
fn make(kind: Call, mut file: &File) {
    let mut buffer = [0_u8; 4096];
    match kind {
        Call::Cancel => whatever(call(file, SISLM_IOC_CANCEL, &mut ())),
        Call::Reset => whatever(call(file, SISLM_IOC_RESET, &mut ())),
        Call::Read => while matches!(file.read(&mut buffer), Ok(1..)) {},
        Call::Write => whatever(file.write(PROMPT)),
        Call::Poll => whatever(poll(file, POLLIN | POLLOUT, 1000)),
        Call::Run => whatever(run_once(file, &mut buffer)),
        Call::Evaluate => whatever(evaluate(file, &[1; 64], &mut [0; 64])),
        Call::Result => {
            whatever(call(file, SISLM_IOC_RESULT, &mut sislm_result::default()));
        }
        Call::Configure => whatever(configure(file, TOKENS)),
    }
}

/// RUN until it is over; its text and how often a signal came.
fn run_once(file: &File, buffer: &mut [u8]) -> Result<(Vec<u8>, u32), Errno> {
    let mut run = sislm_run {
        prompt: PROMPT.as_ptr() as u64,
        prompt_length: u32::try_from(PROMPT.len()).expect("short"),
        text: buffer.as_mut_ptr() as u64,
        capacity: u32::try_from(buffer.len()).expect("short"),
        ..Default::default()
    };
    let mut signals = 0;
    loop {
        match call(file, SISLM_IOC_RUN, &mut run) {
            Ok(()) => return Ok((buffer[..run.length as usize].to_vec(), signals)),
            Err(Errno::EINTR) => signals += 1,
            Err(errno) => return Err(errno),
        }
    }
}

/// EVALUATE until it is over; how many rows are done, and how often a signal came.
fn evaluate(file: &File, ids: &[u32], to: &mut [i32]) -> Result<(u32, u32), Errno> {
    let mut evaluate = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        log_probabilities: to.as_mut_ptr() as u64,
        count: u32::try_from(ids.len()).expect("short"),
        ..Default::default()
    };
    let mut signals = 0;
    loop {
        match call(file, SISLM_IOC_EVALUATE, &mut evaluate) {
            Ok(()) => return Ok((evaluate.done, signals)),
            Err(Errno::EINTR) => signals += 1,
            Err(errno) => return Err(errno),
        }
    }
}

/// Makes the call in a thread of its own; what is received tells that it has returned.
fn spawn(kind: Call, file: &Arc<File>) -> Receiver<()> {
    let (returned, receiver) = mpsc::channel();
    let file = file.clone();
    thread::spawn(move || {
        make(kind, &file);
        drop(file);
        whatever(returned.send(()));
    });
    receiver
}

/// Every two calls, the second a little later, on a file with a prompt. Whether all came back.
fn pairs(report: &mut Report, rounds: u32) -> Result<bool, Failure> {
    let mut moment = 0_u64;
    for first in CALLS {
        for second in CALLS {
            for _ in 0..rounds {
                let file = Arc::new(open()?);
                configure(&file, TOKENS)?;
                if !matches!(first, Call::Run | Call::Evaluate) {
                    (&*file).write_all(PROMPT)?;
                }
                let mut returned = vec![(first, spawn(first, &file))];
                moment = (moment + 7919) % 20_000;
                thread::sleep(Duration::from_micros(moment));
                returned.push((second, spawn(second, &file)));
                // The one that ends the turn of both, if they wait for it.
                returned.push((Call::Cancel, spawn(Call::Cancel, &file)));
                for (kind, receiver) in returned {
                    if receiver.recv_timeout(PATIENCE).is_err() {
                        let why = format!("{first:?} then {second:?}: {kind:?} did not return");
                        report.failed("turns/every-call-returns", &why);
                        return Ok(false);
                    }
                }
            }
        }
    }
    report.equal("turns/every-call-returns", true, true);
    Ok(true)
}

/// A holder of the file who asks for the RESULT all the time does not take the end of a turn from
/// who waits for it. Whether all calls came back.
fn spectators(report: &mut Report, rounds: u32) -> Result<bool, Failure> {
    let file = Arc::new(open()?);
    configure(&file, 4)?;
    let over = Arc::new(AtomicBool::new(false));
    let asking = {
        let (file, over) = (file.clone(), over.clone());
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                make(Call::Result, &file);
            }
        })
    };
    for round in 0..rounds {
        (&*file).write_all(PROMPT)?;
        // Begins the turn, which nobody reads.
        whatever(poll(&file, POLLIN, 0));
        thread::sleep(Duration::from_micros(u64::from(round) * 7919 % 20_000));
        if spawn(Call::Cancel, &file).recv_timeout(PATIENCE).is_err() {
            report.failed(
                "turns/spectators-take-no-end",
                &format!("round {round}: CANCEL did not return"),
            );
            return Ok(false);
        }
    }
    over.store(true, Ordering::Relaxed);
    let joined = asking.join().is_ok();
    report.equal("turns/spectators-take-no-end", joined, true);
    Ok(true)
}

/// Two holders of a file evaluate and cancel: each gets its own rows, and not more than it asked for.
fn evaluations(report: &mut Report) -> Result<(), Failure> {
    let file = open()?;
    configure(&file, 0)?;
    let (mine, other) = EVALUATIONS;
    let end = Instant::now() + Duration::from_secs(3);
    let (mut past, mut wrong, mut done) = (0, 0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while Instant::now() < end {
                whatever(call(&file, SISLM_IOC_CANCEL, &mut ()));
                whatever(evaluate(&file, &vec![1; other], &mut vec![0; other]));
            }
        });
        while Instant::now() < end {
            let mut to = vec![UNTOUCHED; other];
            let found = evaluate(&file, &vec![1; mine], &mut to);
            past += usize::from(to[mine..].iter().any(|value| *value != UNTOUCHED));
            match found {
                Ok((rows, _)) if rows as usize == mine => done += 1,
                Ok(_) => wrong += 1,
                Err(_) => whatever(call(&file, SISLM_IOC_CANCEL, &mut ())),
            }
        }
    });
    println!("# turns: {done} of the shorter evaluations were finished");
    report.equal("turns/evaluate-writes-what-its-caller-gave", past, 0);
    report.equal("turns/evaluate-ends-with-its-own-rows", wrong, 0);
    Ok(())
}

/// An embedding that a signal left goes on with the same structure only.
fn embedding(report: &mut Report, file: &File) -> Result<(), Failure> {
    const NUMBER: u32 = SISLM_IOC_EVALUATE;
    let ids = [1_u32; 128];
    let mut model = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    call(file, SISLM_IOC_MODEL, &mut model)?;
    let length = model.embedding as usize;
    let (mut calm, mut values) = (vec![0.0_f32; length], vec![f32::NAN; length]);
    let mut embed = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: 128,
        flags: SISLM_EVALUATE_EMBED,
        pooling: SISLM_POOLING_MEAN,
        embeddings: calm.as_mut_ptr() as u64,
        embeddings_capacity: model.embedding,
        ..Default::default()
    };
    call(file, NUMBER, &mut embed)?;
    embed.embeddings = values.as_mut_ptr() as u64;
    embed.done = 0;
    alarms(3000, false)?;
    let left = call(file, NUMBER, &mut embed);
    alarms(0, false)?;
    report.equal("turns/embed-left", left, Err(Errno::EINTR));
    for (what, other) in [
        (
            "pooling",
            sislm_evaluate {
                pooling: SISLM_POOLING_LAST,
                ..embed
            },
        ),
        (
            "count",
            sislm_evaluate {
                count: 127,
                ..embed
            },
        ),
        (
            "flags",
            sislm_evaluate {
                flags: 0,
                pooling: 0,
                embeddings: 0,
                embeddings_capacity: 0,
                ..embed
            },
        ),
    ] {
        let mut other = other;
        let found = call(file, NUMBER, &mut other);
        report.refused(
            &format!("turns/embed-goes-on-with-another-{what}"),
            found,
            &[Errno::EINVAL],
        );
    }
    let done = call(file, NUMBER, &mut embed);
    report.equal("turns/embed-goes-on", (done, embed.done), (Ok(()), 1));
    report.equal("turns/embed-after-a-signal", values == calm, true);
    // Where there is no room any more nothing is written.
    values.fill(f32::NAN);
    embed.done = 0;
    alarms(3000, false)?;
    let left = call(file, NUMBER, &mut embed);
    alarms(0, false)?;
    embed.embeddings_capacity -= 1;
    report.equal("turns/embed-left-again", left, Err(Errno::EINTR));
    let found = call(file, NUMBER, &mut embed);
    report.refused(
        "turns/embed-goes-on-with-less-room",
        found,
        &[Errno::ENOSPC],
    );
    let untouched = values.iter().all(|value| value.is_nan());
    report.equal("turns/embed-writes-what-has-room", untouched, true);
    Ok(())
}

/// Signals lose no turn, whether the program calls again or the kernel does.
fn signals(report: &mut Report) -> Result<(), Failure> {
    let ids = [1_u32; 128];
    let mut buffer = vec![0; 65536];
    let session = || -> Result<File, Failure> {
        let file = open()?;
        configure(&file, 128)?;
        Ok(file)
    };
    let (calm, _) = run_once(&session()?, &mut buffer)?;
    let mut rows = [0; 128];
    evaluate(&session()?, &ids, &mut rows)?;
    for (how, restart) in [("again", false), ("restarted", true)] {
        let (running, evaluating) = (session()?, session()?);
        let mut found = [0; 128];
        alarms(3000, restart)?;
        let text = run_once(&running, &mut buffer);
        let done = evaluate(&evaluating, &ids, &mut found);
        alarms(0, restart)?;
        let (text, signals) = text?;
        let (_, more) = done?;
        report.equal(&format!("turns/run-called-{how}"), text == calm, true);
        report.equal(&format!("turns/evaluate-called-{how}"), found, rows);
        let came = signals > 0 || more > 0;
        report.equal(&format!("turns/signals-seen-{how}"), came, !restart);
    }
    embedding(report, &session()?)?;
    // What nobody goes on with is ended by the next use of the file.
    let file = session()?;
    alarms(3000, false)?;
    let mut run = sislm_run {
        prompt: PROMPT.as_ptr() as u64,
        prompt_length: u32::try_from(PROMPT.len())?,
        text: buffer.as_mut_ptr() as u64,
        capacity: 65536,
        ..Default::default()
    };
    let first = call(&file, SISLM_IOC_RUN, &mut run);
    alarms(0, false)?;
    report.equal("turns/run-left", first, Err(Errno::EINTR));
    report.equal(
        "turns/write-after-it",
        (&file).write(PROMPT).ok(),
        Some(PROMPT.len()),
    );
    report.equal(
        "turns/cancel-after-it",
        call(&file, SISLM_IOC_CANCEL, &mut ()),
        Ok(()),
    );
    let mut late = sislm_result::default();
    let finish = call(&file, SISLM_IOC_RUN, &mut run).map(|()| run.result.finish);
    report.equal(
        "turns/run-of-a-turn-that-is-gone",
        finish,
        Ok(SISLM_FINISH_CANCELLED),
    );
    run.turn = u64::MAX;
    report.refused(
        "turns/run-of-no-turn",
        call(&file, SISLM_IOC_RUN, &mut run),
        &[Errno::EINVAL],
    );
    call(&file, SISLM_IOC_RESULT, &mut late)?;
    Ok(())
}
