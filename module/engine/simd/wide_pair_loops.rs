// SPDX-License-Identifier: GPL-2.0
//! The loops with SMMLA over blocks of 256.

/// Defines `multiply` with SMMLA for `$format`; rows that are not paired go to
/// `$single::multiply_tile`.
///
/// `prepare(&Group, part, half, quarter)` unpacks 32 weights of rows 2 * quarter and 2 * quarter + 1
/// of both fours of the half, and their scales; `add_pair::<I>(&mut quanta, &weights, &[PairPart;
/// 2])` adds their products with pair I. `rows(&Group, half, quarter)` has what `finish(&mut sums,
/// quanta, &rows, &WideTile, i)` needs of the rows to add the terms of a block with pair i.
macro_rules! wide_pair_loops {
    ($format:ty, $single:ident) => {
        use crate::simd::wide_tile::{PairPart, WideTile};

        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn tiles<const N: usize, const QUARTER: usize>(
            group: &[Group],
            half: usize,
            activation: [&[WideTile]; N],
        ) -> [[Eight; 2]; N] {
            let mut sums = [[[vdupq_n_f32(0.0); 2]; 2]; N];
            for (index, block) in group.iter().enumerate() {
                // SAFETY: the tiles have as many blocks as the group.
                let activation = activation.map(|tile| unsafe { tile.get_unchecked(index) });
                let mut quanta = [[[vdupq_n_s32(0); 2]; 2]; N];
                for part in 0..8 {
                    let weights = prepare(block, part, half, QUARTER);
                    for (quanta, tile) in quanta.iter_mut().zip(activation) {
                        let pairs = &tile.parts[part];
                        add_pair::<0>(&mut quanta[0], &weights, pairs);
                        add_pair::<1>(&mut quanta[1], &weights, pairs);
                    }
                }
                let rows = rows(block, half, QUARTER);
                for (sums, (quanta, tile)) in sums.iter_mut().zip(quanta.iter().zip(activation)) {
                    for (i, (sums, quanta)) in sums.iter_mut().zip(quanta).enumerate() {
                        finish(sums, *quanta, &rows, tile, i);
                    }
                }
            }
            sums
        }

        crate::simd::pair_loops::pair_loops! {
            layout: $format, generics: [], single: $single, tile: WideTile
        }
    };
}
pub(super) use wide_pair_loops;
