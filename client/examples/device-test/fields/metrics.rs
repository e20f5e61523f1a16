// SPDX-License-Identifier: MIT OR Apache-2.0
//! METRICS.

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let number = SISLM_IOC_METRICS;
    let sound = sislm_metrics {
        name: name(MODEL),
        ..Default::default()
    };
    fields.sound("metrics", number, &sound);
    fields.sound("metrics-of-all", number, &sislm_metrics::default());
    fields.invalid("metrics.flags", number, &sound, |m| m.flags = 1);
    fields.invalid("metrics.pad", number, &sound, |m| m.pad = 1);
    fields.invalid("metrics.pad2", number, &sound, |m| m.pad2 = 1);
    fields.invalid("metrics.name-unterminated", number, &sound, |m| {
        m.name = [b'a'; 64]
    });
    fields.wrong(
        "metrics.name-absent",
        number,
        &sound,
        |m| m.name = name(b"absent"),
        &[Errno::ENOENT],
    );
}
