// SPDX-License-Identifier: MIT OR Apache-2.0
//! LOAD and CONFIGURE with adapters.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;

use super::{configuration, Fields};
use crate::raw::*;

/// Each wrong field of an adapter, of a `load` that is sound; `model` is a file that is none.
pub(super) fn wrong(fields: &mut Fields<'_>, load: &sislm_load, model: &File) {
    fields.invalid("load.adapter_count", SISLM_IOC_LOAD, load, |load| {
        load.adapter_count = SISLM_ADAPTERS_MAX + 1;
    });
    let count = |load: &mut sislm_load| load.adapter_count = 1;
    fields.wrong(
        "load.adapters",
        SISLM_IOC_LOAD,
        load,
        count,
        &[Errno::EFAULT],
    );
    let sound = sislm_adapter_file {
        fd: model.as_raw_fd(),
        scale: 1,
    };
    let most = SISLM_SCALE_MAX.cast_signed();
    for (name, fd, scale, wanted) in [
        ("adapter.fd", 999, 1, Errno::EBADF),
        ("adapter.scale", sound.fd, most + 1, Errno::EINVAL),
        ("adapter.scale-negative", sound.fd, -1 - most, Errno::EINVAL),
        ("adapter.scale-least", sound.fd, i32::MIN, Errno::EINVAL),
    ] {
        let adapters = [sound, sislm_adapter_file { fd, scale }];
        let argument = sislm_load {
            adapters: adapters.as_ptr() as u64,
            adapter_count: 2,
            ..*load
        };
        fields.wrong(name, SISLM_IOC_LOAD, &argument, |_| (), &[wanted]);
    }
    let mut argument = sislm_load {
        adapters: (&raw const sound) as u64,
        adapter_count: 1,
        ..*load
    };
    let refused = call(&fields.file, SISLM_IOC_LOAD, &mut argument);
    let told = (argument.refused_file, argument.reason);
    fields.report.equal(
        "fields/load.adapter-a-model",
        (refused, told),
        (Err(Errno::EINVAL), (1, SISLM_LOAD_KEY_MISSING)),
    );
}

/// Each wrong scale of CONFIGURE, on a model without adapters.
pub(super) fn wrong_scales(fields: &mut Fields<'_>) {
    let sound = configuration();
    let given = SISLM_CONFIGURE_SCALES;
    let most = SISLM_SCALE_MAX.cast_signed();
    for (name, flags, place, scale) in [
        ("scales-not-given", 0, 0, 1),
        ("scales-over", given, 0, most + 1),
        ("scales-under", given, 0, -1 - most),
        ("scales-least", given, 3, i32::MIN),
        ("scales-past-the-adapters", given, 0, 1),
        ("scales-past-the-adapters-last", given, 3, 1),
    ] {
        fields.invalid(
            &format!("configure.{name}"),
            SISLM_IOC_CONFIGURE,
            &sound,
            |configure| {
                configure.flags |= flags;
                configure.scales[place] = scale;
            },
        );
    }
    let none = sislm_configure {
        flags: sound.flags | given,
        ..sound
    };
    fields.sound("configure.scales-none", SISLM_IOC_CONFIGURE, &none);
}
