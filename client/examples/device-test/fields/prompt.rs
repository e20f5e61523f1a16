// SPDX-License-Identifier: MIT OR Apache-2.0
//! A prompt of ids, and what goes on meanwhile.

use std::fs::File;
use std::io::Read;
use std::io::Write;

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

/// A prompt of ids, and what goes on meanwhile.
pub(super) fn wrong(fields: &mut Fields<'_>) {
    let ids = [1_u32, 300, 301];
    let outside = [1_u32, u32::MAX];
    let number = SISLM_IOC_PROMPT;
    let prompt = sislm_prompt {
        ids: ids.as_ptr() as u64,
        count: 3,
        flags: 0,
    };
    fields.invalid("prompt.flags", number, &prompt, |p| p.flags = 1);
    fields.invalid("prompt.count-0", number, &prompt, |p| p.count = 0);
    let errors = [Errno::EMSGSIZE];
    fields.wrong(
        "prompt.count",
        number,
        &prompt,
        |p| p.count = u32::MAX,
        &errors,
    );
    let errors = [Errno::EFAULT];
    fields.wrong("prompt.ids", number, &prompt, |p| p.ids = NOWHERE, &errors);
    fields.invalid("prompt.id", number, &prompt, |p| {
        (p.ids, p.count) = (outside.as_ptr() as u64, 2)
    });
    let readable = File::open("/dev/sislm").map_err(|_| Errno::EIO);
    let found = readable.and_then(|file| call(&file, number, &mut prompt.clone()));
    let report = &mut *fields.report;
    report.refused("fields/prompt-of-a-reader", found, &[Errno::EBADF]);

    fields.sound("prompt", number, &prompt);
    // It waits: nothing is added to it.
    let errors = [Errno::EBUSY];
    fields.wrong("prompt-twice", number, &prompt, |_| (), &errors);
    let written = (&fields.file)
        .write(b"x")
        .map_err(|error| error.raw_os_error());
    let busy = Err(Some(Errno::EBUSY as i32));
    fields
        .report
        .equal("fields/prompt-then-text", written, busy);
    let mut text = Vec::new();
    let read = (&fields.file)
        .read_to_end(&mut text)
        .map_err(|error| error.raw_os_error());
    fields
        .report
        .equal("fields/prompt-is-answered", read.map(|_| ()), Ok(()));
    let mut found = [0_u32; 8];
    let mut result = sislm_result {
        prompt_ids: found.as_mut_ptr() as u64,
        prompt_capacity: 8,
        ..Default::default()
    };
    let answer = call(&fields.file, SISLM_IOC_RESULT, &mut result);
    let answer = answer.map(|()| (result.prompt_count, result.count, found[..3].to_vec()));
    fields
        .report
        .equal("fields/prompt-ids", answer, Ok((3, 4, ids.to_vec())));
    // Text after ids, and ids dropped before they are asked for.
    let written = (&fields.file)
        .write(b"x")
        .map_err(|error| error.raw_os_error());
    fields
        .report
        .equal("fields/text-then-prompt", written, Ok(1));
    fields.wrong("prompt-after-text", number, &prompt, |_| (), &errors);
    let dropped = call(&fields.file, SISLM_IOC_RESET, &mut ());
    fields.report.equal("fields/text-dropped", dropped, Ok(()));
    fields.sound("prompt-after-reset", number, &prompt);
    let dropped = call(&fields.file, SISLM_IOC_CANCEL, &mut ());
    fields
        .report
        .equal("fields/prompt-dropped", dropped, Ok(()));
}
