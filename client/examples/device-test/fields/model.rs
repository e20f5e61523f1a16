// SPDX-License-Identifier: MIT OR Apache-2.0
//! LOAD, PROGRESS, MODEL and UNLOAD.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::errno::Errno;

use super::{adapters, parts, Fields, MODEL};
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>, weights: &File) {
    let bad_names: [(&str, &[u8]); 4] = [
        ("slash", b"a/b"),
        ("space", b"a b"),
        ("control", b"a\nb"),
        ("after-nul", b"a\0b"),
    ];
    let load = sislm_load {
        fd: weights.as_raw_fd(),
        name: name(b"other"),
        ..Default::default()
    };
    fields.invalid("load.flags", SISLM_IOC_LOAD, &load, |load| load.flags = 2);
    fields.invalid("load.pad", SISLM_IOC_LOAD, &load, |load| load.pad = 1);
    fields.invalid("load.pad2", SISLM_IOC_LOAD, &load, |load| load.pad2 = 1);
    parts::wrong(fields, &load, weights);
    adapters::wrong(fields, &load, weights);
    fields.invalid("load.name-empty", SISLM_IOC_LOAD, &load, |load| {
        load.name = [0; 64]
    });
    fields.invalid("load.name-unterminated", SISLM_IOC_LOAD, &load, |load| {
        load.name = [b'a'; 64]
    });
    fields.invalid("load.name-version", SISLM_IOC_LOAD, &load, |load| {
        load.name = name(b"other@1")
    });
    fields.invalid("load.name-long", SISLM_IOC_LOAD, &load, |load| {
        load.name = name(&[b'a'; 53])
    });
    fields.wrong(
        "load.fd-closed",
        SISLM_IOC_LOAD,
        &load,
        |load| load.fd = 999,
        &[Errno::EBADF],
    );
    fields.wrong(
        "load.fd-negative",
        SISLM_IOC_LOAD,
        &load,
        |load| load.fd = -1,
        &[Errno::EBADF],
    );
    for (slug, text) in bad_names {
        fields.invalid(
            &format!("load.name-{slug}"),
            SISLM_IOC_LOAD,
            &load,
            |load| load.name = name(text),
        );
        let unload = sislm_unload {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("unload.name-{slug}"),
            SISLM_IOC_UNLOAD,
            &unload,
            |_| (),
        );
        let progress = sislm_progress {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("progress.name-{slug}"),
            SISLM_IOC_PROGRESS,
            &progress,
            |_| (),
        );
        let model = sislm_model {
            name: name(text),
            ..Default::default()
        };
        fields.invalid(
            &format!("model.name-{slug}"),
            SISLM_IOC_MODEL,
            &model,
            |_| (),
        );
    }
    let model = sislm_unload {
        name: name(MODEL),
        ..Default::default()
    };
    fields.invalid("unload.flags", SISLM_IOC_UNLOAD, &model, |u| u.flags = 4);
    fields.invalid("unload.flags-both", SISLM_IOC_UNLOAD, &model, |u| {
        u.flags = SISLM_UNLOAD_FORCE | SISLM_UNLOAD_DRAIN
    });
    fields.invalid("unload.pad", SISLM_IOC_UNLOAD, &model, |u| u.pad = 1);
    let absent = sislm_unload {
        name: name(b"absent"),
        ..Default::default()
    };
    fields.wrong(
        "unload.name-absent",
        SISLM_IOC_UNLOAD,
        &absent,
        |_| (),
        &[Errno::ENOENT],
    );
    fields.invalid("unload.name-empty", SISLM_IOC_UNLOAD, &absent, |argument| {
        argument.name = [0; 64]
    });
    let progress = sislm_progress {
        name: name(b"absent"),
        ..Default::default()
    };
    fields.wrong(
        "progress.name-absent",
        SISLM_IOC_PROGRESS,
        &progress,
        |_| (),
        &[Errno::ENOENT],
    );
    let model = sislm_model::default();
    fields.sound("model", SISLM_IOC_MODEL, &model);
    fields.invalid("model.flags", SISLM_IOC_MODEL, &model, |model| {
        model.flags = 1
    });
    fields.wrong(
        "model.index-past-end",
        SISLM_IOC_MODEL,
        &model,
        |model| model.index = 1000,
        &[Errno::ENOENT],
    );
    fields.wrong(
        "model.index-max",
        SISLM_IOC_MODEL,
        &model,
        |model| model.index = u32::MAX,
        &[Errno::ENOENT],
    );
    fields.wrong(
        "model.name-absent",
        SISLM_IOC_MODEL,
        &model,
        |model| model.name = name(b"absent"),
        &[Errno::ENOENT],
    );
}
