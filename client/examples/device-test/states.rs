// SPDX-License-Identifier: MIT OR Apache-2.0
//! The state table of the device: what each call does in IDLE, PENDING and RUNNING.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{self, POLLIN, POLLOUT};

use crate::async_fd;
use crate::raw::*;
use crate::report::{Failure, Report};

const MODEL: &[u8] = b"states";
const PROMPT: &[u8] = b"one ten tires";

/// Loads `model` (a context of 1024 at least, no early end) and goes through the table.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let weights = File::open(model)?;
    let mut load = sislm_load {
        fd: weights.as_raw_fd(),
        name: name(MODEL),
        ..Default::default()
    };
    call(&device, SISLM_IOC_LOAD, &mut load)?;
    let mut query = sislm_query::default();
    call(&device, SISLM_IOC_QUERY, &mut query)?;
    idle(report, query.prompt_max as usize)?;
    pending(report, query.prompt_max as usize)?;
    running(report)?;
    polled(report)?;
    events(report)?;
    impatient(report, query.prompt_max as usize)?;
    readonly(report)?;
    shared(report)?;
    interrupted(report)?;
    contexts(report)?;
    closed(report, &device)?;
    call(
        &device,
        SISLM_IOC_UNLOAD,
        &mut sislm_unload {
            name: name(MODEL),
            ..Default::default()
        },
    )?;
    Ok(())
}

/// A session that answers greedily with `tokens` tokens (0: until the context is full).
fn session(context: u32, tokens: u32) -> Result<File, Failure> {
    let file = open()?;
    let mut configure = sislm_configure {
        flags: SISLM_CONFIGURE_IGNORE_EOS,
        context,
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
    call(&file, SISLM_IOC_CONFIGURE, &mut configure)?;
    Ok(file)
}

fn read(mut file: &File) -> Result<usize, Errno> {
    file.read(&mut [0; 256]).map_err(errno)
}

fn write(mut file: &File, text: &[u8]) -> Result<usize, Errno> {
    file.write(text).map_err(errno)
}

fn errno(error: io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

fn result(file: &File) -> Result<sislm_result, Errno> {
    let mut result = sislm_result::default();
    call(file, SISLM_IOC_RESULT, &mut result).map(|()| result)
}

/// The text until the end of the turn.
fn drain(mut file: &File) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut buffer = [0; 256];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(text),
            Ok(length) => text.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(errno(error)),
        }
    }
}

fn cancel(file: &File) -> Result<(), Errno> {
    call(file, SISLM_IOC_CANCEL, &mut ())
}

fn idle(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
    let mut file = session(0, 8)?;
    report.refused(
        "states/idle-read-before-a-turn",
        read(&file),
        &[Errno::ENODATA],
    );
    report.equal(
        "states/idle-poll",
        poll(&file, POLLIN | POLLOUT, 0),
        Ok(POLLOUT),
    );
    report.equal("states/idle-cancel", cancel(&file), Ok(()));
    report.equal(
        "states/idle-reset",
        call(&file, SISLM_IOC_RESET, &mut ()),
        Ok(()),
    );
    let long = vec![b'a'; prompt_max + 1];
    report.refused(
        "states/idle-write-too-long",
        write(&file, &long),
        &[Errno::EMSGSIZE],
    );
    report.refused(
        "states/idle-nothing-of-it-taken",
        read(&file),
        &[Errno::ENODATA],
    );
    report.refused(
        "states/seek",
        file.seek(io::SeekFrom::Start(0)).map_err(errno),
        &[Errno::ESPIPE],
    );
    report.refused(
        "states/pread",
        file.read_at(&mut [0; 4], 0).map_err(errno),
        &[Errno::ESPIPE],
    );
    report.refused(
        "states/pwrite",
        file.write_at(b"a", 0).map_err(errno),
        &[Errno::ESPIPE],
    );
    report.equal(
        "states/write-takes-all",
        write(&file, PROMPT),
        Ok(PROMPT.len()),
    );
    report.equal(
        "states/answer-comes",
        drain(&file).map(|text| text.is_empty()),
        Ok(false),
    );
    report.equal("states/idle-read-after-a-turn", read(&file), Ok(0));
    report.equal(
        "states/finish-length",
        result(&file).map(|r| (r.finish, r.count)),
        Ok((SISLM_FINISH_LENGTH, 8)),
    );
    Ok(())
}

