// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counters, gauges and histograms of the module.

/// What METRICS tells; the members are those of `struct sislm_metrics`.
pub use crate::uapi::sislm_metrics as Metrics;

/// How often values were within which bounds; the members are those of `struct sislm_histogram`.
pub use crate::uapi::sislm_histogram as Histogram;

impl Histogram {
    /// The bounds, ascending.
    pub fn bounds(&self) -> &[u64] {
        let count = self.bound_count as usize;
        self.bounds.get(..count).unwrap_or(&self.bounds)
    }

    /// Counts of what is not above each bound, and of what is above all.
    pub fn counts(&self) -> &[u64] {
        let count = self.bounds().len() + 1;
        self.buckets.get(..count).unwrap_or(&self.buckets)
    }

    /// Values in all.
    pub fn count(&self) -> u64 {
        self.counts().iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_count_more_than_bounds() {
        let mut histogram = Histogram {
            bound_count: 2,
            ..Default::default()
        };
        histogram.buckets[..4].copy_from_slice(&[1, 2, 3, 9]);
        assert_eq!((histogram.bounds(), histogram.count()), (&[0, 0][..], 6));
        histogram.bound_count = u32::MAX;
        assert_eq!(histogram.counts().len(), histogram.buckets.len());
    }
}
