// SPDX-License-Identifier: GPL-2.0
//! F16: IEEE 754 binary16 weights as they are, by [column][row of the group].

use super::GROUP_ROWS;
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;
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
pub struct F16;

impl PackedFormat for F16 {
    const BLOCK: usize = 1;
    const ACTIVATION: ActivationKind = ActivationKind::F32;
    type File = [u8; 2];
    type Group = [[u8; 2]; GROUP_ROWS];
    type Activation = [u8; 4];
    const FINITE: &'static [Finite] = &[Finite::F16(0)];
    const ZERO: [u8; 2] = [0; 2];

    fn interleave(rows: &[&[u8; 2]; GROUP_ROWS], group: &mut Self::Group) -> Result<(), usize> {
        *group = rows.map(|row| *row);
        match group.iter().position(|row| magnitude(*row) >= INFINITY) {
            Some(row) => Err(row),
            None => Ok(()),
        }
    }

    fn interleave_run(
        rows: &[Option<&[[u8; 2]; RUN]>; GROUP_ROWS],
        groups: &mut [Self::Group; RUN],
    ) -> Result<(), (usize, usize)> {
        transpose(rows, groups, magnitude, INFINITY)
    }

    fn value(group: &Self::Group, lane: usize, _k: usize) -> f32 {
        widen(group[lane % GROUP_ROWS])
    }

    #[inline(always)]
    fn accumulate(group: &Self::Group, activation: &[u8; 4], sums: &mut [f32; GROUP_ROWS]) {
        let x = f32::from_le_bytes(*activation);
        for (sum, weight) in sums.iter_mut().zip(group) {
            *sum = fma(widen(*weight), x, *sum);
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
const INFINITY: u16 = 0x7c00;

/// Bits of the absolute value.
#[inline(always)]
fn magnitude(bytes: [u8; 2]) -> u16 {
    u16::from_le_bytes(bytes) & u16::MAX >> 1
}

#[inline(always)]
fn widen(bytes: [u8; 2]) -> f32 {
    f16_to_f32(u16::from_le_bytes(bytes))
}
