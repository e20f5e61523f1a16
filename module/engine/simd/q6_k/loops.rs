// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: unpacking, scales, and the sum over the parts.

/// Defines `add` and `multiply`; `part(&weights, &[i8; 16], offset)` gives the offset plus the dot
/// products of the quanta, 0 to 63, of 8 rows with 16 activations.
macro_rules! q6_k_loops {
    ($feature:literal) => {
        use crate::simd::activation::WideBlock;
        use crate::simd::neon::{Eight, load, load_f16, load_f32};
        use crate::simd::q6_k::{Group, Q6K};
        use crate::simd::wide_loops::wide_loops;

        /// Quanta of 8 rows: 4 weights of the upper and of the lower rows.
        type Chunk = [int8x16_t; 2];

        /// Weights 4j to 4j + 3 of a half.
        #[inline]
        #[target_feature(enable = $feature)]
        fn unpack(group: &Group, half: usize, j: usize) -> Chunk {
            let lower = vreinterpretq_u8_s8(load(&group.lower[j][half]));
            let bits = vreinterpretq_u8_s8(load(&group.upper[j]));
            let (first, second) = if half == 0 {
                (vshlq_n_u8::<4>(bits), vshlq_n_u8::<2>(bits))
            } else {
                (bits, vshrq_n_u8::<2>(bits))
            };
            let mask = vdupq_n_u8(0x30);
            [
                vorrq_u8(vshrq_n_u8::<4>(lower), vandq_u8(first, mask)),
                vorrq_u8(vandq_u8(lower, vdupq_n_u8(15)), vandq_u8(second, mask)),
            ]
            .map(|quanta| vreinterpretq_s8_u8(quanta))
        }

        /// The scales of 8 rows for a part.
        #[inline]
        #[target_feature(enable = $feature)]
        fn scales(group: &Group, half: usize, index: usize) -> [int32x4_t; 2] {
            let all = vmovl_s8_half(load(&group.scales[index]), half);
            [vmovl_s16(vget_low_s16(all)), vmovl_high_s16(all)]
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn vmovl_s8_half(bytes: int8x16_t, half: usize) -> int16x8_t {
            if half == 0 {
                vmovl_s8(vget_low_s8(bytes))
            } else {
                vmovl_high_s8(bytes)
            }
        }

        /// Adds the products of 8 rows with a block to `sums`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add<const HALF: usize>(sums: Eight, group: &Group, activation: &WideBlock) -> Eight {
            const { assert!(HALF < 2) };
            let mut quanta = [vdupq_n_s32(0); 2];
            let values = activation.parts.iter().flat_map(|part| &part.values);
            for (index, values) in values.enumerate().take(16) {
                let weights = [0, 1, 2, 3].map(|j| unpack(group, HALF, 4 * index + j));
                let offset = vdupq_n_s32(-32 * activation.sum(index));
                let dots = part(&weights, values, offset);
                let scales = scales(group, HALF, index);
                quanta[0] = vmlaq_s32(quanta[0], dots[0], scales[0]);
                quanta[1] = vmlaq_s32(quanta[1], dots[1], scales[1]);
            }
            let (d, scale) = (load_f16(&group.d.0[HALF]), load_f32(&activation.scale));
            [0, 1].map(|i| {
                let scale = vmulq_laneq_f32::<0>(d[i], scale);
                vfmaq_f32(sums[i], vcvtq_f32_s32(quanta[i]), scale)
            })
        }

        wide_loops!($feature, Q6K);
    };
}
pub(super) use q6_k_loops;
