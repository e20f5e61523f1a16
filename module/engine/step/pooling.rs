// SPDX-License-Identifier: GPL-2.0
//! The mean of the hidden states of a text: summed in f64, positions ascending, divided and rounded once.

/// Adds a hidden state to `sums`.
pub fn add(sums: &mut [f64], state: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(state) {
        *sum += f64::from(*value);
    }
}

/// The mean of `count` hidden states.
pub fn mean(mean: &mut [f32], sums: &[f64], count: u32) {
    for (mean, sum) in mean.iter_mut().zip(sums) {
        // CAST: Rounds to the nearest.
        #[expect(clippy::cast_possible_truncation)]
        let rounded = (*sum / f64::from(count)) as f32;
        *mean = rounded;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_rounded_once() {
        let mut sums = [0.0; 2];
        for state in [[1e8, 1.0], [1.0, 2.0], [-1e8, 4.5]] {
            add(&mut sums, &state);
        }
        let mut out = [0.0; 2];
        mean(&mut out, &sums, 3);
        assert_eq!(out, [1.0 / 3.0, 2.5]);
    }
}
