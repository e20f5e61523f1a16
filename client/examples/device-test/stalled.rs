// SPDX-License-Identifier: MIT OR Apache-2.0
//! A caller whose memory does not answer holds nobody else up.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{POLLIN, POLLOUT};

use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"stalled";
const PROMPT: &[u8] = b"one ten tires";
/// What others do beside the caller takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Milliseconds until the caller has come to its memory, at most.
const ARRIVAL: i32 = 120_000;
/// More ids than any text has.
const FAR_TOO_MANY: u32 = u32::MAX;

/// Loads `model` and makes each call that uses memory with memory that does not answer.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    load(&device, &weights, MODEL)?;
    let mut detokenize = sislm_detokenize {
        count: FAR_TOO_MANY,
        ..Default::default()
    };
    report.refused(
        "stalled/detokenize-of-too-many",
        call(&device, SISLM_IOC_DETOKENIZE, &mut detokenize),
        &[Errno::EMSGSIZE],
    );
    for (what, make) in CALLS {
        let stalled = match Stalled::new() {
            Ok(stalled) => stalled,
            Err(Errno::ENOSYS) => {
                println!("skip stalled/{what} this kernel has no userfaultfd");
                continue;
            }
            Err(errno) => return Err(errno.into()),
        };
        beside(report, what, *make, stalled)?;
    }
    drop(device);
    unload(&open()?, MODEL)?;
    Ok(())
}

type Make = fn(&File, u64);

/// The calls, each with memory at the address given.
const CALLS: &[(&str, Make)] = &[
    ("write", |file, address| {
        whatever(transfer(file, address, true))
    }),
    ("read", |mut file, address| {
        whatever(file.write(PROMPT));
        whatever(transfer(file, address, false));
    }),
    ("run-prompt", |file, address| {
        let mut run = sislm_run {
            prompt: address,
            prompt_length: 16,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_RUN, &mut run));
    }),
    ("run-text", |file, address| {
        let mut run = sislm_run {
            prompt: PROMPT.as_ptr() as u64,
            prompt_length: 13,
            text: address,
            capacity: 4096,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_RUN, &mut run));
    }),
    ("evaluate-ids", |file, address| {
        let mut evaluate = sislm_evaluate {
            ids: address,
            count: 16,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_EVALUATE, &mut evaluate));
    }),
    ("evaluate-rows", |file, address| {
        let ids = [1_u32; 64];
        let mut evaluate = sislm_evaluate {
            ids: ids.as_ptr() as u64,
            count: 64,
            log_probabilities: address,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_EVALUATE, &mut evaluate));
    }),
    ("tokenize", |file, address| {
        let mut tokenize = sislm_tokenize {
            text: address,
            length: 16,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_TOKENIZE, &mut tokenize));
    }),
    ("detokenize", |file, address| {
        let mut detokenize = sislm_detokenize {
            ids: address,
            count: 16,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_DETOKENIZE, &mut detokenize));
    }),
    ("result", |file, address| {
        let mut text = [0; 4096];
        let mut run = sislm_run {
            prompt: PROMPT.as_ptr() as u64,
            prompt_length: 13,
            text: text.as_mut_ptr() as u64,
            capacity: 4096,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_RUN, &mut run));
        let mut result = sislm_result {
            ids: address,
            capacity: 1024,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_RESULT, &mut result));
    }),
    ("metadata", |file, address| {
        let mut metadata = sislm_metadata {
            name: name(MODEL),
            key: name(b"general.name"),
            text: address,
            capacity: 4096,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_METADATA, &mut metadata));
    }),
    ("vocabulary", |file, address| {
        let mut vocabulary = sislm_vocabulary {
            name: name(MODEL),
            types: address,
            ends: address,
            text: address,
            capacity: u32::MAX,
            text_capacity: u32::MAX,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_VOCABULARY, &mut vocabulary));
    }),
    ("next-forced", |mut file, address| {
        whatever(file.write(PROMPT));
        let mut next = sislm_next {
            forced: address,
            forced_count: 4,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_NEXT, &mut next));
    }),
    ("next-top", |mut file, address| {
        whatever(file.write(PROMPT));
        let mut next = sislm_next {
            top: address,
            top_k: 4,
            ..Default::default()
        };
        whatever(call(file, SISLM_IOC_NEXT, &mut next));
    }),
];

/// Makes one call in a thread of its own, and beside it what others may do with the file.
fn beside(report: &mut Report, what: &str, make: Make, stalled: Stalled) -> Result<(), Failure> {
    let file = Arc::new(open()?);
    let address = stalled.address();
    let caller = {
        let file = file.clone();
        thread::spawn(move || make(&file, address))
    };
    let waits = stalled.is_touched(ARRIVAL)?;
    report.equal(&format!("stalled/{what}-comes-to-it"), waits, true);
    let (done, returned) = mpsc::channel();
    let others = {
        let file = file.clone();
        thread::spawn(move || {
            let facts = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
            let step = |name: &'static str| whatever(done.send(name));
            whatever(fs::read(facts));
            step("fdinfo");
            whatever(poll(&file, POLLIN | POLLOUT, 0));
            step("poll");
            whatever(call(&file, SISLM_IOC_RESULT, &mut sislm_result::default()));
            step("result");
            whatever(call(&file, SISLM_IOC_CANCEL, &mut ()));
            step("cancel");
        })
    };
    let mut came = Vec::new();
    while let Ok(name) = returned.recv_timeout(PATIENCE) {
        came.push(name);
    }
    report.equal(
        &format!("stalled/{what}-holds-nobody-up"),
        came,
        vec!["fdinfo", "poll", "result", "cancel"],
    );
    report.equal(
        &format!("stalled/{what}-waits"),
        caller.is_finished(),
        false,
    );
    stalled.release();
    caller.join().map_err(|_| "the caller panicked")?;
    others.join().map_err(|_| "the others panicked")?;
    Ok(())
}
