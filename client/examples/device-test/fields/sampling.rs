// SPDX-License-Identifier: MIT OR Apache-2.0
//! The samplers of CONFIGURE.

use super::{bias, configuration, Fields};
use crate::raw::*;

/// Each member of the sampling with a value beyond its range.
pub(super) fn wrong(fields: &mut Fields<'_>) {
    let sound = configuration();
    macro_rules! outside {
        ($($name:literal: $($member:ident).+ = $value:expr;)*) => {
            $(fields.outside(
                $name,
                &sound,
                |c| c.$($member).+ = $value,
                (std::mem::offset_of!(sislm_configure, $($member).+), i64::from($value)),
            );)*
        };
    }
    const MILLION: u32 = SISLM_MILLION;
    const HUNDRED: u32 = 100 * MILLION;
    const SIGNED: i32 = 100_000_000;
    outside! {
        "temperature": sampling.temperature = HUNDRED + 1;
        "top_p-0": sampling.top_p = 0_u32;
        "top_p-over": sampling.top_p = MILLION + 1;
        "min_p": sampling.min_p = MILLION + 1;
        "typical_p-0": sampling.typical_p = 0_u32;
        "typical_p-over": sampling.typical_p = MILLION + 1;
        "repeat_penalty-0": sampling.repeat_penalty = 0_u32;
        "repeat_penalty-over": sampling.repeat_penalty = HUNDRED + 1;
        "presence_penalty-under": sampling.presence_penalty = -SIGNED - 1;
        "presence_penalty-over": sampling.presence_penalty = SIGNED + 1;
        "frequency_penalty-under": sampling.frequency_penalty = -SIGNED - 1;
        "frequency_penalty-over": sampling.frequency_penalty = SIGNED + 1;
        "sampling.pad": sampling.pad = 1_u32;
        "dry_multiplier": samplers.dry_multiplier = HUNDRED + 1;
        "dry_base-over": samplers.dry_base = HUNDRED + 1;
        "top_n_sigma": samplers.top_n_sigma = HUNDRED + 1;
        "xtc_probability": samplers.xtc_probability = MILLION + 1;
        "xtc_threshold": samplers.xtc_threshold = MILLION + 1;
        "dynatemp_range": samplers.dynatemp_range = HUNDRED + 1;
        "dynatemp_exponent": samplers.dynatemp_exponent = HUNDRED + 1;
        "mirostat-1": samplers.mirostat = 1_u32;
        "mirostat-3": samplers.mirostat = 3_u32;
        "mirostat_tau": samplers.mirostat_tau = HUNDRED + 1;
        "mirostat_eta": samplers.mirostat_eta = HUNDRED + 1;
        "breaker_count": samplers.breaker_count = SISLM_BREAKER_MAX + 1;
        "samplers.pad": samplers.pad = 1_u32;
        "bias_count": bias_count = SISLM_BIAS_MAX + 1;
    }
    let base = std::mem::offset_of!(sislm_configure, samplers.dry_base);
    fields.outside(
        "dry_base-under",
        &sound,
        |c| (c.samplers.dry_multiplier, c.samplers.dry_base) = (1, MILLION - 1),
        (base, i64::from(MILLION) - 1),
    );
    breakers(fields, &sound);
    bias::wrong(fields, &sound);
    fields.sound("configure-after-samplers", SISLM_IOC_CONFIGURE, &sound);
}

/// Sequence breakers of DRY: lengths of 1 to the most, and zeroes past them.
fn breakers(fields: &mut Fields<'_>, sound: &sislm_configure) {
    let place = std::mem::offset_of!(sislm_configure, samplers.breaker_length);
    let mut outside = |name: &str, change: &dyn Fn(&mut sislm_samplers)| {
        let change = |c: &mut sislm_configure| change(&mut c.samplers);
        fields.outside(name, sound, change, (place, 0));
    };
    outside("breaker_length-0", &|s| s.breaker_count = 1);
    outside("breaker_length-over", &|s| {
        (s.breaker_count, s.breaker_length[0]) = (1, SISLM_BREAKER_BYTES + 1)
    });
    outside("breaker_length-unused", &|s| s.breaker_length[7] = 1);
    outside("breaker-unused", &|s| s.breaker[7][0] = b'a');
    outside("breaker-past-length", &|s| {
        (s.breaker_count, s.breaker_length[0], s.breaker[0][1]) = (1, 1, b'a')
    });
    let mut all = *sound;
    (all.samplers.dry_multiplier, all.samplers.dry_base) = (MAX_OF_ALL, MAX_OF_ALL);
    all.samplers.breaker_count = SISLM_BREAKER_MAX;
    all.samplers.breaker_length = [SISLM_BREAKER_BYTES; SISLM_BREAKER_MAX as usize];
    all.samplers.breaker = [[b'a'; SISLM_BREAKER_BYTES as usize]; SISLM_BREAKER_MAX as usize];
    fields.sound("configure.breakers", SISLM_IOC_CONFIGURE, &all);
}

/// Largest DRY multiplier and base.
const MAX_OF_ALL: u32 = 100 * SISLM_MILLION;
