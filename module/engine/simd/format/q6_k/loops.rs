// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: unpacking, scales, and the sum over the parts.
//!
//! The integers of a block stay within 32 bits: 4 * 256 * 32 * 127 times a scale of -128 is less
//! than 2^30.

/// Defines `add`, `add_half` and `multiply`.
///
/// `upper(bytes)` gives the weights in the upper 6 bits of bytes, or 4 times these. `dots::<I>(&mut
/// quanta, &weights, scales, &WidePart, &WideBlock)` is of half I of 32 values and 8 rows: it adds
/// the dot products times the scales. `to_f32` divides by the same 1 or 4, exactly.
/// `part::<PART>(&mut quanta, &Group, &WideBlock)` adds the dot products of a part of 16 rows times
/// their scales.
macro_rules! q6_k_loops {
    ($feature:literal) => {
        use crate::simd::activation::WideBlock;
        use crate::simd::neon::{Eight, add_scaled, load, load_f16, load_f32};
        use crate::simd::format::q6_k::{Group, Q6K};

        /// A part of 16 weights, 4 at a time.
        type Part = [[[[u8; 4]; 4]; 3]; 4];
        /// The same of 8 rows, unpacked.
        type Weights = [[int8x16_t; 4]; 2];

        /// The weights of the first 8 rows.
        #[inline]
        #[target_feature(enable = $feature)]
        fn prepare_first(chunks: &Part) -> Weights {
            [
                chunks.each_ref().map(|thirds| upper(load(&thirds[0]))),
                chunks.each_ref().map(|thirds| upper(load(&thirds[1]))),
            ]
        }

        /// The weights of the last 8 rows.
        #[inline]
        #[target_feature(enable = $feature)]
        fn prepare_second(chunks: &Part) -> Weights {
            [
                chunks.each_ref().map(|thirds| upper(load(&thirds[2]))),
                chunks.each_ref().map(|thirds| {
                    let [a, b, c] = thirds.each_ref().map(|third| load(third));
                    let bits = vsliq_n_s8::<4>(vsliq_n_s8::<2>(a, b), c);
                    upper(vshlq_n_s8::<2>(bits))
                }),
            ]
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn widen(scales: int16x8_t) -> [int32x4_t; 2] {
            [vmovl_s16(vget_low_s16(scales)), vmovl_high_s16(scales)]
        }

        /// `sums` + `quanta` * (scales of the blocks of 8 rows * scale of the activations).
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
            let quanta = quanta.map(|quanta| to_f32(quanta));
            add_scaled(sums, quanta, load_f16(&group.d.0[half % 2]), scale)
        }

        /// The weights and scales of each two parts.
        #[inline]
        #[target_feature(enable = $feature)]
        fn parts(group: &Group) -> impl Iterator<Item = (&[Part; 2], &[[i8; 16]; 2])> {
            let (parts, _) = group.quanta.as_chunks::<4>();
            let ((parts, _), (scales, _)) = (parts.as_chunks(), group.scales.as_chunks());
            parts.iter().zip(scales)
        }

        /// One activation row with a block.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add(sums: &mut [Eight; 2], group: &Group, activation: &WideBlock) {
            let mut quanta = [vdupq_n_s32(0); 4];
            macro_rules! parts {
                ($a:literal, $b:literal, $c:literal, $d:literal) => {
                    part::<$a>(&mut quanta, group, activation);
                    part::<$b>(&mut quanta, group, activation);
                    part::<$c>(&mut quanta, group, activation);
                    part::<$d>(&mut quanta, group, activation);
                };
            }
            parts!(0, 1, 2, 3);
            parts!(4, 5, 6, 7);
            parts!(8, 9, 10, 11);
            parts!(12, 13, 14, 15);
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
            let mut quanta = [[vdupq_n_s32(0); 2]; T];
            for (n, (chunks, scales)) in parts(group).enumerate() {
                // Written out: a loop over the rows is not unrolled, and its weights are spilled.
                macro_rules! row {
                    ($t:literal, $i:literal, $weights:ident, $scales:ident) => {
                        if $t < T {
                            let activation = &activation[$t];
                            let part = &activation.parts[n % 8];
                            dots::<$i>(&mut quanta[$t], &$weights, $scales, part, activation);
                        }
                    };
                }
                macro_rules! part {
                    ($i:literal) => {
                        let bytes = load(&scales[$i]);
                        let (weights, scales) = if HALF == 0 {
                            (prepare_first(&chunks[$i]), vmovl_s8(vget_low_s8(bytes)))
                        } else {
                            (prepare_second(&chunks[$i]), vmovl_high_s8(bytes))
                        };
                        let scales = widen(scales);
                        row!(0, $i, weights, scales);
                        row!(1, $i, weights, scales);
                        row!(2, $i, weights, scales);
                        row!(3, $i, weights, scales);
                    };
                }
                part!(0);
                part!(1);
            }
            for (t, sums) in sums.iter_mut().enumerate() {
                *sums = finish(*sums, group, HALF, quanta[t], &activation[t]);
            }
        }

        crate::simd::group_loops::group_loops! { feature: $feature, layout: Q6K, generics: [] }
    };
}
pub(super) use q6_k_loops;
