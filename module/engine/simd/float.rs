// SPDX-License-Identifier: GPL-2.0
//! Floating-point weights as they are in the file, by [column][row of the group].

use super::activation::ActivationKind;
use super::codec::{Codec, RUN};
use super::finite::Finite;
use super::group::GROUP_ROWS;
use super::layout::{Layout, Product};
use super::level::Instructions;
use super::transpose::transpose;
use crate::math::fma::fma;
use core::marker::PhantomData;

#[cfg(target_arch = "aarch64")]
pub(super) mod loops;

/// A floating-point type of `N` bytes.
pub(super) trait Float<const N: usize>: Sized {
    /// The bits of a magnitude, which grow with it.
    type Bits: Ord + Copy;
    /// The bits of the infinity.
    const INFINITY: Self::Bits;
    /// Where it is in its bytes.
    const FINITE: Finite;

    /// The bits of the absolute value.
    fn magnitude(bytes: [u8; N]) -> Self::Bits;

    /// The same number as f32; every one is.
    fn widen(bytes: [u8; N]) -> f32;

    /// The weights of a column, widened.
    #[cfg(target_arch = "aarch64")]
    fn widen_column(column: &[[u8; N]; GROUP_ROWS]) -> loops::Sums;

    /// Adds runs of columns, each times its activation, in place of the common loop.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn add_runs(
        sums: loops::Sums,
        columns: loops::Columns<'_, N>,
        activation: loops::Activations<'_>,
    ) -> loops::Sums {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { loops::add_runs::<Self, N>(sums, columns, activation) }
    }
}

/// The format and the layout of weights of the type `F`.
pub(super) struct Floats<F, const N: usize>(PhantomData<F>);

impl<F: Float<N>, const N: usize> Codec for Floats<F, N> {
    type File = [u8; N];
    type Layout = Self;
    const FINITE: &'static [Finite] = &[F::FINITE];

    fn decode(file: &[u8; N], _part: usize, row: &mut [u8; N]) -> Option<()> {
        *row = *file;
        (F::magnitude(*file) < F::INFINITY).then_some(())
    }

    fn interleave_run(
        rows: &[Option<&[[u8; N]; RUN]>; GROUP_ROWS],
        groups: &mut [[[u8; N]; GROUP_ROWS]],
    ) -> Result<(), (usize, usize)> {
        match groups.first_chunk_mut() {
            Some(columns) => transpose(rows, columns, F::magnitude, F::INFINITY),
            None => Ok(()),
        }
    }
}

impl<F: Float<N>, const N: usize> Layout for Floats<F, N> {
    const BLOCK: usize = 1;
    const ACTIVATION: ActivationKind = ActivationKind::F32;
    type Group = [[u8; N]; GROUP_ROWS];
    type Activation = [u8; 4];
    type Row = [u8; N];

    fn put(group: &mut Self::Group, lane: usize, row: &[u8; N]) {
        group[lane % GROUP_ROWS] = *row;
    }

    fn value(group: &Self::Group, lane: usize, _k: usize) -> f32 {
        F::widen(group[lane % GROUP_ROWS])
    }

    #[inline(always)]
    fn accumulate(group: &Self::Group, activation: &[u8; 4], sums: &mut [f32; GROUP_ROWS]) {
        let x = f32::from_le_bytes(*activation);
        for (sum, weight) in sums.iter_mut().zip(group) {
            *sum = fma(F::widen(*weight), x, *sum);
        }
    }

    fn multiply(instructions: Instructions, product: Product<'_, Self>) {
        match instructions {
            Instructions::Scalar => product.twin(),
            // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
            #[cfg(target_arch = "aarch64")]
            _ => unsafe { loops::multiply(product) },
        }
    }
}