fn pending(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
    let file = session(0, 4)?;
    write(&file, PROMPT)?;
    report.equal(
        "states/pending-poll-for-writing",
        poll(&file, POLLOUT, 0),
        Ok(POLLOUT),
    );
    report.equal("states/pending-cancel", cancel(&file), Ok(()));
    report.refused(
        "states/pending-cancel-drops-the-prompt",
        read(&file),
        &[Errno::ENODATA],
    );
    write(&file, PROMPT)?;
    call(&file, SISLM_IOC_RESET, &mut ())?;
    report.refused(
        "states/pending-reset-drops-the-prompt",
        read(&file),
        &[Errno::ENODATA],
    );

    let (head, tail) = PROMPT.split_at(4);
    write(&file, head)?;
    let rest = vec![b'a'; prompt_max];
    report.refused(
        "states/pending-write-too-long",
        write(&file, &rest),
        &[Errno::EMSGSIZE],
    );
    write(&file, tail)?;
    let parts = drain(&file)?;
    let counts = result(&file)?;
    let whole = session(0, 4)?;
    write(&whole, PROMPT)?;
    report.equal("states/pending-writes-append", parts, drain(&whole)?);
    report.equal(
        "states/pending-counts",
        counts.prompt_count,
        result(&whole)?.prompt_count,
    );
    // More than the memory that the first part takes; the context is too short for it.
    let text: String = (0..2000).map(|number| format!("{number} ")).collect();
    let counts = |parts: usize| -> Result<_, Failure> {
        let file = session(0, 4)?;
        for part in text.as_bytes().chunks(text.len() / parts) {
            write(&file, part)?;
        }
        Ok((read(&file), result(&file)?.prompt_count))
    };
    let whole = counts(1)?;
    report.refused("states/pending-long-prompt", whole.0, &[Errno::EMSGSIZE]);
    report.equal("states/pending-many-writes-append", counts(7)?, whole);
    for (name, number) in [
        ("run", SISLM_IOC_RUN),
        ("configure", SISLM_IOC_CONFIGURE),
        ("evaluate", SISLM_IOC_EVALUATE),
    ] {
        let file = session(0, 4)?;
        write(&file, PROMPT)?;
        report.refused(
            &format!("states/pending-{name}"),
            busy(&file, number),
            &[Errno::EBUSY],
        );
    }
    Ok(())
}

/// An ioctl that is sound but for the state it is made in.
fn busy(file: &File, number: u32) -> Result<(), Errno> {
    let mut text = [0_u8; 64];
    let ids = [1_u32, 2];
    let sampling = sislm_sampling {
        top_p: SISLM_MILLION,
        typical_p: SISLM_MILLION,
        repeat_penalty: SISLM_MILLION,
        ..Default::default()
    };
    match number {
        SISLM_IOC_RUN => {
            let (prompt, text) = (PROMPT.as_ptr() as u64, text.as_mut_ptr() as u64);
            let mut run = sislm_run {
                prompt,
                prompt_length: 3,
                text,
                capacity: 64,
                ..Default::default()
            };
            call(file, number, &mut run)
        }
        SISLM_IOC_CONFIGURE => call(
            file,
            number,
            &mut sislm_configure {
                model: name(MODEL),
                sampling,
                ..Default::default()
            },
        ),
        _ => call(
            file,
            number,
            &mut sislm_evaluate {
                ids: ids.as_ptr() as u64,
                count: 2,
                ..Default::default()
            },
        ),
    }
}

fn running(report: &mut Report) -> Result<(), Failure> {
    let file = session(1024, 0)?;
    nonblocking(&file, true)?;
    write(&file, PROMPT)?;
    report.refused(
        "states/nonblocking-read-starts",
        read(&file),
        &[Errno::EAGAIN],
    );
    report.refused(
        "states/running-write",
        write(&file, PROMPT),
        &[Errno::EBUSY],
    );
    for (name, number) in [
        ("run", SISLM_IOC_RUN),
        ("configure", SISLM_IOC_CONFIGURE),
        ("evaluate", SISLM_IOC_EVALUATE),
    ] {
        report.refused(
            &format!("states/running-{name}"),
            busy(&file, number),
            &[Errno::EBUSY],
        );
    }
    nonblocking(&file, false)?;
    report.equal(
        "states/running-read",
        read(&file).map(|length| length > 0),
        Ok(true),
    );
    report.equal("states/running-cancel", cancel(&file), Ok(()));
    drain(&file)?;
    report.equal(
        "states/finish-cancelled",
        result(&file).map(|r| r.finish),
        Ok(SISLM_FINISH_CANCELLED),
    );
    report.equal(
        "states/idle-after-cancel",
        write(&file, PROMPT),
        Ok(PROMPT.len()),
    );
    Ok(())
}

