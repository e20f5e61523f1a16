// SPDX-License-Identifier: MIT OR Apache-2.0
//! LOAD with ranges of files behind its first one.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

/// Makes a field of a range wrong.
type Change = fn(&mut sislm_part);

/// Each wrong field of a range, of a `load` of `file` that is sound.
pub(super) fn wrong(fields: &mut Fields<'_>, load: &sislm_load, file: &File) {
    fields.invalid("load.pad3", SISLM_IOC_LOAD, load, |load| load.pad3 = 1);
    fields.invalid("load.pad4", SISLM_IOC_LOAD, load, |load| load.pad4 = 1);
    fields.invalid("load.rank", SISLM_IOC_LOAD, load, |load| {
        load.rank = SISLM_RANK_MAX + 1;
    });
    fields.invalid("load.part_count", SISLM_IOC_LOAD, load, |load| {
        load.part_count = SISLM_PARTS_MAX + 1;
    });
    fields.wrong(
        "load.parts",
        SISLM_IOC_LOAD,
        load,
        |load| load.part_count = 1,
        &[Errno::EFAULT],
    );
    let sound = sislm_part {
        fd: file.as_raw_fd(),
        bytes: 1,
        ..Default::default()
    };
    let changes: [(&str, Change, Errno); 5] = [
        ("part.pad", |part| part.pad = 1, Errno::EINVAL),
        ("part.fd", |part| part.fd = 999, Errno::EBADF),
        ("part.offset", |part| part.offset = u64::MAX, Errno::EINVAL),
        (
            "part.past-the-end",
            |part| part.offset = 1 << 40,
            Errno::EINVAL,
        ),
        ("part.bytes", |part| part.bytes = 1 << 40, Errno::EINVAL),
    ];
    for (name, change, wanted) in changes {
        // The second range is wrong: the first is open by then.
        let mut parts = [sound; 2];
        change(&mut parts[1]);
        let argument = sislm_load {
            parts: parts.as_ptr() as u64,
            part_count: 2,
            ..*load
        };
        fields.wrong(name, SISLM_IOC_LOAD, &argument, |_| (), &[wanted]);
    }
}
