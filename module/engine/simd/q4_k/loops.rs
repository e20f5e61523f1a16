// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: scales, minima, and the sum over the parts.
//!
//! The integers of a block stay within 32 bits: a part's dot product is at most 32 * 15 * 127, and
//! that 16 times, times a scale of 63, for 8 parts, less than 2^29.

/// Defines `add`, `add_half` and `multiply`.
///
/// `prepare(&pairs)` unpacks a part of 8 rows; `dots(&weights, &WidePart)` gives its dot products:
/// 16 times those of the upper rows, and those of the lower. `less_minima(minima, sums)` gives the
/// dot products of the minima of four rows with the parts' sums, their sign changed.
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
            let top = vshrq_n_u8::<2>(first);
            [
                vandq_u8(first, vdupq_n_u8(63)),
                vbslq_u8(vdupq_n_u8(15), rest, top),
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

        /// The scales of four rows for one part.
        #[inline]
        #[target_feature(enable = $feature)]
        fn widen<const PART: usize>(scales: Four) -> int32x4_t {
            let four = vreinterpretq_u32_u8(scales[PART / 4 % 2]);
            vreinterpretq_s32_u32(match PART % 4 {
                0 => vandq_u32(four, vdupq_n_u32(255)),
                3 => vshrq_n_u32::<24>(four),
                // An index past the end selects a zero.
                part => {
                    let rows = vcombine_u32(
                        vcreate_u32(0x0000_0004_0000_0000),
                        vcreate_u32(0x0000_000c_0000_0008),
                    );
                    let index = vaddq_u32(rows, vdupq_n_u32(0xffff_ff00 + part as u32));
                    vreinterpretq_u32_u8(vqtbl1q_u8(
                        scales[PART / 4 % 2],
                        vreinterpretq_u8_u32(index),
                    ))
                }
            })
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
            let mut quanta = [[vdupq_n_s32(0); 2]; 2];
            macro_rules! part {
                ($part:literal) => {
                    for half in 0..2 {
                        let weights = prepare(&group.pairs[$part][half]);
                        let dots = dots(&weights, &activation.parts[$part]);
                        for i in 0..2 {
                            let scales = widen::<$part>(scales[2 * half + i]);
                            quanta[half][i] = vmlaq_s32(quanta[half][i], dots[i], scales);
                        }
                    }
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
            for half in 0..2 {
                sums[half] = finish(sums[half], group, half, quanta[half], activation);
            }
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
            macro_rules! part {
                ($part:literal) => {
                    let weights = prepare(&group.pairs[$part][HALF % 2]);
                    let scales = scales.map(|scales| widen::<$part>(scales));
                    // Written out: a loop over the rows is not unrolled, and its weights are
                    // spilled.
                    part!($part, weights, scales, 0);
                    part!($part, weights, scales, 1);
                    part!($part, weights, scales, 2);
                    part!($part, weights, scales, 3);
                };
                ($part:literal, $weights:ident, $scales:ident, $t:literal) => {
                    if $t < T {
                        let dots = dots(&$weights, &activation[$t].parts[$part]);
                        for i in 0..2 {
                            quanta[$t][i] = vmlaq_s32(quanta[$t][i], dots[i], $scales[i]);
                        }
                    }
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
            for (t, sums) in sums.iter_mut().enumerate() {
                *sums = finish(*sums, group, HALF, quanta[t], &activation[t]);
            }
        }

        wide_loops!($feature, Q4K);
    };
}
pub(super) use q4_k_loops;