fn polled(report: &mut Report) -> Result<(), Failure> {
    let file = session(0, 8)?;
    write(&file, PROMPT)?;
    report.equal(
        "states/poll-for-reading-starts",
        poll(&file, POLLIN, 60_000),
        Ok(POLLIN),
    );
    nonblocking(&file, true)?;
    report.equal(
        "states/poll-does-not-lie",
        read(&file).map(|length| length > 0),
        Ok(true),
    );
    let mut ends = None;
    while ends.is_none() {
        poll(&file, POLLIN, 60_000)?;
        match read(&file) {
            Ok(0) => ends = Some(Ok(0)),
            Ok(_) => (),
            Err(errno) => ends = Some(Err(errno)),
        }
    }
    report.equal("states/poll-until-the-end", ends, Some(Ok(0)));
    report.equal(
        "states/poll-after-the-end",
        poll(&file, POLLIN | POLLOUT, 0),
        Ok(POLLOUT),
    );
    Ok(())
}

fn shared(report: &mut Report) -> Result<(), Failure> {
    let alone = session(0, 32)?;
    write(&alone, PROMPT)?;
    let whole = drain(&alone)?;

    let file = session(0, 32)?;
    let twin = file.try_clone()?;
    write(&file, PROMPT)?;
    report.equal(
        "states/dup-shares-the-session",
        drain(&twin).as_ref(),
        Ok(&whole),
    );

    let file = session(0, 32)?;
    write(&file, PROMPT)?;
    // Each reader stops at the end of the turn; the one that comes after it finds IDLE, also 0.
    let parts = thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(|| drain(&file)))
            .map(|reader| reader.join())
    });
    let mut length = 0;
    for part in parts {
        length += part.map_err(|_| "a reader panicked")??.len();
    }
    report.equal("states/two-readers-get-it-all", length, whole.len());
    Ok(())
}

fn interrupted(report: &mut Report) -> Result<(), Failure> {
    let calm = session(0, 32)?;
    write(&calm, PROMPT)?;
    let whole = drain(&calm)?;
    let file = session(0, 32)?;
    write(&file, PROMPT)?;
    alarms(3000, false)?;
    let text = drain(&file);
    alarms(0, false)?;
    report.equal("states/signals-lose-no-text", text, Ok(whole));
    Ok(())
}

fn contexts(report: &mut Report) -> Result<(), Failure> {
    let file = session(32, 0)?;
    write(&file, PROMPT)?;
    drain(&file)?;
    let full = result(&file)?;
    report.equal(
        "states/context-full",
        (full.finish, full.positions),
        (SISLM_FINISH_CONTEXT, 32),
    );
    write(&file, PROMPT)?;
    report.refused(
        "states/prompt-after-a-full-context",
        read(&file),
        &[Errno::EMSGSIZE],
    );

    let file = session(32, 0)?;
    write(&file, &PROMPT.repeat(20))?;
    report.refused("states/prompt-too-long", read(&file), &[Errno::EMSGSIZE]);
    let long = result(&file)?;
    let told = (long.prompt_count > 32, long.context, long.finish);
    report.equal(
        "states/prompt-too-long-counts",
        told,
        (true, 32, SISLM_FINISH_ERROR),
    );
    report.equal(
        "states/idle-after-too-long",
        write(&file, PROMPT),
        Ok(PROMPT.len()),
    );

    let file = session(0, 4)?;
    write(&file, PROMPT)?;
    drain(&file)?;
    let first = result(&file)?;
    write(&file, PROMPT)?;
    drain(&file)?;
    let second = result(&file)?;
    report.equal(
        "states/a-turn-continues-the-context",
        (first.reused, second.reused > 0),
        (0, true),
    );
    call(&file, SISLM_IOC_RESET, &mut ())?;
    let forgotten = result(&file)?;
    report.equal(
        "states/reset-forgets-the-turn",
        (forgotten.finish, forgotten.count, forgotten.prompt_count),
        (SISLM_FINISH_NONE, 0, 0),
    );
    write(&file, PROMPT)?;
    drain(&file)?;
    report.equal("states/reset-empties-the-context", result(&file)?.reused, 0);
    busy(&file, SISLM_IOC_CONFIGURE)?;
    let forgotten = result(&file)?;
    report.equal(
        "states/configure-forgets-the-turn",
        (forgotten.finish, forgotten.count, forgotten.prompt_count),
        (SISLM_FINISH_NONE, 0, 0),
    );
    Ok(())
}

