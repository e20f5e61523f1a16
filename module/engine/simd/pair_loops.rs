// SPDX-License-Identifier: GPL-2.0
//! The loops with SMMLA over tiles whose rows are paired: 4 rows of weights, up to 16 activations.
//!
//! The unpacked weights of 4 rows stay in registers for all activations, together with the sums,
//! which stay as SMMLA leaves them, two rows by two activations, until the end of the row. That
//! takes all 32 registers, which the compiler does not manage: the step for one pair is written
//! in assembler.

/// Defines `multiply` with SMMLA for `$format`; tiles without pairs go to `$single::multiply_tile`.
///
/// `prepare(&Group, half, quarter)` unpacks rows 2 * quarter and 2 * quarter + 1 of both fours of
/// the half, and `add_pair::<I>(&mut sums, &weights, scales, &[PairBlock; 2], magic)` adds their
/// products with pair I; `FIRST` is what the unpacked rows of the first four are to be multiplied
/// with, a power of two.
macro_rules! pair_loops {
    ($format:ty, $single:ident) => {
        use super::$single;
        use crate::simd::activation::{Int8Block, TILE_ROWS};
        use crate::simd::neon::{Eight, load_f16};
        use crate::simd::packed_format::PackedFormat;
        use crate::simd::pair::{MAGIC, PairBlock, pairs};
        use crate::simd::pieces::pieces;
        use crate::simd::product::Product;

        type Blocks<'a> = &'a [<$format as PackedFormat>::Group];

        /// The scales of the rows `prepare` unpacks, each twice.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn scales(group: &Group, half: usize, quarter: usize) -> Eight {
            let [first, second] = load_f16(&group.scales.0[half]).map(|four| {
                if quarter == 0 {
                    vzip1q_f32(four, four)
                } else {
                    vzip2q_f32(four, four)
                }
            });
            if FIRST == 1.0 {
                [first, second]
            } else {
                [vmulq_n_f32(first, FIRST), second]
            }
        }

        /// `N` tiles with 4 rows of a group; `out` begins at the first of them.
        #[inline]
        #[target_feature(enable = "neon,i8mm")]
        fn tiles<const N: usize, const QUARTER: usize>(
            group: Blocks<'_>,
            half: usize,
            activation: [&[[PairBlock; 2]]; N],
            out: &mut [f32],
            stride: usize,
        ) {
            let blocks = group.len();
            let reach = stride.saturating_mul(TILE_ROWS * N - 1);
            let fits = out.len() >= reach.saturating_add(2 * QUARTER + 6);
            if !fits || activation.iter().any(|tile| tile.len() != blocks) {
                return;
            }
            let magic = vdupq_n_s32(MAGIC);
            let mut sums = [[[vdupq_n_f32(0.0); 2]; 2]; N];
            for (index, block) in group.iter().enumerate() {
                let weights = prepare(block, half, QUARTER);
                let scales = scales(block, half, QUARTER);
                for (sums, tile) in sums.iter_mut().zip(activation) {
                    // SAFETY: the tiles have as many blocks as the group.
                    let pairs = unsafe { tile.get_unchecked(index) };
                    add_pair::<0>(&mut sums[0], &weights, scales, pairs, magic);
                    add_pair::<1>(&mut sums[1], &weights, scales, pairs, magic);
                }
            }
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
        fn group_with_tiles<const N: usize>(
            group: Blocks<'_>,
            activation: &[Int8Block],
            out: &mut [f32],
            stride: usize,
        ) {
            let (tiles_of_pairs, _) = pairs(activation).as_chunks::<2>();
            let blocks = group.len();
            let tile = |n: usize| {
                tiles_of_pairs
                    .get(n * blocks..)
                    .and_then(|tile| tile.get(..blocks))
            };
            let activation = core::array::from_fn(|n| tile(n).unwrap_or_default());
            for half in 0..2 {
                let out = out.get_mut(8 * half..).unwrap_or_default();
                tiles::<N, 0>(group, half, activation, out, stride);
                tiles::<N, 1>(group, half, activation, out, stride);
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = "neon,dotprod,i8mm")]
        pub fn multiply(product: Product<'_, $format>) {
            let (stride, blocks) = (product.width(), product.blocks);
            let tile = TILE_ROWS * blocks;
            for (index, group) in pieces(product.groups, blocks).enumerate() {
                let mut out = product.out.get_mut(16 * index..).unwrap_or_default();
                let mut rest = product.activation;
                while !rest.is_empty() {
                    let tiles = match rest.len().checked_div(tile) {
                        Some(4..) => {
                            group_with_tiles::<4>(group, rest, out, stride);
                            4
                        }
                        Some(2 | 3) => {
                            group_with_tiles::<2>(group, rest, out, stride);
                            2
                        }
                        Some(1) => {
                            group_with_tiles::<1>(group, rest, out, stride);
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
