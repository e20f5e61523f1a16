// SPDX-License-Identifier: MIT OR Apache-2.0
//! EVALUATE for scores.

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let ids = [1_u32, 300, 301, 302];
    let outside = [1_u32, u32::MAX];
    let mut log_probabilities = [0_i32; 4];
    let mut top = [sislm_candidate::default(); 8];
    let evaluate = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: 4,
        log_probabilities: log_probabilities.as_mut_ptr() as u64,
        top: top.as_mut_ptr() as u64,
        top_k: 2,
        ..Default::default()
    };
    fields.sound("evaluate", SISLM_IOC_EVALUATE, &evaluate);
    fields.invalid("evaluate.flags", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.flags = 2
    });
    fields.invalid("evaluate.count-0", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.count = 0
    });
    fields.wrong(
        "evaluate.count-over-context",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.count = u32::MAX,
        &[Errno::EMSGSIZE, Errno::EINVAL],
    );
    fields.invalid("evaluate.top_k", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.top_k = SISLM_TOP_MAX + 1
    });
    fields.invalid("evaluate.done", SISLM_IOC_EVALUATE, &evaluate, |e| {
        e.done = 1
    });
    fields.wrong(
        "evaluate.ids",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.invalid("evaluate.id", SISLM_IOC_EVALUATE, &evaluate, |e| {
        (e.ids, e.count) = (outside.as_ptr() as u64, 2)
    });
    fields.wrong(
        "evaluate.log_probabilities",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.log_probabilities = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "evaluate.top",
        SISLM_IOC_EVALUATE,
        &evaluate,
        |e| e.top = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.sound("evaluate-after-refusals", SISLM_IOC_EVALUATE, &evaluate);
}
