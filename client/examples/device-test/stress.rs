// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything at once: processes and threads that make every call on shared files with odd values and
//! bad pointers, under signals and kills. Each call has to come back, and the device to be sound
//! afterwards.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::process::{self, Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc::{POLLIN, POLLOUT};
use sislm::{Device, ModelName, SamplingConfig, SessionConfig, Source};

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &str = "stress";
const PROMPT: &[u8] = b"one ten tires";
/// Files that all processes share.
const FILES: usize = 8;
/// Processes, and threads of each.
const PROCESSES: usize = 4;
const THREADS: usize = 6;
/// No call takes as long, even on the debug kernel with all others beside it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Microseconds between two signals to a process.
const ALARMS: i64 = 3000;

/// Loads `model` and lets the processes run for `seconds`.
pub(crate) fn run(report: &mut Report, model: &str, seconds: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = MODEL.parse()?;
    let source = Source::open(model)?;
    device.load(&source, &name)?;
    let wanted = answer(&device, &name)?;
    let end = Instant::now() + Duration::from_secs(seconds.parse()?);
    let files = (0..FILES).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
    for file in &files {
        inherited(file)?;
    }
    let mut draw = Draw::new(process::id());
    let mut children = (0..PROCESSES)
        .map(|_| spawn(&files))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut killed, mut failed) = (0, Vec::new());
    while Instant::now() < end && failed.is_empty() {
        thread::sleep(Duration::from_millis(u64::from(draw.number(700))));
        let place = draw.below(PROCESSES);
        if let Some(status) = children[place].try_wait()? {
            failed.push(status.to_string());
            break;
        }
        if draw.below(2) == 0 {
            children[place].kill()?;
            children[place].wait()?;
            children[place] = spawn(&files)?;
            killed += 1;
        }
        // One of its own, that comes and goes meanwhile.
        let other: ModelName = format!("{MODEL}-{}", draw.below(2)).parse()?;
        whatever(device.load(&source, &other));
        whatever(device.unload(&other));
    }
    for mut child in children {
        if let Some(status) = child.try_wait()? {
            failed.push(status.to_string());
        }
        child.kill()?;
        child.wait()?;
    }
    println!("# stress: {killed} processes killed");
    report.equal("stress/every-call-returns", failed, Vec::new());
    drop(files);
    report.equal("stress/answer-after", answer(&device, &name)?, wanted);
    let left = settled(|| Ok(device.statistics()?.kv_blocks))?;
    report.equal("stress/no-block-stays", left, 0);
    let sessions = settled(|| Ok(u64::from(device.query()?.sessions).saturating_sub(1)))?;
    report.equal("stress/no-session-stays", sessions, 0);
    device.unload(&name)?;
    Ok(())
}

