// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 256 for every kind of quanta and scaling.
//!
//! ```text
//! for each 32 weights, for each half of 8 rows:
//!     weights = unpack(half)
//!     for each activation row, for each scale:
//!         dots = what unpacking lacks + sum over j of weights[j] times activations 4j to 4j + 3
//!         quanta += dots * scale
//! sum += f32(quanta) * (d of the row * scale of the activations)
//! sum += f32(-(minima times sums of the activations)) * (dmin of the row * scale of the activations)
//! ```
//!
//! The integers of a block stay within 32 bits: 256 * 128 * 127 times a scale of 128 is less than
//! 2^30.

/// Defines `multiply` with the instructions of `feature`, where `add`, for one activation row, is
/// in scope: `add_unpacked` or what is better; `sixteen(sums, weights, activations)`
/// multiplies 8 rows with 16 activations, and `four::<FOUR>(sum, weights, activations)` 4 rows with
/// four of them.
macro_rules! blocks256_loops {
    (feature: $feature:literal, dots: $dots:ident) => {
        use super::{Blocks256, Group, Scaling};
        use crate::simd::activation::{WideBlock, WidePart};
        use crate::simd::dots::$dots::{four, sixteen};
        use crate::simd::neon::{
            Eight, add_scaled, load, load_f32, load_four_times, load_i32, widen,
        };
        use crate::simd::quanta::{Quanta, Unpacked};
        use core::arch::aarch64::*;

        /// The scales of a half of the rows for the one or two parts of 32 weights.
        #[inline]
        #[target_feature(enable = $feature)]
        fn scales_of<S: Scaling>(scaling: &S, part: usize, half: usize) -> [[int32x4_t; 2]; 2] {
            if S::PARTS == 8 {
                [widen(scaling.scales(part), half); 2]
            } else {
                [0, 1].map(|i| widen(scaling.scales(2 * part + i), half))
            }
        }

        /// `quanta` + the products of 8 rows with 32 activations, each times its scale.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_part<Q: Quanta, S: Scaling>(
            quanta: [int32x4_t; 2],
            weights: &Unpacked,
            scales: [[int32x4_t; 2]; 2],
            part: &WidePart,
            block: &WideBlock,
            index: usize,
        ) -> [int32x4_t; 2] {
            let [a0, a1] = part.values.each_ref().map(|values| load(values));
            let [w0, w1, w2, w3, w4, w5, w6, w7] = *weights;
            let (first, second) = ([w0, w1, w2, w3], [w4, w5, w6, w7]);
            let times = |quanta: [int32x4_t; 2], dots: [int32x4_t; 2], scales: [int32x4_t; 2]| {
                [0, 1].map(|i| vmlaq_s32(quanta[i], dots[i], scales[i]))
            };
            if S::PARTS == 8 {
                let dots = sixteen(Q::lack(load_i32(&part.start[0])), &first, a0);
                times(quanta, sixteen(dots, &second, a1), scales[0])
            } else {
                let sums = [0, 1].map(|i| load_four_times(&block.starts[(2 * index + i) % 16]));
                let quanta = times(quanta, sixteen(Q::lack(sums[0]), &first, a0), scales[0]);
                times(quanta, sixteen(Q::lack(sums[1]), &second, a1), scales[1])
            }
        }

        /// The products of the minima of 8 rows with the sums of the activations, their sign
        /// changed.
        #[inline]
        #[target_feature(enable = $feature)]
        fn less_minima<S: Scaling>(scaling: &S, half: usize, block: &WideBlock) -> [int32x4_t; 2] {
            let minima = scaling.minima(half);
            [0, 1].map(|i| {
                let zero = vdupq_n_s32(0);
                let [m0, m1, m2, m3] = minima.map(|of_fours| of_fours[i]);
                if S::PARTS == 8 {
                    let sums = load(&block.sums);
                    let upper = four::<1>(four::<0>(zero, m0, sums), m1, sums);
                    let upper = vshlq_n_s32::<7>(upper);
                    four::<3>(four::<2>(upper, m0, sums), m1, sums)
                } else {
                    let [upper, lower] = block.halves.each_ref().map(|sums| load(sums));
                    let sum = four::<1>(four::<0>(zero, m0, upper), m1, upper);
                    let sum = four::<3>(four::<2>(sum, m2, upper), m3, upper);
                    let sum = vshlq_n_s32::<7>(sum);
                    let sum = four::<1>(four::<0>(sum, m0, lower), m1, lower);
                    four::<3>(four::<2>(sum, m2, lower), m3, lower)
                }
            })
        }

        /// The terms of a block for 8 rows, added to `sums`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn finish<S: Scaling>(
            sums: Eight,
            scaling: &S,
            half: usize,
            quanta: Eight,
            block: &WideBlock,
        ) -> Eight {
            let scale = load_f32(&block.scale);
            let [d, dmin] = scaling.factors(half);
            let sums = add_scaled(sums, quanta, d, scale);
            if S::MINIMUM {
                let least = less_minima(scaling, half, block).map(|least| vcvtq_f32_s32(least));
                add_scaled(sums, least, dmin, scale)
            } else {
                sums
            }
        }

        /// One activation row with a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_unpacked<Q: Quanta, S: Scaling>(
            sums: &mut [Eight; 2],
            group: &Group<Q, S>,
            activation: &WideBlock,
        ) {
            let mut quanta = [[vdupq_n_s32(0); 2]; 2];
            for (index, (part, values)) in group.quanta.iter().zip(&activation.parts).enumerate() {
                for (half, quanta) in quanta.iter_mut().enumerate() {
                    let weights = part.unpack(&group.book, half);
                    let scales = scales_of(&group.scaling, index, half);
                    *quanta =
                        add_part::<Q, S>(*quanta, &weights, scales, values, activation, index);
                }
            }
            for (half, sums) in sums.iter_mut().enumerate() {
                let quanta = quanta[half].map(|quanta| vcvtq_f32_s32(quanta));
                *sums = finish(*sums, &group.scaling, half, quanta, activation);
            }
        }

        /// `T` activation rows with half a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_half<Q: Quanta, S: Scaling, const T: usize, const HALF: usize>(
            sums: &mut [Eight; T],
            group: &Group<Q, S>,
            activation: &[WideBlock; T],
        ) {
            let mut quanta = [[vdupq_n_s32(0); 2]; T];
            for (index, part) in group.quanta.iter().enumerate() {
                let weights = part.unpack(&group.book, HALF);
                let scales = scales_of(&group.scaling, index, HALF);
                // Written out: a loop over the rows is not unrolled, and its weights are spilled.
                macro_rules! row {
                    ($t:literal) => {
                        if $t < T {
                            let block = &activation[$t];
                            let values = &block.parts[index % 8];
                            quanta[$t] = add_part::<Q, S>(
                                quanta[$t], &weights, scales, values, block, index,
                            );
                        }
                    };
                }
                row!(0);
                row!(1);
                row!(2);
                row!(3);
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                let quanta = quanta[t].map(|quanta| vcvtq_f32_s32(quanta));
                *sums = finish(*sums, &group.scaling, HALF, quanta, &activation[t]);
            }
        }

        crate::simd::group_loops::group_loops! {
            feature: $feature, layout: Blocks256<Q, S>, generics: [Q: Quanta, S: Scaling]
        }
    };
}
pub(super) use blocks256_loops;
