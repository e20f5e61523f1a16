// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: scales, minima, and the sum over the parts.
//!
//! The integers of a block stay within 32 bits: a part's dot product is at most 32 * 15 * 127, and
//! that 16 times, times a scale of 63, for 8 parts, less than 2^29.

/// Defines `add`, `add_half` and `multiply`.
///
/// `part::<PART>(&mut quanta, scales, &Group, &WideBlock)` adds the dot products of a part of 16 rows
/// times their scales, and `dots(&mut quanta, &prepare(&pairs), scales, &WidePart)` those of
/// 8 rows, for the upper rows 16 times as much. `less_minima(minima, sums)` gives the dot products
/// of the minima of four rows with the parts' sums, their sign changed.
macro_rules! q4_k_loops {
    ($feature:literal) => {
        use crate::simd::activation::WideBlock;
        use crate::simd::neon::{Eight, load, load_f16, load_f32};
        use crate::simd::q4_k::{Group, Q4K};
        use crate::simd::wide_loops::wide_loops;

        /// Bytes of four rows, those of four parts each.
        type Four = [uint8x16_t; 2];

        /// The thirds of four rows.
        #[inline]
        #[target_feature(enable = $feature)]
        fn thirds(group: &Group, four: usize) -> [uint8x16_t; 3] {
            group
                .scales
                .each_ref()
                .map(|third| vreinterpretq_u8_s8(load(&third[four % 4])))
        }

        /// The scales of four rows.
        #[inline]
        #[target_feature(enable = $feature)]
        fn scales(group: &Group, four: usize) -> Four {
            let [first, _, rest] = thirds(group, four);
            [
                vandq_u8(first, vdupq_n_u8(63)),
                vsliq_n_u8::<4>(rest, vshrq_n_u8::<6>(first)),
            ]
        }

        /// The minima of four rows.
        #[inline]
        #[target_feature(enable = $feature)]
        fn minima(group: &Group, four: usize) -> Four {
            let [_, second, rest] = thirds(group, four);
            let top = vshrq_n_u8::<2>(second);
            [vandq_u8(second, vdupq_n_u8(63)), vsriq_n_u8::<4>(top, rest)]
        }

        /// The indices that select byte `index` of each row, and zeros, which are past the end.
        #[inline]
        #[target_feature(enable = $feature)]
        fn select(index: usize) -> uint8x16_t {
            let rows = vcombine_u32(vcreate_u32(4 << 32), vcreate_u32(12 << 32 | 8));
            let index = vdupq_n_u32(0xffff_ff00 | index as u32);
            vreinterpretq_u8_u32(vaddq_u32(rows, index))
        }

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
            let (d, dmin) = (
                load_f16(&group.d.0[half % 2]),
                load_f16(&group.dmin.0[half % 2]),
            );
            let quanta = [vcvtq_n_f32_s32::<4>(quanta[0]), vcvtq_f32_s32(quanta[1])];
            [0, 1].map(|i| {
                let least = less_minima(minima(group, 2 * half + i), load(&activation.sums));
                let sum = vfmaq_f32(sums[i], quanta[i], vmulq_laneq_f32::<0>(d[i], scale));
                let dmin = vmulq_laneq_f32::<0>(dmin[i], scale);
                vfmaq_f32(sum, vcvtq_f32_s32(least), dmin)
            })
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
            let scales = [0, 1].map(|i| scales(group, 2 * HALF + i));
            let mut quanta = [[vdupq_n_s32(0); 2]; T];
            for (part, pairs) in group.pairs.iter().enumerate() {
                let weights = prepare(&pairs[HALF % 2]);
                // The second table's bytes are numbered from 16 on.
                let select = select(part % 4 + part / 4 * 16);
                let scales = scales.map(|[first, second]| {
                    let table = uint8x16x2_t(first, second);
                    vreinterpretq_s32_u8(vqtbl2q_u8(table, select))
                });
                // Written out: a loop over the rows is not unrolled, and its weights are spilled.
                macro_rules! row {
                    ($t:literal) => {
                        if $t < T {
                            let activation = &activation[$t].parts[part];
                            dots(&mut quanta[$t], &weights, scales, activation);
                        }
                    };
                }
                row!(0);
                row!(1);
                row!(2);
                row!(3);
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                *sums = finish(*sums, group, HALF, quanta[t], &activation[t]);
            }
        }

        wide_loops!($feature, Q4K);
    };
}
pub(super) use q4_k_loops;
