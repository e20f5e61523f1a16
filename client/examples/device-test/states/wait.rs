// SPDX-License-Identifier: MIT OR Apache-2.0
//! What poll(2), epoll and readers that do not wait are told.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::{self, POLLIN, POLLOUT};

use super::session::{drain, read, session, write, PROMPT};
use crate::async_fd;
use crate::raw::*;
use crate::report::{Failure, Report};

pub(super) fn polled(report: &mut Report) -> Result<(), Failure> {
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

/// A file that an event loop knows before its prompt is written, as those of tokio and mio do.
pub(super) fn events(report: &mut Report) -> Result<(), Failure> {
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
pub(super) fn impatient(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
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
