// SPDX-License-Identifier: GPL-2.0
//! The loops over floating-point weights, 16 rows in the lanes, one column after the other.
//!
//! A tile of two to four rows of activations shares the widened weights of a group.

use super::{Float, Floats};
use crate::simd::group::{GROUP_ROWS, TILE_ROWS};
use crate::simd::layout::Product;
use crate::simd::neon::{load_f32, store};
use crate::simd::pieces::{pieces, pieces_with_rest};
use core::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_laneq_f32, vfmaq_n_f32};

/// Columns of a pass of the loop for a single row.
pub(crate) const RUN: usize = 32;
/// Weights of a column, `N` bytes each.
type Column<const N: usize> = [[u8; N]; GROUP_ROWS];
/// Runs of columns.
pub(crate) type Columns<'a, const N: usize> = &'a [[Column<N>; RUN]];
/// Their activations.
pub(crate) type Activations<'a> = &'a [[[u8; 4]; RUN]];
/// Sums of the 16 rows of a group.
pub(crate) type Sums = [float32x4_t; 4];

/// Adds [`RUN`] columns at a time, each times its activation.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn add_runs<F: Float<N>, const N: usize>(
    mut sums: Sums,
    columns: Columns<'_, N>,
    activation: Activations<'_>,
) -> Sums {
    for (columns, x) in columns.iter().zip(activation) {
        for ([c0, c1, c2, c3], x) in columns.as_chunks().0.iter().zip(x.as_chunks().0) {
            let x = load_f32(x);
            let (w0, w1, w2, w3) = (
                F::widen_column(c0),
                F::widen_column(c1),
                F::widen_column(c2),
                F::widen_column(c3),
            );
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = vfmaq_laneq_f32::<0>(*sum, w0[i], x);
                *sum = vfmaq_laneq_f32::<1>(*sum, w1[i], x);
                *sum = vfmaq_laneq_f32::<2>(*sum, w2[i], x);
                *sum = vfmaq_laneq_f32::<3>(*sum, w3[i], x);
            }
        }
    }
    sums
}

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

/// Adds a column of a group times an activation.
#[inline]
#[target_feature(enable = "neon")]
fn add_one<F: Float<N>, const N: usize>(sums: Sums, column: &Column<N>, x: &[u8; 4]) -> Sums {
    let (weights, x) = (F::widen_column(column), f32::from_le_bytes(*x));
    core::array::from_fn(|i| vfmaq_n_f32(sums[i], weights[i], x))
}

/// One activation row with a group.
#[inline]
#[target_feature(enable = "neon")]
fn row<F: Float<N>, const N: usize>(group: &[Column<N>], activation: &[[u8; 4]], out: &mut [f32]) {
    let (columns, columns_rest) = group.as_chunks();
    let (activation, rest) = activation.as_chunks();
    let mut sums = F::add_runs(zeros(), columns, activation);
    for (column, x) in columns_rest.iter().zip(rest) {
        sums = add_one::<F, N>(sums, column, x);
    }
    store_sums(out, &sums);
}

/// A tile of `T` rows with a group; the products of row t start `t * stride` into `out`.
#[inline]
#[target_feature(enable = "neon")]
fn tile<F: Float<N>, const N: usize, const T: usize>(
    group: &[Column<N>],
    activation: &[[u8; 4]],
    out: &mut [f32],
    stride: usize,
) {
    let mut sums = [zeros(); T];
    let (activation, _) = activation.as_chunks::<T>();
    for (column, x) in group.iter().zip(activation) {
        let weights = F::widen_column(column);
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
fn rows<F: Float<N>, const N: usize>(
    group: &[Column<N>],
    activation: &[[u8; 4]],
    out: &mut [f32],
    stride: usize,
) {
    match activation.len().checked_div(group.len()) {
        Some(4) => tile::<F, N, 4>(group, activation, out, stride),
        Some(3) => tile::<F, N, 3>(group, activation, out, stride),
        Some(2) => tile::<F, N, 2>(group, activation, out, stride),
        _ => row::<F, N>(group, activation, out),
    }
}

/// Multiplies as [`Product::twin`] does.
#[target_feature(enable = "neon")]
pub(crate) fn multiply<F: Float<N>, const N: usize>(product: Product<'_, Floats<F, N>>) {
    let stride = product.width();
    if product.activation.len() == product.blocks {
        let (out, _) = product.out.as_chunks_mut::<16>();
        for (group, out) in pieces(product.groups, product.blocks).zip(out) {
            row::<F, N>(group, product.activation, out);
        }
        return;
    }
    let mut out = product.out;
    for activation in pieces_with_rest(product.activation, TILE_ROWS * product.blocks) {
        for (index, group) in pieces(product.groups, product.blocks).enumerate() {
            let out = out.get_mut(16 * index..).unwrap_or_default();
            rows::<F, N>(group, activation, out, stride);
        }
        out = out.get_mut(TILE_ROWS * stride..).unwrap_or_default();
    }
}