/// A file that an event loop knows before its prompt is written, as those of tokio and mio do.
fn events(report: &mut Report) -> Result<(), Failure> {
    let kinds = [
        ("level", libc::EPOLLIN),
        (
            "edge",
            libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET,
        ),
    ];
    for (kind, wanted) in kinds {
        let file = session(0, 32)?;
        nonblocking(&file, true)?;
        let loop_ = Events::of(&file, wanted)?;
        loop_.wait(0)?;
        write(&file, PROMPT)?;
        let mut text = Vec::new();
        let mut buffer = [0; 256];
        let mut ended = false;
        while !ended && loop_.wait(60_000)? != 0 {
            loop {
                match (&file).read(&mut buffer) {
                    Ok(0) => break ended = true,
                    Ok(length) => text.extend_from_slice(&buffer[..length]),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let alone = session(0, 32)?;
        write(&alone, PROMPT)?;
        let found = (ended, text == drain(&alone)?);
        report.equal(
            &format!("states/epoll-{kind}-before-the-prompt"),
            found,
            (true, true),
        );
    }
    let file = session(0, 32)?;
    nonblocking(&file, true)?;
    let alone = session(0, 32)?;
    write(&alone, PROMPT)?;
    let text = async_fd::answer(file, PROMPT)?;
    report.equal("states/tokio-before-the-prompt", text, drain(&alone)?);
    // What cannot be started is told by an event, too.
    let file = session(32, 0)?;
    nonblocking(&file, true)?;
    let loop_ = Events::of(&file, libc::EPOLLIN | libc::EPOLLET)?;
    write(&file, &PROMPT.repeat(20))?;
    let told = loop_.wait(60_000)? & libc::EPOLLERR != 0;
    report.equal("states/epoll-tells-of-an-error", told, true);
    report.refused("states/read-tells-which", read(&file), &[Errno::EMSGSIZE]);
    Ok(())
}

/// A long prompt is tokenized in nobody's name who does not wait for it.
fn impatient(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
    let file = session(32, 0)?;
    let long = vec![b' '; prompt_max];
    // The least of a few: the emulator's own pauses count as the caller's time.
    let mut polled = Duration::MAX;
    for _ in 0..4 {
        polled = polled.min(poll_once(report, &file, &long)?);
    }
    nonblocking(&file, false)?;
    write(&file, &long)?;
    let before = cpu_time();
    report.refused("states/patient-read", read(&file), &[Errno::EMSGSIZE]);
    let waited = cpu_time() - before;
    // The same work: one who waits does it, one who does not leaves it to the kernel.
    report.equal("states/poll-does-not-tokenize", polled < waited / 4, true);
    Ok(())
}

/// CPU time of a poll and a nonblocking read that start the turn of `prompt`, which is too long.
fn poll_once(report: &mut Report, file: &File, prompt: &[u8]) -> Result<Duration, Failure> {
    nonblocking(file, true)?;
    write(file, prompt)?;
    let before = cpu_time();
    poll(file, POLLIN, 0)?;
    report.refused("states/impatient-read", read(file), &[Errno::EAGAIN]);
    let polled = cpu_time() - before;
    poll(file, POLLIN, 600_000)?;
    report.refused(
        "states/impatient-read-later",
        read(file),
        &[Errno::EMSGSIZE],
    );
    Ok(polled)
}

/// A file that is open for reading only shows, and does nothing.
fn readonly(report: &mut Report) -> Result<(), Failure> {
    let file = File::open("/dev/sislm")?;
    for (what, number) in [
        ("configure", SISLM_IOC_CONFIGURE),
        ("run", SISLM_IOC_RUN),
        ("evaluate", SISLM_IOC_EVALUATE),
    ] {
        let name = format!("states/readonly-{what}");
        report.refused(&name, busy(&file, number), &[Errno::EBADF]);
    }
    for (what, number) in [
        ("tokenize", SISLM_IOC_TOKENIZE),
        ("detokenize", SISLM_IOC_DETOKENIZE),
        ("reset", SISLM_IOC_RESET),
        ("cancel", SISLM_IOC_CANCEL),
        ("selftest", SISLM_IOC_SELFTEST),
        ("bench", SISLM_IOC_BENCH),
    ] {
        let name = format!("states/readonly-{what}");
        report.refused(&name, call(&file, number, &mut [0_u8; 64]), &[Errno::EBADF]);
    }
    let mut query = sislm_query::default();
    let shown = call(&file, SISLM_IOC_QUERY, &mut query);
    report.equal("states/readonly-query", shown, Ok(()));
    Ok(())
}

fn closed(report: &mut Report, device: &File) -> Result<(), Failure> {
    let file = session(1024, 0)?;
    nonblocking(&file, true)?;
    write(&file, PROMPT)?;
    report.refused(
        "states/unload-in-use",
        call(
            device,
            SISLM_IOC_UNLOAD,
            &mut sislm_unload {
                name: name(MODEL),
                ..Default::default()
            },
        ),
        &[Errno::EBUSY],
    );
    report.refused("states/started-before-close", read(&file), &[Errno::EAGAIN]);
    drop(file);
    let mut query = sislm_query::default();
    // What was about to be started ends a moment later.
    for _ in 0..100 {
        call(device, SISLM_IOC_QUERY, &mut query)?;
        if query.sessions == 1 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    report.equal("states/close-ends-the-session", query.sessions, 1);
    Ok(())
}
