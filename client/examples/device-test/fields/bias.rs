// SPDX-License-Identifier: MIT OR Apache-2.0
//! The biases of CONFIGURE.

use std::fs::File;

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

/// Biases: ascending ids of the model's, each bias within its range, one token left.
pub(super) fn wrong(fields: &mut Fields<'_>, sound: &sislm_configure) {
    let place = std::mem::offset_of!(sislm_configure, biases);
    let bias = |id, bias| sislm_bias { id, bias };
    let with = |biases: &[sislm_bias]| {
        let (address, count) = (biases.as_ptr() as u64, biases.len());
        move |c: &mut sislm_configure| {
            (c.biases, c.bias_count) = (address, u32::try_from(count).expect("few"));
        }
    };
    let over = [bias(7, 100_000_001)];
    fields.outside("bias-over", sound, with(&over), (place, 100_000_001));
    let under = [bias(7, -100_000_001)];
    fields.outside("bias-under", sound, with(&under), (place, -100_000_001));
    let twice = [bias(7, 1), bias(7, 1)];
    fields.outside("biases-twice", sound, with(&twice), (place, 7));
    let descending = [bias(7, 1), bias(6, 1)];
    fields.outside("biases-descending", sound, with(&descending), (place, 6));
    let unknown = [bias(1 << 20, 1)];
    fields.invalid(
        "configure.bias-no-token",
        SISLM_IOC_CONFIGURE,
        sound,
        with(&unknown),
    );
    fields.wrong(
        "configure.biases",
        SISLM_IOC_CONFIGURE,
        sound,
        |c| (c.biases, c.bias_count) = (NOWHERE, 1),
        &[Errno::EFAULT],
    );
    let most: Vec<sislm_bias> = (0..SISLM_BIAS_MAX)
        .map(|id| bias(id, 100_000_000))
        .collect();
    let vocabulary = vocabulary(&fields.file);
    let known = most
        .get(..most.len().min(vocabulary as usize))
        .unwrap_or(&most);
    let mut all = *sound;
    with(known)(&mut all);
    fields.sound("configure.biases-most", SISLM_IOC_CONFIGURE, &all);
    if vocabulary <= SISLM_BIAS_MAX {
        let banned: Vec<sislm_bias> = (0..vocabulary)
            .map(|id| bias(id, SISLM_BIAS_BANNED))
            .collect();
        fields.invalid(
            "configure.all-banned",
            SISLM_IOC_CONFIGURE,
            sound,
            with(&banned),
        );
        let mut one_left = *sound;
        with(&banned[1..])(&mut one_left);
        fields.sound("configure.one-left", SISLM_IOC_CONFIGURE, &one_left);
    }
}

/// Tokens of the model of these tests.
fn vocabulary(file: &File) -> u32 {
    let mut model = sislm_model {
        name: name(MODEL),
        ..Default::default()
    };
    call(file, SISLM_IOC_MODEL, &mut model).map_or(0, |()| model.vocabulary)
}
