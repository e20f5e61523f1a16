// SPDX-License-Identifier: MIT OR Apache-2.0
//! NEXT with wrong fields.

use std::fs::File;
use std::io::Write;

use nix::errno::Errno;

use super::{configuration, Fields, MODEL};
use crate::raw::*;

/// Sends them, first to a prompt that waits, then to a turn that is parked.
pub(super) fn wrong(fields: &mut Fields<'_>) {
    let number = SISLM_IOC_NEXT;
    let configure = sislm_configure {
        flags: SISLM_CONFIGURE_IGNORE_EOS,
        max_tokens: 0,
        ..configuration()
    };
    fields.sound("next.configure", SISLM_IOC_CONFIGURE, &configure);
    let mut model = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    let found = call(&fields.file, SISLM_IOC_MODEL, &mut model);
    fields.report.equal("fields/next.model", found, Ok(()));
    let words = model.vocabulary.div_ceil(32);
    // One word more than there should be, all of it allowed but what lies past the vocabulary.
    let mut mask = vec![u32::MAX; words as usize];
    if !model.vocabulary.is_multiple_of(32) {
        mask[words as usize - 1] = (1 << (model.vocabulary % 32)) - 1;
    }
    mask.push(0);
    let none = vec![0_u32; words as usize];
    let past = vec![u32::MAX; words as usize];
    let forced = [300_u32, 301];
    let outside = [300_u32, model.vocabulary];
    let mut top = [sislm_candidate::default(); 4];
    let mut sound = sislm_next {
        mask: mask.as_ptr() as u64,
        mask_count: words,
        forced: forced.as_ptr() as u64,
        forced_count: 2,
        top: top.as_mut_ptr() as u64,
        top_k: 4,
        ..Default::default()
    };
    let errors = [Errno::ENODATA];
    fields.wrong("next-without-prompt", number, &sound, |_| (), &errors);
    fields.invalid("next.turn", number, &sound, |n| n.turn = u64::MAX);
    let written = (&fields.file).write(b"one").map_err(|error| error.kind());
    fields.report.equal("fields/next-prompt", written, Ok(3));
    for state in ["pending", "parked"] {
        let mut wrong = |name: &str, errno, change: &dyn Fn(&mut sislm_next)| {
            let name = format!("next-{state}.{name}");
            fields.wrong(&name, number, &sound, |n| change(n), &[errno]);
        };
        wrong("flags", Errno::EINVAL, &|n| n.flags = 1);
        wrong("top_k", Errno::EINVAL, &|n| n.top_k = SISLM_TOP_MAX + 1);
        wrong("top-without-k", Errno::EINVAL, &|n| n.top_k = 0);
        wrong("top_k-without-top", Errno::EINVAL, &|n| n.top = 0);
        wrong("mask-without-count", Errno::EINVAL, &|n| n.mask_count = 0);
        wrong("count-without-mask", Errno::EINVAL, &|n| n.mask = 0);
        wrong("mask-short", Errno::EINVAL, &|n| n.mask_count -= 1);
        wrong("mask-long", Errno::EINVAL, &|n| n.mask_count += 1);
        wrong("mask_count", Errno::EINVAL, &|n| n.mask_count = u32::MAX);
        wrong("mask", Errno::EFAULT, &|n| n.mask = NOWHERE);
        wrong("mask-empty", Errno::EINVAL, &|n| {
            n.mask = none.as_ptr() as u64
        });
        if !model.vocabulary.is_multiple_of(32) {
            wrong("mask-past", Errno::EINVAL, &|n| {
                n.mask = past.as_ptr() as u64
            });
        }
        wrong("forced-without-count", Errno::EINVAL, &|n| {
            n.forced_count = 0
        });
        wrong("count-without-forced", Errno::EINVAL, &|n| n.forced = 0);
        wrong("forced_count", Errno::EMSGSIZE, &|n| {
            n.forced_count = u32::MAX
        });
        wrong("forced", Errno::EFAULT, &|n| n.forced = NOWHERE);
        wrong("forced-id", Errno::EINVAL, &|n| {
            n.forced = outside.as_ptr() as u64
        });
        if state == "pending" {
            let found = call(&fields.file, number, &mut sound);
            let told = (found, sound.turn != 0, sound.count);
            fields.report.equal("fields/next", told, (Ok(()), true, 3));
        }
    }
    let readable = File::open("/dev/sislm").map_err(|_| Errno::EIO);
    let found = readable.and_then(|file| call(&file, number, &mut sound.clone()));
    let report = &mut *fields.report;
    report.refused("fields/next-of-a-reader", found, &[Errno::EBADF]);
    fields.sound("next-after-refusals", number, &sound);
    // The answer cannot be given: the turn is over, and so it is said.
    let errors = [Errno::EFAULT];
    fields.wrong("next.top", number, &sound, |n| n.top = NOWHERE, &errors);
    let errors = [Errno::ECANCELED];
    fields.wrong("next-after-a-fault", number, &sound, |_| (), &errors);
    let found = call(&fields.file, SISLM_IOC_RESET, &mut ());
    fields.report.equal("fields/next-reset", found, Ok(()));
}
