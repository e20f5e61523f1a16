// SPDX-License-Identifier: GPL-2.0
//! The processors: how many, and what instructions they have.

use super::{bindings as sys, uapi};
use kernel::{bindings, prelude::*};

/// CPUs that are online now, at least 1.
pub(crate) fn online() -> u32 {
    // SAFETY: Reads a counter.
    unsafe { sys::sislm_online_cpus() }.max(1)
}

/// Online CPUs that are not isolated, at least 1.
pub(crate) fn housekeeping() -> u32 {
    // SAFETY: Reads two masks.
    unsafe { sys::sislm_housekeeping_cpus() }.max(1)
}

/// The highest `SISLM_SIMD_*` level that every CPU has.
pub(crate) fn simd_level() -> u32 {
    // Number of a feature as in arch/arm64/include/asm/hwcap.h: a bit of HWCAP, or 64 and a bit of HWCAP2.
    let dotprod = bindings::HWCAP_ASIMDDP.trailing_zeros();
    let i8mm = bindings::HWCAP2_I8MM.trailing_zeros().wrapping_add(64);
    let neon = bindings::HWCAP_ASIMD.trailing_zeros();
    // SAFETY: Takes any number.
    let has = |feature| unsafe { bindings::cpu_have_feature(feature) };
    match (has(neon), has(dotprod), has(i8mm)) {
        (true, true, true) => uapi::SISLM_SIMD_I8MM,
        (true, true, false) => uapi::SISLM_SIMD_DOTPROD,
        (true, false, _) => uapi::SISLM_SIMD_NEON,
        (false, _, _) => uapi::SISLM_SIMD_SCALAR,
    }
}

/// The name of a level.
pub(crate) fn simd_name(level: u32) -> &'static CStr {
    match level {
        uapi::SISLM_SIMD_I8MM => c"i8mm",
        uapi::SISLM_SIMD_DOTPROD => c"dotprod",
        uapi::SISLM_SIMD_NEON => c"neon",
        _ => c"scalar",
    }
}
