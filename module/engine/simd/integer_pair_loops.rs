// SPDX-License-Identifier: GPL-2.0
//! The loops with SMMLA over blocks of 32 integers with one scale.

/// Defines `multiply` with SMMLA for `$format`; rows that are not paired go to
/// `$single::multiply_tile`.
///
/// `prepare(&Group, half, quarter)` unpacks rows 2 * quarter and 2 * quarter + 1 of both fours of
/// the half, and `add_pair::<I>(&mut sums, &weights, scales, &[PairBlock; 2], magic)` adds their
/// products with pair I; `FIRST` is what the unpacked rows of the first four are to be multiplied
/// with, a power of two.
macro_rules! integer_pair_loops {
    ($format:ty, $single:ident) => {
        use crate::simd::neon::load_f16;
        use crate::simd::pair::{MAGIC, PairBlock};

        /// The scales of the rows `prepare` unpacks, each twice.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn scales(group: &Group, half: usize, quarter: usize) -> Eight {
            let [first, second] = twice(load_f16(&group.scales.0[half]), quarter);
            if FIRST == 1.0 {
                [first, second]
            } else {
                [vmulq_n_f32(first, FIRST), second]
            }
        }

        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn tiles<const N: usize, const QUARTER: usize>(
            group: &[Group],
            half: usize,
            activation: [&[[PairBlock; 2]]; N],
        ) -> [[Eight; 2]; N] {
            let magic = vdupq_n_s32(MAGIC);
            let mut sums = [[[vdupq_n_f32(0.0); 2]; 2]; N];
            for (index, block) in group.iter().enumerate() {
                let weights = prepare(block, half, QUARTER);
                let scales = scales(block, half, QUARTER);
                for (sums, tile) in sums.iter_mut().zip(activation) {
                    // SAFETY: the tiles have as many blocks as the group.
                    let pairs = unsafe { tile.get_unchecked(index) };
                    add_pair::<0>(&mut sums[0], &weights, scales, pairs, magic);
                    add_pair::<1>(&mut sums[1], &weights, scales, pairs, magic);
                }
            }
            sums
        }

        crate::simd::pair_loops::pair_loops! {
            layout: $format, generics: [], single: $single, tile: [PairBlock; 2]
        }
    };
}
pub(super) use integer_pair_loops;
