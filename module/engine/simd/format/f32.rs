// SPDX-License-Identifier: GPL-2.0
//! F32: IEEE 754 binary32 weights as they are, by [column][row of the group].

use super::GROUP_ROWS;
use crate::math::fma::fma;
use crate::simd::activation::ActivationKind;
use crate::simd::finite::Finite;
use crate::simd::level::Instructions;
use crate::simd::packed_format::PackedFormat;
use crate::simd::packed_format::RUN;
use crate::simd::product::Product;
use crate::simd::transpose::transpose;

#[cfg(target_arch = "aarch64")]
mod neon;

/// The format.
pub struct F32;

impl PackedFormat for F32 {
    const BLOCK: usize = 1;
    const ACTIVATION: ActivationKind = ActivationKind::F32;
    type File = [u8; 4];
    type Group = [[u8; 4]; GROUP_ROWS];
    type Activation = [u8; 4];
    const FINITE: &'static [Finite] = &[Finite::F32(0)];
    const ZERO: [u8; 4] = [0; 4];

    fn interleave(rows: &[&[u8; 4]; GROUP_ROWS], group: &mut Self::Group) -> Result<(), usize> {
        *group = rows.map(|row| *row);
        match group.iter().position(|row| magnitude(*row) >= INFINITY) {
            Some(row) => Err(row),
            None => Ok(()),
        }
    }

    fn interleave_run(
        rows: &[Option<&[[u8; 4]; RUN]>; GROUP_ROWS],
        groups: &mut [Self::Group; RUN],
    ) -> Result<(), (usize, usize)> {
        transpose(rows, groups, magnitude, INFINITY)
    }

    fn value(group: &Self::Group, lane: usize, _k: usize) -> f32 {
        f32::from_le_bytes(group[lane % GROUP_ROWS])
    }

    #[inline(always)]
    fn accumulate(group: &Self::Group, activation: &[u8; 4], sums: &mut [f32; GROUP_ROWS]) {
        let x = f32::from_le_bytes(*activation);
        for (sum, weight) in sums.iter_mut().zip(group) {
            *sum = fma(f32::from_le_bytes(*weight), x, *sum);
        }
    }

    fn multiply(instructions: Instructions, product: Product<'_, Self>) {
        match instructions {
            Instructions::Scalar => product.twin(),
            // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
            #[cfg(target_arch = "aarch64")]
            _ => unsafe { neon::multiply(product) },
        }
    }
}

/// Bits of the infinity.
const INFINITY: u32 = 0x7f80_0000;

/// Bits of the absolute value.
#[inline(always)]
fn magnitude(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) & u32::MAX >> 1
}
