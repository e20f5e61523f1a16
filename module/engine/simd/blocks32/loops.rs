// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 32 for every kind of quanta and scaling.
//!
//! ```text
//! for each half of 8 rows:
//!     weights = unpack(half)
//!     for each activation row:
//!         dots = what unpacking lacks + sum over j of weights[j] times activations 4j to 4j + 3
//!         sum += f32(dots) * (scale of the row * scale of the activations)
//!         sum += minimum of the row * (scale * sum of the activations)
//! ```

/// Defines `multiply` with the instructions of `feature`, where `add`, for one activation row, is
/// in scope: `add_unpacked` or what is better; `sixteen(sums, weights, activations)`
/// multiplies 8 rows with 16 activations.
macro_rules! blocks32_loops {
    (feature: $feature:literal, dots: $dots:ident $(, whole: $whole:ident)?) => {
        use super::{Blocks32, Group, Scaling};
        use crate::simd::activation::Int8Block;
        use crate::simd::dots::$dots::sixteen;
        use crate::simd::neon::{Eight, add_scaled, load, load_f32};
        use crate::simd::quanta::{Quanta, Unpacked};
        use core::arch::aarch64::*;

        /// `sums` + the products of 8 rows with a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_row<Q: Quanta, S: Scaling>(
            sums: Eight,
            weights: &Unpacked,
            [scales, minima]: [Eight; 2],
            activation: &Int8Block,
        ) -> Eight {
            let factors = load_f32(&activation.scale);
            let sum_128 = vdupq_laneq_s32::<2>(vreinterpretq_s32_f32(factors));
            let [a0, a1] = activation.values.each_ref().map(|values| load(values));
            let [w0, w1, w2, w3, w4, w5, w6, w7] = *weights;
            let dots = sixteen(Q::lack(sum_128), &[w0, w1, w2, w3], a0);
            let dots = sixteen(dots, &[w4, w5, w6, w7], a1);
            let dots = dots.map(|dots| vcvtq_f32_s32(dots));
            finish::<S>(sums, dots, [scales, minima], factors)
        }

        /// The terms of a block for 8 rows, added to `sums`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn finish<S: Scaling>(
            sums: Eight,
            dots: Eight,
            [scales, minima]: [Eight; 2],
            factors: float32x4_t,
        ) -> Eight {
            let sums = add_scaled(sums, dots, scales, factors);
            if S::MINIMUM {
                [0, 1].map(|i| vfmaq_laneq_f32::<1>(sums[i], minima[i], factors))
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
            activation: &Int8Block,
        ) {
            for (half, sums) in sums.iter_mut().enumerate() {
                let weights = group.quanta.unpack(&group.book, half);
                let factors = [group.scaling.scales(half), group.scaling.minima(half)];
                *sums = add_row::<Q, S>(*sums, &weights, factors, activation);
            }
        }

        /// `T` activation rows with half a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add_half<Q: Quanta, S: Scaling, const T: usize, const HALF: usize>(
            sums: &mut [Eight; T],
            group: &Group<Q, S>,
            activation: &[Int8Block; T],
        ) {
            let weights = group.quanta.unpack(&group.book, HALF);
            let factors = [group.scaling.scales(HALF), group.scaling.minima(HALF)];
            // Written out: a loop over the rows is not unrolled, and its weights are spilled.
            macro_rules! row {
                ($t:literal) => {
                    if $t < T {
                        sums[$t] = add_row::<Q, S>(sums[$t], &weights, factors, &activation[$t]);
                    }
                };
            }
            row!(0);
            row!(1);
            row!(2);
            row!(3);
        }

        crate::simd::group_loops::group_loops! {
            feature: $feature, layout: Blocks32<Q, S>, generics: [Q: Quanta, S: Scaling]
            $(, whole: $whole)?
        }
    };
}
pub(super) use blocks32_loops;
