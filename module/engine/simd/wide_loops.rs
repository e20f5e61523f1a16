// SPDX-License-Identifier: GPL-2.0
//! The loops over blocks of 256, for groups in two halves of 8 rows.

/// Defines `multiply`, with the instructions of `$feature`, for the format `$format`.
///
/// `add::<HALF>(sums, &Group, &WideBlock)` adds the products of 8 rows with a block to `sums`.
macro_rules! wide_loops {
    ($feature:literal, $format:ty) => {
        use crate::simd::activation::TILE_ROWS;
        use crate::simd::neon::store;
        use crate::simd::pieces::{pieces, pieces_with_rest};
        use crate::simd::product::Product;

        /// One activation row with a group; its blocks lie `rows` apart.
        #[inline]
        #[target_feature(enable = $feature)]
        fn row(group: &[Group], activation: &[WideBlock], rows: usize, out: &mut [f32]) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; 2];
            for (block, activation) in group.iter().zip(pieces_with_rest(activation, rows)) {
                if let Some(activation) = activation.first() {
                    sums[0] = add::<0>(sums[0], block, activation);
                    sums[1] = add::<1>(sums[1], block, activation);
                }
            }
            let (out, _) = out.as_chunks_mut::<4>();
            for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
                store(out, *sum);
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = $feature)]
        pub fn multiply(product: Product<'_, $format>) {
            let stride = product.width();
            for (index, group) in pieces(product.groups, product.blocks).enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                for tile in pieces_with_rest(product.activation, TILE_ROWS * product.blocks) {
                    let rows = tile.len().checked_div(product.blocks).unwrap_or(0);
                    for t in 0..rows {
                        row(group, tile.get(t..).unwrap_or_default(), rows, out);
                        out = out.get_mut(stride..).unwrap_or_default();
                    }
                }
            }
        }
    };
}
pub(super) use wide_loops;
