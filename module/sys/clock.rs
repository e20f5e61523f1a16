// SPDX-License-Identifier: GPL-2.0
//! Moments of CLOCK_MONOTONIC, nanoseconds.

use kernel::time::{ClockSource, Monotonic};

/// A moment that does not come.
pub(crate) const NEVER: u64 = u64::MAX;

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// This moment.
pub(crate) fn now() -> u64 {
    Monotonic::ktime_get().unsigned_abs()
}

/// The moment in so many milliseconds; 0 for [`NEVER`].
pub(crate) fn in_milliseconds(count: u32) -> u64 {
    match count {
        0 => NEVER,
        count => now().saturating_add(u64::from(count).saturating_mul(1_000_000)),
    }
}