/// `count` once it is 0, or after a while: what a killed process had goes a moment later.
fn settled(count: impl Fn() -> Result<u64, Failure>) -> Result<u64, Failure> {
    for _ in 0..100 {
        if count()? == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    count()
}

fn answer(device: &Device, name: &ModelName) -> Result<Vec<u32>, Failure> {
    let mut session = device.session(&SessionConfig {
        model: Some(name.clone()),
        max_tokens: 8,
        sampling: SamplingConfig::greedy(),
        ignore_eos: true,
        ..Default::default()
    })?;
    for text in session.prompt(PROMPT)? {
        text?;
    }
    Ok(session.outcome()?.ids)
}

fn spawn(files: &[File]) -> Result<Child, Failure> {
    let numbers = files.iter().map(|file| file.as_raw_fd().to_string());
    Ok(Command::new(std::env::current_exe()?)
        .arg("stress-process")
        .args(numbers)
        .spawn()?)
}

/// One process: makes calls on the files that it inherited until it is killed. Ends by itself only
/// when a call does not return.
pub(crate) fn process(numbers: &[&str]) -> Result<(), Failure> {
    let files = numbers
        .iter()
        .map(|number| Ok(adopted(number.parse()?)?))
        .collect::<Result<Vec<File>, Failure>>()?;
    let start = Instant::now();
    // For each thread the call and its beginning, milliseconds since the start.
    let calls: [AtomicU64; THREADS] = Default::default();
    alarms(ALARMS, true)?;
    thread::scope(|scope| {
        for (thread, slot) in calls.iter().enumerate() {
            let files = &files;
            scope.spawn(move || {
                let mut draw = Draw::new(process::id() + u32::try_from(thread).unwrap_or(0) * 977);
                let Ok(area) = Area::new() else {
                    return;
                };
                loop {
                    let kind = draw.below(KINDS);
                    let now = u64::try_from(start.elapsed().as_millis()).unwrap_or(0);
                    slot.store(now << 8 | kind as u64, Ordering::Relaxed);
                    let file = &files[draw.below(files.len())];
                    make(kind, file, &area, &mut draw);
                }
            });
        }
        loop {
            thread::sleep(Duration::from_millis(500));
            for slot in &calls {
                let value = slot.load(Ordering::Relaxed);
                if start.elapsed() > Duration::from_millis(value >> 8) + PATIENCE {
                    // The scope cannot end: its threads do not.
                    println!("# stress: call {} did not return", value & 0xff);
                    process::exit(1);
                }
            }
        }
    });
    Ok(())
}

/// Numbers of calls that [`make`] knows.
const KINDS: usize = 18;

/// One call with values that are odd, or sound often enough for turns to run.
fn make(kind: usize, file: &File, area: &Area, draw: &mut Draw) {
    let address = match draw.below(6) {
        0 => NOWHERE,
        1 => PROMPT.as_ptr() as u64,
        _ => area.address(draw.below(AREA)),
    };
    let short = draw.number(64);
    match kind {
        0 | 1 => whatever(transfer(file, area.address(draw.below(AREA)), false)),
        2 => whatever(transfer(file, address, true)),
        3 => whatever(poll(file, POLLIN | POLLOUT, 1)),
        4 => whatever(call(file, SISLM_IOC_CANCEL, &mut ())),
        5 => whatever(call(file, SISLM_IOC_RESET, &mut ())),
        6 => whatever(call(file, SISLM_IOC_CONFIGURE, &mut configure(draw))),
        7 => {
            let mut run = sislm_run {
                prompt: address,
                prompt_length: short,
                text: area.address(draw.below(AREA)),
                capacity: draw.number(4096),
                turn: u64::from(draw.number(8)) / 7,
                ..Default::default()
            };
            whatever(call(file, SISLM_IOC_RUN, &mut run));
        }
        8 => {
            let ids = [1_u32; 64];
            let mut evaluate = sislm_evaluate {
                ids: if draw.below(4) == 0 {
                    address
                } else {
                    ids.as_ptr() as u64
                },
                log_probabilities: area.address(draw.below(AREA)),
                top: area.address(draw.below(AREA)),
                count: short,
                top_k: draw.number(65),
                ..Default::default()
            };
            whatever(call(file, SISLM_IOC_EVALUATE, &mut evaluate));
        }
        9 => {
            let mut result = sislm_result {
                ids: address,
                capacity: draw.number(256),
                ..Default::default()
            };
            whatever(call(file, SISLM_IOC_RESULT, &mut result));
        }
        10 => {
            let mut tokenize = sislm_tokenize {
                text: address,
                ids: area.address(draw.below(AREA)),
                length: short,
                capacity: draw.number(128),
                ..Default::default()
            };
            whatever(call(file, SISLM_IOC_TOKENIZE, &mut tokenize));
        }
        11 => {
            let mut detokenize = sislm_detokenize {
                ids: address,
                text: area.address(draw.below(AREA)),
                count: short,
                capacity: draw.number(512),
                ..Default::default()
            };
            whatever(call(file, SISLM_IOC_DETOKENIZE, &mut detokenize));
        }
        12 => whatever(call(
            file,
            SISLM_IOC_STATISTICS,
            &mut sislm_statistics::default(),
        )),
        13 => whatever(call(file, SISLM_IOC_MODEL, &mut sislm_model::default())),
        14 => {
            // A file that is closed with whatever goes on in it.
            if let Ok(own) = open() {
                whatever(transfer(&own, PROMPT.as_ptr() as u64, true));
                whatever(poll(&own, POLLIN, 0));
            }
        }
        15 => whatever(fs::read(format!("/proc/self/fdinfo/{}", file.as_raw_fd()))),
        16 => whatever(nonblocking(file, draw.below(2) == 0)),
        _ => area.shake(draw.below(AREA), draw.below(4)),
    }
}

fn configure(draw: &mut Draw) -> sislm_configure {
    sislm_configure {
        flags: SISLM_CONFIGURE_IGNORE_EOS,
        context: [0, 64, 256][draw.below(3)],
        max_tokens: draw.number(48),
        model: name(MODEL.as_bytes()),
        sampling: sislm_sampling {
            top_p: SISLM_MILLION,
            typical_p: SISLM_MILLION,
            repeat_penalty: SISLM_MILLION,
            ..Default::default()
        },
        ..Default::default()
    }
}

/// Marsaglia's xorshift.
struct Draw(u32);

impl Draw {
    fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(2_654_435_761) | 1)
    }

    fn number(&mut self, most: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % most
    }

    fn below(&mut self, most: usize) -> usize {
        self.number(u32::try_from(most).unwrap_or(u32::MAX)) as usize
    }
}
