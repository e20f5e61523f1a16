// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 quanta in parts of 32 or 16 with integer scales, and perhaps minima.

use super::activation::{ActivationKind, WideBlock};
use super::group::GROUP_ROWS;
use super::layout::{Layout, Product, Row256};
use super::level::Instructions;
use super::plain::Plain;
use super::quanta::Quanta;
use crate::math::fma::fma;
use core::marker::PhantomData;

#[cfg(target_arch = "aarch64")]
mod dotprod;
#[cfg(target_arch = "aarch64")]
mod i8mm;
#[cfg(target_arch = "aarch64")]
mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scaling;

pub(super) use scaling::{Minima, Scaling, Steps};

/// Quanta stored as `Q`, scaled by `S`: weight = (d * scale) * quantum - dmin * minimum.
pub(super) struct Blocks256<Q, S>(PhantomData<(Q, S)>);

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group<Q: Quanta, S> {
    /// First, so that pairs of its vectors are within the reach of one load.
    scaling: S,
    /// By 32 weights.
    quanta: [Q; 8],
    book: Q::Book,
}

// SAFETY: the parts have alignment 1, so that there is no padding between them.
unsafe impl<Q: Quanta, S: Plain> Plain for Group<Q, S> {}

impl<Q: Quanta, S: Scaling> Group<Q, S> {
    /// Quantum `k`.
    #[inline(always)]
    fn quantum(&self, lane: usize, k: usize) -> i32 {
        self.quanta[k / 32 % 8].get(&self.book, lane, k % 32)
    }
}

impl<Q: Quanta, S: Scaling> Layout for Blocks256<Q, S> {
    const BLOCK: usize = 256;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per256;
    type Group = Group<Q, S>;
    type Activation = WideBlock;
    type Row = Row256<S::Row, Q::Book>;

    fn put(group: &mut Group<Q, S>, lane: usize, row: &Self::Row) {
        for (part, quanta) in group.quanta.iter_mut().zip(row.quanta.as_chunks().0) {
            part.put(lane, quanta);
        }
        group.scaling.set(lane, &row.scaling);
        group.book = row.book;
    }

    fn value(group: &Group<Q, S>, lane: usize, k: usize) -> f32 {
        let part = k % 256 / (256 / S::PARTS);
        let scaling = &group.scaling;
        let scale = scaling.d(lane) * scaling.scale(part, lane) as f32;
        let quantum = group.quantum(lane, k) as f32;
        match scaling.minimum(part, lane) {
            Some(minimum) => fma(scale, quantum, -(scaling.dmin(lane) * minimum as f32)),
            None => scale * quantum,
        }
    }

    #[inline(always)]
    fn accumulate(group: &Group<Q, S>, activation: &WideBlock, sums: &mut [f32; GROUP_ROWS]) {
        let da = f32::from_le_bytes(activation.scale[0]);
        let length = const { 256 / S::PARTS };
        for (lane, sum) in sums.iter_mut().enumerate() {
            let (mut quanta, mut minima) = (0i32, 0i32);
            for part in 0..S::PARTS {
                let (mut dot, mut activations) = (0i32, 0i32);
                for k in length * part..length * (part + 1) {
                    dot += group.quantum(lane, k) * activation.value(k);
                    activations += activation.value(k);
                }
                quanta += group.scaling.scale(part, lane) * dot;
                minima += group.scaling.minimum(part, lane).unwrap_or(0) * activations;
            }
            *sum = fma(quanta as f32, group.scaling.d(lane) * da, *sum);
            if S::MINIMUM {
                *sum = fma(-minima as f32, group.scaling.dmin(lane) * da, *sum);
            }
        }
    }

    fn multiply(instructions: Instructions, product: Product<'_, Self>) {
        match instructions {
            Instructions::Scalar => product.twin(),
            // SAFETY: by the invariant of `Level` the CPU has these instructions.
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => unsafe { neon::multiply(product) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Instructions::Dotprod => unsafe { dotprod::multiply(product) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Instructions::I8mm => unsafe { i8mm::multiply(product) },
        }
    }
}
