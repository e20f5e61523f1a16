// SPDX-License-Identifier: GPL-2.0
//! The loops over floating-point weights, 16 rows in the lanes, one column after the other.
//!
//! A single activation row passes over two groups at once, so that eight sums hide the latency of
//! the multiply-add. A tile of two to four rows shares the widened weights of one group.

/// Defines `multiply` for the format `$format`; `weights(&Group)` widens the 16 weights of a
/// column.
macro_rules! float_loops {
    ($format:ty) => {
        use crate::simd::activation::TILE_ROWS;
        use crate::simd::neon::{load_f32, store};
        use crate::simd::packed_format::PackedFormat;
        use crate::simd::pieces::pieces_with_rest;
        use crate::simd::product::Product;
        use core::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_laneq_f32, vfmaq_n_f32};

        type Column = <$format as PackedFormat>::Group;
        /// Sums of the 16 rows of a group.
        type Sums = [float32x4_t; 4];

        #[inline]
        #[target_feature(enable = "neon")]
        fn zeros() -> Sums {
            [vdupq_n_f32(0.0); 4]
        }

        #[inline]
        #[target_feature(enable = "neon")]
        fn store_sums(out: &mut [f32], sums: &Sums) {
            let (out, _) = out.as_chunks_mut::<4>();
            for (out, sum) in out.iter_mut().zip(sums) {
                store(out, *sum);
            }
        }

        /// Adds four columns of a group, each times one of the four activations.
        #[inline]
        #[target_feature(enable = "neon")]
        fn add_four(mut sums: Sums, columns: &[Column], x: float32x4_t) -> Sums {
            if let [c0, c1, c2, c3] = columns {
                let (w0, w1, w2, w3) = (weights(c0), weights(c1), weights(c2), weights(c3));
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = vfmaq_laneq_f32::<0>(*sum, w0[i], x);
                    *sum = vfmaq_laneq_f32::<1>(*sum, w1[i], x);
                    *sum = vfmaq_laneq_f32::<2>(*sum, w2[i], x);
                    *sum = vfmaq_laneq_f32::<3>(*sum, w3[i], x);
                }
            }
            sums
        }

        /// Adds a column of a group times an activation.
        #[inline]
        #[target_feature(enable = "neon")]
        fn add_one(sums: Sums, column: &Column, x: &[u8; 4]) -> Sums {
            let (weights, x) = (weights(column), f32::from_le_bytes(*x));
            core::array::from_fn(|i| vfmaq_n_f32(sums[i], weights[i], x))
        }

        /// One activation row with two groups, whose products follow each other.
        #[inline]
        #[target_feature(enable = "neon")]
        fn row_of_two(
            first: &[Column],
            second: &[Column],
            activation: &[[u8; 4]],
            out: &mut [f32],
        ) {
            let (mut a, mut b) = (zeros(), zeros());
            let (first, first_rest) = first.as_chunks::<8>();
            let (second, second_rest) = second.as_chunks::<8>();
            let (activation, rest) = activation.as_chunks::<8>();
            for ((x, first), second) in activation.iter().zip(first).zip(second) {
                let [x0, x1, x2, x3, x4, x5, x6, x7] = *x;
                let low = load_f32(&[x0, x1, x2, x3]);
                let high = load_f32(&[x4, x5, x6, x7]);
                a = add_four(a, &first[..4], low);
                b = add_four(b, &second[..4], low);
                a = add_four(a, &first[4..], high);
                b = add_four(b, &second[4..], high);
            }
            for ((x, first), second) in rest.iter().zip(first_rest).zip(second_rest) {
                a = add_one(a, first, x);
                b = add_one(b, second, x);
            }
            store_sums(out, &a);
            store_sums(out.get_mut(16..).unwrap_or_default(), &b);
        }

        /// A tile of `T` rows with a group; the products of row t start `t * stride` into `out`.
        #[inline]
        #[target_feature(enable = "neon")]
        fn tile<const T: usize>(
            group: &[Column],
            activation: &[[u8; 4]],
            out: &mut [f32],
            stride: usize,
        ) {
            let mut sums = [zeros(); T];
            let (activation, _) = activation.as_chunks::<T>();
            for (column, x) in group.iter().zip(activation) {
                let weights = weights(column);
                for (sums, x) in sums.iter_mut().zip(x) {
                    let x = f32::from_le_bytes(*x);
                    *sums = core::array::from_fn(|i| vfmaq_n_f32(sums[i], weights[i], x));
                }
            }
            for (t, sums) in sums.iter().enumerate() {
                store_sums(out.get_mut(t * stride..).unwrap_or_default(), sums);
            }
        }

        /// A tile of any number of rows with a group.
        #[inline]
        #[target_feature(enable = "neon")]
        fn rows(group: &[Column], activation: &[[u8; 4]], out: &mut [f32], stride: usize) {
            match activation.len().checked_div(group.len()) {
                Some(4) => tile::<4>(group, activation, out, stride),
                Some(3) => tile::<3>(group, activation, out, stride),
                Some(2) => tile::<2>(group, activation, out, stride),
                _ => tile::<1>(group, activation, out, stride),
            }
        }

        /// Multiplies as [`Product::twin`] does.
        #[target_feature(enable = "neon")]
        pub fn multiply(product: Product<'_, $format>) {
            let stride = product.width();
            let mut tiles = pieces_with_rest(product.activation, TILE_ROWS * product.blocks);
            let mut out = product.out;
            for activation in &mut tiles {
                let single = activation.len() == product.blocks;
                let pairs = pieces_with_rest(product.groups, 2 * product.blocks);
                for (index, pair) in pairs.enumerate() {
                    let out = out.get_mut(32 * index..).unwrap_or_default();
                    let (first, second) = pair.split_at_checked(product.blocks).unwrap_or_default();
                    if single && !second.is_empty() {
                        row_of_two(first, second, activation, out);
                    } else {
                        rows(first, activation, out, stride);
                        if !second.is_empty() {
                            rows(
                                second,
                                activation,
                                out.get_mut(16..).unwrap_or_default(),
                                stride,
                            );
                        }
                    }
                }
                out = out.get_mut(TILE_ROWS * stride..).unwrap_or_default();
            }
        }
    };
}
pub(super) use float_loops;
