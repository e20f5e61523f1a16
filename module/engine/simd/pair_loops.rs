// SPDX-License-Identifier: GPL-2.0
//! The loops with SMMLA over tiles whose rows are paired: 4 rows of weights, up to 16 activations.
//!
//! The unpacked weights of 4 rows stay in registers for all activations, together with the sums.
//! These stay as SMMLA leaves them, two rows by two activations, until the end of the row. That
//! takes all 32 registers, which the compiler does not manage: the step for one pair is written
//! in assembler.

/// Defines `multiply` with SMMLA for a layout, which may have type parameters, whose activations
/// are paired in a `tile` of four rows; rows that are not go to `single::multiply_tile`.
///
/// `tiles::<N, QUARTER>(&[Group], half, [&[Tile]; N])` gives products with each pair of the tiles:
/// of rows 2 * `QUARTER` and 2 * `QUARTER` + 1 of both fours of the half. Tiles have as many blocks
/// as the group; the type parameters come first.
macro_rules! pair_loops {
    (
        layout: $layout:ty, generics: [$($name:ident: $bound:path),*], single: $single:ident, tile: $tile:ty
    ) => {
        use super::$single;
        use crate::simd::group::TILE_ROWS;
        use crate::simd::layout::{Layout, Product};
        use crate::simd::neon::Eight;
        use crate::simd::pair;
        use crate::simd::pieces::pieces;

        /// The first halves of two vectors with each lane twice, or the second ones.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn twice([first, second]: Eight, quarter: usize) -> Eight {
            [first, second].map(|four| {
                if quarter == 0 {
                    vzip1q_f32(four, four)
                } else {
                    vzip2q_f32(four, four)
                }
            })
        }

        /// `N` tiles with 4 rows of a group; `out` begins at the first of them.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn quarter<$($name: $bound,)* const N: usize, const QUARTER: usize>(
            group: &[<$layout as Layout>::Group],
            half: usize,
            activation: [&[$tile]; N],
            out: &mut [f32],
            stride: usize,
        ) {
            let blocks = group.len();
            let reach = stride.saturating_mul(TILE_ROWS * N - 1);
            let fits = out.len() >= reach.saturating_add(2 * QUARTER + 6);
            if !fits || activation.iter().any(|tile| tile.len() != blocks) {
                return;
            }
            let sums = tiles::<$($name,)* N, QUARTER>(group, half, activation);
            let mut first = out.as_mut_ptr().wrapping_add(2 * QUARTER);
            for [low, high] in sums.as_flattened() {
                for four in [vuzp1q_f32(*low, *high), vuzp2q_f32(*low, *high)] {
                    // SAFETY: one activation's products with two rows of both fours, within `out`
                    // as checked above.
                    unsafe {
                        vst1_f32(first, vget_low_f32(four));
                        vst1_f32(first.add(4), vget_high_f32(four));
                    }
                    first = first.wrapping_add(stride);
                }
            }
        }

        /// `N` tiles with a group.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn group_with_tiles<$($name: $bound,)* const N: usize>(
            group: &[<$layout as Layout>::Group],
            activation: &[<$layout as Layout>::Activation],
            out: &mut [f32],
            stride: usize,
        ) {
            let tiles: &[$tile] = pair::tiles(activation);
            let blocks = group.len();
            let tile = |n: usize| tiles.get(n * blocks..).and_then(|tile| tile.get(..blocks));
            let activation = core::array::from_fn(|n| tile(n).unwrap_or_default());
            for half in 0..2 {
                let out = out.get_mut(8 * half..).unwrap_or_default();
                quarter::<$($name,)* N, 0>(group, half, activation, out, stride);
                quarter::<$($name,)* N, 1>(group, half, activation, out, stride);
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = "neon,dotprod,i8mm")]
        pub(super) fn multiply<$($name: $bound),*>(product: Product<'_, $layout>) {
            let (stride, blocks) = (product.width(), product.blocks);
            let tile = TILE_ROWS * blocks;
            if product.activation.len() < tile {
                return $single::multiply(product);
            }
            for (index, group) in pieces(product.groups, blocks).enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                let mut rest = product.activation;
                while !rest.is_empty() {
                    let tiles = match rest.len().checked_div(tile) {
                        Some(4..) => {
                            group_with_tiles::<$($name,)* 4>(group, rest, out, stride);
                            4
                        }
                        Some(2 | 3) => {
                            group_with_tiles::<$($name,)* 2>(group, rest, out, stride);
                            2
                        }
                        Some(1) => {
                            group_with_tiles::<$($name,)* 1>(group, rest, out, stride);
                            1
                        }
                        _ => {
                            $single::multiply_tile(group, rest, out, stride);
                            break;
                        }
                    };
                    rest = rest.get(tiles * tile..).unwrap_or_default();
                    out = out
                        .get_mut(tiles * TILE_ROWS * stride..)
                        .unwrap_or_default();
                }
            }
        }
    };
}
pub(super) use pair_loops;
