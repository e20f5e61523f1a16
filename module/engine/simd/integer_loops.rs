// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 32 integers with one scale, for groups in two halves of 8 rows.
//!
//! A single activation row passes over all 16 rows of a group at once. Two to four rows pass over
//! each half, whose unpacked weights then stay in registers for all of them.

/// Defines `multiply`, with the instructions of `$feature`, for the format `$format`.
///
/// `prepare(&Group, half)` unpacks the weights of a half, `scales(&Group, half)` its 8 scales, and
/// `dots(&weights, &Int8Block)` gives the 8 dot products as f32.
macro_rules! integer_loops {
    ($feature:literal, $format:ty) => {
        use crate::simd::activation::Int8Block;
        use crate::simd::neon::{Eight, store};
        use crate::simd::packed_format::PackedFormat;
        use crate::simd::pieces::pieces;
        use crate::simd::product::Product;
        use core::arch::aarch64::{vdupq_n_f32, vfmaq_f32, vmulq_n_f32};

        type Blocks<'a> = &'a [<$format as PackedFormat>::Group];

        /// `sums` + dot products * (scales of the rows * scale of the activations).
        #[inline]
        #[target_feature(enable = $feature)]
        fn add(sums: Eight, dots: Eight, scales: Eight, activation: &Int8Block) -> Eight {
            let scale = f32::from_le_bytes(activation.scale);
            [
                vfmaq_f32(sums[0], dots[0], vmulq_n_f32(scales[0], scale)),
                vfmaq_f32(sums[1], dots[1], vmulq_n_f32(scales[1], scale)),
            ]
        }

        /// One activation row with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn row(group: Blocks<'_>, activation: &[Int8Block], out: &mut [f32]) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; 2];
            for (block, activation) in group.iter().zip(activation) {
                for (half, sums) in sums.iter_mut().enumerate() {
                    let dots = dots(&prepare(block, half), activation);
                    *sums = add(*sums, dots, scales(block, half), activation);
                }
            }
            let (out, _) = out.as_chunks_mut::<4>();
            for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
                store(out, *sum);
            }
        }

        /// `T` activation rows with half a group; row t's products start `t * stride` into `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn tile<const T: usize>(
            group: Blocks<'_>,
            half: usize,
            activation: [&[Int8Block]; T],
            out: &mut [f32],
            stride: usize,
        ) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; T];
            for (index, block) in group.iter().enumerate() {
                let weights = prepare(block, half);
                let scales = scales(block, half);
                for (sums, activation) in sums.iter_mut().zip(activation) {
                    if let Some(activation) = activation.get(index) {
                        *sums = add(*sums, dots(&weights, activation), scales, activation);
                    }
                }
            }
            for (t, sums) in sums.iter().enumerate() {
                let (out, _) = out
                    .get_mut(t * stride..)
                    .unwrap_or_default()
                    .as_chunks_mut::<4>();
                for (out, sum) in out.iter_mut().zip(sums) {
                    store(out, *sum);
                }
            }
        }

        /// `T` activation rows, `activation`, with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn rows<const T: usize>(
            group: Blocks<'_>,
            activation: &[Int8Block],
            out: &mut [f32],
            stride: usize,
        ) {
            let blocks = group.len();
            let row = |t: usize| {
                activation
                    .get(t * blocks..)
                    .and_then(|row| row.get(..blocks))
            };
            let activation = core::array::from_fn(|t| row(t).unwrap_or_default());
            for half in 0..2 {
                let out = out.get_mut(8 * half..).unwrap_or_default();
                tile::<T>(group, half, activation, out, stride);
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = $feature)]
        pub fn multiply(product: Product<'_, $format>) {
            let stride = product.width();
            for (index, group) in pieces(product.groups, product.blocks).enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                let mut rest = product.activation;
                while let Some((four, after)) = rest.split_at_checked(4 * product.blocks) {
                    rows::<4>(group, four, out, stride);
                    rest = after;
                    out = out.get_mut(4 * stride..).unwrap_or_default();
                }
                if rest.len() >= 3 * product.blocks {
                    rows::<3>(group, rest, out, stride);
                } else if rest.len() >= 2 * product.blocks {
                    rows::<2>(group, rest, out, stride);
                } else if !rest.is_empty() {
                    row(group, rest, out);
                }
            }
        }
    };
}
pub(super) use integer_loops;
