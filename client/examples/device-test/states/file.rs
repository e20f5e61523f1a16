// SPDX-License-Identifier: MIT OR Apache-2.0
//! A session as a file: shared, interrupted, open for reading only, closed.

use std::fs::File;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use super::session::{busy, drain, read, session, write, PROMPT};
use super::MODEL;
use crate::raw::*;
use crate::report::{Failure, Report};

pub(super) fn shared(report: &mut Report) -> Result<(), Failure> {
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

pub(super) fn interrupted(report: &mut Report) -> Result<(), Failure> {
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

/// A file that is open for reading only shows, and does nothing.
pub(super) fn readonly(report: &mut Report) -> Result<(), Failure> {
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

pub(super) fn closed(report: &mut Report, device: &File) -> Result<(), Failure> {
    let file = session(1024, 0)?;
    nonblocking(&file, true)?;
    write(&file, PROMPT)?;
    report.refused(
        "states/unload-in-use",
        unload(device, MODEL),
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
