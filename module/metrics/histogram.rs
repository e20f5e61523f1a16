// SPDX-License-Identifier: GPL-2.0
//! How often values were within which bounds.

use crate::sys::uapi;
use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
};

/// Most bounds.
const BOUNDS_MAX: usize = uapi::HISTOGRAM_BOUNDS;

/// Bounds, ascending: a value belongs to the first that it is not above.
pub(crate) type Bounds = &'static [u64];

/// Counts of values between bounds, and their sum.
pub(crate) struct Histogram {
    bounds: Bounds,
    sum: Atomic<u64>,
    /// One more than bounds are used: the last is of what is above all.
    buckets: [Atomic<u64>; BOUNDS_MAX + 1],
}

impl Histogram {
    /// Without values.
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            sum: Atomic::new(0),
            buckets: core::array::from_fn(|_| Atomic::new(0)),
        }
    }

    /// Counts `value`.
    pub(crate) fn observe(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(value, Relaxed);
    }

    /// Writes its bounds and counts into an answer.
    pub(crate) fn tell(&self, to: &mut uapi::Histogram) {
        to.sum = self.sum.load(Relaxed);
        // CAST: At most BOUNDS_MAX.
        to.bound_count = self.bounds.len() as u32;
        for (to, from) in to.bounds.iter_mut().zip(self.bounds) {
            *to = *from;
        }
        for (to, from) in to.buckets.iter_mut().zip(&self.buckets) {
            *to = from.load(Relaxed);
        }
    }
}

#[kunit_tests(sislm_histogram)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_what_is_below_it() {
        let histogram = Histogram::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, 1000] {
            histogram.observe(value);
        }
        let mut answer = uapi::Histogram::default();
        histogram.tell(&mut answer);
        assert_eq!((answer.bound_count, answer.sum), (2, 1062));
        assert_eq!(answer.bounds[..3], [10, 20, 0]);
        assert_eq!(answer.buckets[..4], [2, 2, 2, 0]);
    }
}
