// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: scales, minima, and the sum over the parts.
//!
//! The integers of a block stay within 32 bits: a part's dot product is at most 32 * 15 * 127, and
//! that 16 times, times a scale of 63, for 8 parts, less than 2^29.

/// Defines `add`, `add_half` and `multiply`.
///
/// `part::<PART>(&mut quanta, scales, &Group, &WideBlock)` adds the dot products of a part of 16 rows
/// times their scales, and `dots::<I>(&mut quanta, &prepare(&pairs), scales, &[WidePart; 2])` those
/// of 8 rows with part I, for the upper rows 16 times as much. `less_minima(minima, sums)` gives the dot products
/// of the minima of four rows with the parts' sums, their sign changed.
macro_rules! q4_k_loops {
    ($feature:literal) => {
        use crate::simd::activation::WideBlock;
        use crate::simd::neon::{Eight, add_scaled, load, load_f16, load_f32};
        use crate::simd::format::q4_k::scales::{by_part, minima, scales};
        use crate::simd::format::q4_k::{Group, Q4K};

        /// The two terms of a block for 8 rows, added to `sums`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn finish(
            sums: Eight,
            group: &Group,
            half: usize,
            quanta: [int32x4_t; 2],
            activation: &WideBlock,
        ) -> Eight {
            let scale = load_f32(&activation.scale);
            let quanta = [vcvtq_n_f32_s32::<4>(quanta[0]), vcvtq_f32_s32(quanta[1])];
            let sums = add_scaled(sums, quanta, load_f16(&group.d.0[half % 2]), scale);
            let least = [0, 1].map(|i| {
                let minima = minima(group, 2 * half + i);
                vcvtq_f32_s32(less_minima(minima, load(&activation.sums)))
            });
            add_scaled(sums, least, load_f16(&group.dmin.0[half % 2]), scale)
        }

        /// One activation row with a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add(sums: &mut [Eight; 2], group: &Group, activation: &WideBlock) {
            let scales = [0, 1, 2, 3].map(|four| scales(group, four));
            let mut quanta = [vdupq_n_s32(0); 4];
            macro_rules! part {
                ($part:literal) => {
                    part::<$part>(
                        &mut quanta,
                        scales.map(|four| four[$part / 4]),
                        group,
                        activation,
                    );
                };
            }
            part!(0);
            part!(1);
            part!(2);
            part!(3);
            part!(4);
            part!(5);
            part!(6);
            part!(7);
            let [a, b, c, d] = quanta;
            sums[0] = finish(sums[0], group, 0, [a, b], activation);
            sums[1] = finish(sums[1], group, 1, [c, d], activation);
        }

        /// `T` activation rows with half a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_half<const T: usize, const HALF: usize>(
            sums: &mut [Eight; T],
            group: &Group,
            activation: &[WideBlock; T],
        ) {
            // Kept in memory, they cost a load for each part.
            let scales = by_part([0, 1].map(|i| scales(group, 2 * HALF + i)));
            let mut quanta = [[vdupq_n_s32(0); 2]; T];
            let ((pairs, _), (scales, _)) = (group.pairs.as_chunks::<2>(), scales.as_chunks::<2>());
            for (n, (pairs, scales)) in pairs.iter().zip(scales).enumerate() {
                // Written out: a loop over the rows is not unrolled, and its weights are spilled.
                macro_rules! row {
                    ($t:literal, $i:literal, $weights:ident) => {
                        if $t < T {
                            let parts = &activation[$t].parts.as_chunks::<2>().0[n];
                            dots::<$i>(&mut quanta[$t], &$weights, scales[$i], parts);
                        }
                    };
                }
                macro_rules! part {
                    ($i:literal) => {
                        let weights = prepare(&pairs[$i][HALF % 2]);
                        row!(0, $i, weights);
                        row!(1, $i, weights);
                        row!(2, $i, weights);
                        row!(3, $i, weights);
                    };
                }
                part!(0);
                part!(1);
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                *sums = finish(*sums, group, HALF, quanta[t], &activation[t]);
            }
        }

        crate::simd::group_loops::group_loops! { feature: $feature, layout: Q4K, generics: [] }
    };
}
pub(super) use q4_k_loops;
