// SPDX-License-Identifier: GPL-2.0
//! The loops over groups in two halves of 8 rows.
//!
//! A single activation row passes over all 16 rows of a group at once. A tile of two to four rows
//! passes over each half, whose unpacked weights then serve all of them.

/// Defines `multiply` and `multiply_tile`, with the instructions of `feature`, for a layout, which
/// may have type parameters.
///
/// `add(&mut [Eight; 2], &Group, &Activation)` adds the products of a group with a block to sums,
/// and `add_half::<$($name,)* T, HALF>(&mut [Eight; T], &Group, &[Activation; T])` those of 8 rows with the
/// blocks of T activation rows; the type parameters come first. If there is
/// `whole(&mut [Eight; 2], &[Group], &[Activation])`, it adds those of all blocks, or says that it did not.
macro_rules! group_loops {
    (
        feature: $feature:literal, layout: $layout:ty, generics: [$($name:ident: $bound:path),*]
        $(, whole: $whole:ident)?
    ) => {
        use crate::simd::group::TILE_ROWS;
        use crate::simd::layout::{Layout, Product};
        use crate::simd::neon::store;
        use crate::simd::pieces::{pieces, pieces_with_rest};

        /// One activation row with a group.
        #[inline]
        #[target_feature(enable = $feature)]
        fn row<$($name: $bound),*>(
            group: &[<$layout as Layout>::Group],
            activation: &[<$layout as Layout>::Activation],
            out: &mut [f32],
        ) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; 2];
            let done = false $(|| $whole(&mut sums, group, activation))?;
            if !done {
                for (block, activation) in group.iter().zip(activation) {
                    add::<$($name),*>(&mut sums, block, activation);
                }
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
        fn tile<$($name: $bound,)* const T: usize, const HALF: usize>(
            group: &[<$layout as Layout>::Group],
            activation: &[[<$layout as Layout>::Activation; T]],
            out: &mut [f32],
            stride: usize,
        ) {
            let mut sums = [[vdupq_n_f32(0.0); 2]; T];
            for (block, activation) in group.iter().zip(activation) {
                add_half::<$($name,)* T, HALF>(&mut sums, block, activation);
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
        fn halves<$($name: $bound,)* const T: usize>(
            group: &[<$layout as Layout>::Group],
            activation: &[<$layout as Layout>::Activation],
            out: &mut [f32],
            stride: usize,
        ) {
            let (activation, _) = activation.as_chunks::<T>();
            tile::<$($name,)* T, 0>(group, activation, out, stride);
            let out = out.get_mut(8..).unwrap_or_default();
            tile::<$($name,)* T, 1>(group, activation, out, stride);
        }

        /// A tile of up to four rows with a group; the products of row t start `t * stride` into
        /// `out`.
        #[inline]
        #[target_feature(enable = $feature)]
        pub(super) fn multiply_tile<$($name: $bound),*>(
            group: &[<$layout as Layout>::Group],
            tile: &[<$layout as Layout>::Activation],
            out: &mut [f32],
            stride: usize,
        ) {
            match tile.len().checked_div(group.len()) {
                Some(4) => halves::<$($name,)* 4>(group, tile, out, stride),
                Some(3) => halves::<$($name,)* 3>(group, tile, out, stride),
                Some(2) => halves::<$($name,)* 2>(group, tile, out, stride),
                _ => row::<$($name),*>(group, tile, out),
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = $feature)]
        pub(super) fn multiply<$($name: $bound),*>(product: Product<'_, $layout>) {
            let stride = product.width();
            let groups = pieces(product.groups, product.blocks);
            if product.activation.len() == product.blocks {
                for (group, out) in groups.zip(product.out.as_chunks_mut::<16>().0) {
                    row::<$($name),*>(group, product.activation, out);
                }
                return;
            }
            for (index, group) in groups.enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                for tile in pieces_with_rest(product.activation, TILE_ROWS * product.blocks) {
                    multiply_tile::<$($name),*>(group, tile, out, stride);
                    out = out.get_mut(TILE_ROWS * stride..).unwrap_or_default();
                }
            }
        }
    };
}
pub(super) use group_loops;
