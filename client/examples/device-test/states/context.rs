// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a context holds, and what it does when it is full.

use nix::errno::Errno;

use super::session::{busy, drain, read, result, session, write, PROMPT};
use crate::raw::*;
use crate::report::{Failure, Report};

pub(super) fn contexts(report: &mut Report) -> Result<(), Failure> {
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
