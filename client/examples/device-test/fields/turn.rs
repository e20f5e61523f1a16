// SPDX-License-Identifier: MIT OR Apache-2.0
//! RUN and RESULT.

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let mut text = [0_u8; 1024];
    let prompt = b"he";
    let run = sislm_run {
        prompt: prompt.as_ptr() as u64,
        prompt_length: 2,
        text: text.as_mut_ptr() as u64,
        capacity: 1024,
        ..Default::default()
    };
    fields.sound("run", SISLM_IOC_RUN, &run);
    fields.invalid("run.flags", SISLM_IOC_RUN, &run, |run| run.flags = 1);
    fields.wrong(
        "run.prompt",
        SISLM_IOC_RUN,
        &run,
        |run| run.prompt = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "run.prompt_length",
        SISLM_IOC_RUN,
        &run,
        |run| run.prompt_length = u32::MAX,
        &[Errno::EMSGSIZE],
    );
    fields.wrong(
        "run.text",
        SISLM_IOC_RUN,
        &run,
        |run| run.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "run.capacity",
        SISLM_IOC_RUN,
        &run,
        |run| run.capacity = 0,
        &[Errno::ENOSPC],
    );

    let result = sislm_result::default();
    let mut ids = [0_u32; 64];
    fields.sound("result", SISLM_IOC_RESULT, &result);
    fields.wrong(
        "result.ids",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.ids, r.capacity) = (NOWHERE, 64),
        &[Errno::EFAULT],
    );
    fields.wrong(
        "result.prompt_ids",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.prompt_ids, r.prompt_capacity) = (NOWHERE, 64),
        &[Errno::EFAULT],
    );
    fields.wrong(
        "result.capacity",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.ids, r.capacity) = (ids.as_mut_ptr() as u64, 1),
        &[Errno::ENOSPC],
    );
    fields.wrong(
        "result.prompt_capacity",
        SISLM_IOC_RESULT,
        &result,
        |r| (r.prompt_ids, r.prompt_capacity) = (ids.as_mut_ptr() as u64, 1),
        &[Errno::ENOSPC],
    );
}
