// SPDX-License-Identifier: GPL-2.0
//! What the loops of every level share: scales, minima, and the sum over the parts.

/// Defines `add` and `multiply`; `part(&pairs, &WidePart)` gives the dot products of the quanta of
/// 8 rows with 32 activations: 16 times those of the upper rows, and those of the lower.
macro_rules! q4_k_loops {
    ($feature:literal) => {
        use crate::simd::activation::WideBlock;
        use crate::simd::neon::{Eight, load, load_f16, load_f32};
        use crate::simd::q4_k::{Group, Q4K};
        use crate::simd::wide_loops::wide_loops;

        /// The 8 bytes of a half.
        #[inline]
        #[target_feature(enable = $feature)]
        fn bytes(lanes: &[u8; 16], half: usize) -> uint8x8_t {
            let all = vreinterpretq_u8_s8(load(lanes));
            if half == 0 {
                vget_low_u8(all)
            } else {
                vget_high_u8(all)
            }
        }

        /// Scales and minima of 8 rows for a part below 4, and for the part 4 further on.
        #[inline]
        #[target_feature(enable = $feature)]
        fn scales_and_minima(group: &Group, half: usize, part: usize) -> [[uint8x8_t; 2]; 2] {
            let third = |third: &[[u8; 16]; 4]| bytes(&third[part % 4], half);
            let [first, second, rest] = group.scales.each_ref().map(third);
            let six = vdup_n_u8(63);
            let top = |bytes| vand_u8(vshr_n_u8::<2>(bytes), vdup_n_u8(0x30));
            [
                [vand_u8(first, six), vand_u8(second, six)],
                [
                    vorr_u8(vand_u8(rest, vdup_n_u8(15)), top(first)),
                    vorr_u8(vshr_n_u8::<4>(rest), top(second)),
                ],
            ]
        }

        /// Adds the products of 8 rows with a block to `sums`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn add<const HALF: usize>(sums: Eight, group: &Group, activation: &WideBlock) -> Eight {
            const { assert!(HALF < 2) };
            let (mut quanta, mut minima) = ([vdupq_n_s32(0); 2], [vdupq_n_s32(0); 2]);
            for first in 0..4 {
                let pair = scales_and_minima(group, HALF, first);
                for ([scales, least], index) in pair.into_iter().zip([first, first + 4]) {
                    let dots = part(&group.pairs[index % 8][HALF], &activation.parts[index % 8]);
                    let scales = vreinterpretq_s16_u16(vmovl_u8(scales));
                    let scales = [vmovl_s16(vget_low_s16(scales)), vmovl_high_s16(scales)];
                    let least = vreinterpretq_s16_u16(vmovl_u8(least));
                    let sum = (activation.sum(2 * index) + activation.sum(2 * index + 1)) as i16;
                    quanta[0] = vmlaq_s32(quanta[0], dots[0], scales[0]);
                    quanta[1] = vmlaq_s32(quanta[1], dots[1], scales[1]);
                    minima[0] = vmlsl_n_s16(minima[0], vget_low_s16(least), sum);
                    minima[1] = vmlsl_high_n_s16(minima[1], least, sum);
                }
            }
            let quanta = [vcvtq_n_f32_s32::<4>(quanta[0]), vcvtq_f32_s32(quanta[1])];
            let minima = minima.map(|sum| vcvtq_f32_s32(sum));
            let (d, dmin) = (load_f16(&group.d.0[HALF]), load_f16(&group.dmin.0[HALF]));
            let scale = load_f32(&activation.scale);
            [0, 1].map(|i| {
                let sum = vfmaq_f32(sums[i], quanta[i], vmulq_laneq_f32::<0>(d[i], scale));
                vfmaq_f32(sum, minima[i], vmulq_laneq_f32::<0>(dmin[i], scale))
            })
        }

        wide_loops!($feature, Q4K);
    };
}
pub(super) use q4_k_loops;
