// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 32 integers with one scale, for groups in two halves of 8 rows.
//!
//! A single activation row passes over all 16 rows of a group at once. A tile of two to four rows
//! passes over each half, whose unpacked weights then stay in registers for all of them.

/// Defines `multiply`, with the instructions of `$feature`, for the format `$format`.
///
/// `prepare(&Group, half)` unpacks the weights of a half, `scales(&Group, half)` its 8 scales.
/// `dots(&weights, &Int8Block, offsets)` gives the 8 dot products as f32, with the offsets of
/// `load_offsets`. A format may bring loops of its own: `$single(&[Group], &[Int8Block], &mut
/// [[f32; 16]])` over whole groups for one activation row, and `$four` for a tile of four rows, as
/// `multiply_tile`.
macro_rules! integer_loops {
    ($feature:literal, $format:ty) => {
        /// One activation row with whole groups.
        #[inline]
        #[target_feature(enable = $feature)]
        fn rows(groups: Blocks<'_>, activation: &[Int8Block], out: &mut [[f32; 16]]) {
            for (group, out) in pieces(groups, activation.len()).zip(out) {
                let mut sums = [[vdupq_n_f32(0.0); 2]; 2];
                for (block, activation) in group.iter().zip(activation) {
                    for (half, sums) in sums.iter_mut().enumerate() {
                        let (weights, scales) = (prepare(block, half), scales(block, half));
                        let offsets = load_offsets(activation);
                        *sums = add(*sums, &weights, scales, activation, offsets);
                    }
                }
                let (out, _) = out.as_chunks_mut::<4>();
                for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
                    store(out, *sum);
                }
            }
        }

        crate::simd::integer_loops::integer_loops!($feature, $format, rows);
    };
    ($feature:literal, $format:ty, $single:ident) => {
        /// A tile of four rows with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn four(group: Blocks<'_>, tile: &[Int8Block], out: &mut [f32], stride: usize) {
            halves::<4>(group, tile, out, stride);
        }

        crate::simd::integer_loops::integer_loops!($feature, $format, $single, four);
    };
    ($feature:literal, $format:ty, $single:ident, $four:ident) => {
        use crate::simd::activation::Int8Block;
        use crate::simd::group::TILE_ROWS;
        use crate::simd::layout::{Layout, Product};
        use crate::simd::neon::{Eight, add_scaled, load_f32, load_offsets, store};
        use crate::simd::pieces::{pieces, pieces_with_rest};

        type Blocks<'a> = &'a [<$format as Layout>::Group];

        /// `sums` + dot products * (scales of the rows * scale of the activations).
        #[inline]
        #[target_feature(enable = $feature)]
        fn add(
            sums: Eight,
            weights: &Weights,
            scales: Eight,
            activation: &Int8Block,
            offsets: [int32x4_t; 2],
        ) -> Eight {
            let dots = dots(weights, activation, offsets);
            let scale = load_f32(&activation.scale);
            add_scaled(sums, dots, scales, scale)
        }

        /// A tile of `T` rows with half a group; the products of row t start `t * stride` into
        /// `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn tile<const T: usize>(
            group: Blocks<'_>,
            half: usize,
            activation: &[[Int8Block; T]],
            out: &mut [f32],
            stride: usize,
        ) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; T];
            for (block, activation) in group.iter().zip(activation) {
                let weights = prepare(block, half);
                let scales = scales(block, half);
                // Written out: a loop over the rows is not unrolled, and its weights are spilled.
                macro_rules! row {
                    ($t:literal) => {
                        if $t < T {
                            let activation = &activation[$t];
                            let offsets = load_offsets(activation);
                            sums[$t] = add(sums[$t], &weights, scales, activation, offsets);
                        }
                    };
                }
                row!(0);
                row!(1);
                row!(2);
                row!(3);
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

        /// A tile of `T` rows with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn halves<const T: usize>(
            group: Blocks<'_>,
            activation: &[Int8Block],
            out: &mut [f32],
            stride: usize,
        ) {
            let (activation, _) = activation.as_chunks::<T>();
            for half in 0..2 {
                let out = out.get_mut(8 * half..).unwrap_or_default();
                tile(group, half, activation, out, stride);
            }
        }

        /// A tile of up to four rows with a group; the products of row t start `t * stride` into
        /// `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        pub(super) fn multiply_tile(
            group: Blocks<'_>,
            tile: &[Int8Block],
            out: &mut [f32],
            stride: usize,
        ) {
            match tile.len().checked_div(group.len()) {
                Some(4) => $four(group, tile, out, stride),
                Some(3) => halves::<3>(group, tile, out, stride),
                Some(2) => halves::<2>(group, tile, out, stride),
                _ => $single(
                    group,
                    tile,
                    out.as_chunks_mut().0.get_mut(..1).unwrap_or_default(),
                ),
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = $feature)]
        pub(super) fn multiply(product: Product<'_, $format>) {
            if product.activation.len() == product.blocks {
                return $single(
                    product.groups,
                    product.activation,
                    product.out.as_chunks_mut().0,
                );
            }
            let stride = product.width();
            for (index, group) in pieces(product.groups, product.blocks).enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                for tile in pieces_with_rest(product.activation, TILE_ROWS * product.blocks) {
                    multiply_tile(group, tile, out, stride);
                    out = out.get_mut(TILE_ROWS * stride..).unwrap_or_default();
                }
            }
        }
    };
}
pub(super) use integer_loops;
