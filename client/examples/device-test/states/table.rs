// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each call does in IDLE, PENDING and RUNNING.

use std::io::{self, Seek};
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::libc::{POLLIN, POLLOUT};

use super::session::{busy, cancel, drain, errno, read, result, session, write, PROMPT};
use crate::raw::*;
use crate::report::{Failure, Report};

pub(super) fn idle(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
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

pub(super) fn pending(report: &mut Report, prompt_max: usize) -> Result<(), Failure> {
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

pub(super) fn running(report: &mut Report) -> Result<(), Failure> {
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
