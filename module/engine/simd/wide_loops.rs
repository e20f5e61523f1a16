// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 256, for groups in two halves of 8 rows.
//!
//! A single activation row passes over all 16 rows of a group at once. A tile of two to four rows
//! passes over each half, whose unpacked weights then serve all of them.

/// Defines `multiply`, with the instructions of `$feature`, for the format `$format`.
///
/// `add(&mut [Eight; 2], &Group, &WideBlock)` adds the products of a group with a block to sums,
/// and `add_half::<T, HALF>(&mut [Eight; T], &Group, &[WideBlock; T])` those of 8 rows with the blocks
/// of T activation rows.
macro_rules! wide_loops {
    ($feature:literal, $format:ty) => {
        use crate::simd::activation::TILE_ROWS;
        use crate::simd::neon::store;
        use crate::simd::pieces::{pieces, pieces_with_rest};
        use crate::simd::product::Product;

        /// One activation row with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn row(group: &[Group], activation: &[WideBlock], out: &mut [f32]) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; 2];
            for (block, activation) in group.iter().zip(activation) {
                add(&mut sums, block, activation);
            }
            let (out, _) = out.as_chunks_mut::<4>();
            for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
                store(out, *sum);
            }
        }

        /// A tile of `T` rows with half a group; the products of row t start `t * stride` into
        /// `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn tile<const T: usize, const HALF: usize>(
            group: &[Group],
            activation: &[[WideBlock; T]],
            out: &mut [f32],
            stride: usize,
        ) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; T];
            for (block, activation) in group.iter().zip(activation) {
                add_half::<T, HALF>(&mut sums, block, activation);
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
            group: &[Group],
            activation: &[WideBlock],
            out: &mut [f32],
            stride: usize,
        ) {
            let (activation, _) = activation.as_chunks::<T>();
            tile::<T, 0>(group, activation, out, stride);
            let out = out.get_mut(8..).unwrap_or_default();
            tile::<T, 1>(group, activation, out, stride);
        }

        /// A tile of up to four rows with a group; the products of row t start `t * stride` into
        /// `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        pub fn multiply_tile(group: &[Group], tile: &[WideBlock], out: &mut [f32], stride: usize) {
            match tile.len().checked_div(group.len()) {
                Some(4) => halves::<4>(group, tile, out, stride),
                Some(3) => halves::<3>(group, tile, out, stride),
                Some(2) => halves::<2>(group, tile, out, stride),
                _ => row(group, tile, out),
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = $feature)]
        pub fn multiply(product: Product<'_, $format>) {
            let stride = product.width();
            let groups = pieces(product.groups, product.blocks);
            if product.activation.len() == product.blocks {
                for (group, out) in groups.zip(product.out.as_chunks_mut::<16>().0) {
                    row(group, product.activation, out);
                }
                return;
            }
            for (index, group) in groups.enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                for tile in pieces_with_rest(product.activation, TILE_ROWS * product.blocks) {
                    multiply_tile(group, tile, out, stride);
                    out = out.get_mut(TILE_ROWS * stride..).unwrap_or_default();
                }
            }
        }
    };
}
pub(super) use wide_loops;
