// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 quanta with a scale, and perhaps a minimum.

use super::activation::{ActivationKind, Int8Block};
use super::group::GROUP_ROWS;
use super::layout::{Layout, Product, Row32};
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

pub(super) use scaling::{FloatScales, ScalesAndMinima, Scaling};

/// Quanta stored as `Q`, scaled by `S`: weight = scale * quantum + minimum.
pub(super) struct Blocks32<Q, S>(PhantomData<(Q, S)>);

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group<Q: Quanta, S> {
    quanta: Q,
    scaling: S,
    book: Q::Book,
}

// SAFETY: the parts have alignment 1, so that there is no padding between them.
unsafe impl<Q: Quanta, S: Plain> Plain for Group<Q, S> {}

impl<Q: Quanta, S: Scaling> Layout for Blocks32<Q, S> {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type Group = Group<Q, S>;
    type Activation = Int8Block;
    type Row = Row32<S::Row, Q::Book>;

    fn put(group: &mut Group<Q, S>, lane: usize, row: &Self::Row) {
        group.quanta.put(lane, &row.quanta);
        group.scaling.set(lane, row.scaling);
        group.book = row.book;
    }

    fn value(group: &Group<Q, S>, lane: usize, k: usize) -> f32 {
        let scale = group.scaling.scale(lane);
        let quantum = group.quanta.get(&group.book, lane, k) as f32;
        match group.scaling.minimum(lane) {
            Some(minimum) => fma(scale, quantum, minimum),
            None => scale * quantum,
        }
    }

    #[inline(always)]
    fn accumulate(group: &Group<Q, S>, activation: &Int8Block, sums: &mut [f32; GROUP_ROWS]) {
        let [da, product] = activation.scale_and_product();
        let values = activation.values.as_flattened();
        for (lane, sum) in sums.iter_mut().enumerate() {
            let quanta = (0..32).map(|k| group.quanta.get(&group.book, lane, k));
            let dot: i32 = quanta.zip(values).map(|(q, a)| q * i32::from(*a)).sum();
            *sum = fma(dot as f32, group.scaling.scale(lane) * da, *sum);
            if let Some(minimum) = group.scaling.minimum(lane) {
                *sum = fma(minimum, product, *sum);
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
