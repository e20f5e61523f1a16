// SPDX-License-Identifier: GPL-2.0
//! How memory stores weights, and the arithmetic on them.

use super::activation::ActivationKind;
use super::format::GROUP_ROWS;
use super::level::Instructions;
use super::plain::Plain;
use super::product::Product;

/// One way to store weights in memory.
pub trait Layout: Sized {
    /// Weights of a block along a row.
    const BLOCK: usize;
    /// How the activations it is multiplied with are packed.
    const ACTIVATION: ActivationKind;
    /// A block of 16 rows.
    type Group: Plain;
    /// A block of packed activations.
    type Activation: Plain;
    /// A block of one row: its quanta and scales, one after the other.
    type Row: Plain;

    /// Puts the block of one row in its place; the bytes of the place are zeros before.
    fn put(group: &mut Self::Group, lane: usize, row: &Self::Row);

    /// Weight `k` of the row in `lane`, rounded once; both are taken modulo their ranges.
    fn value(group: &Self::Group, lane: usize, k: usize) -> f32;

    /// The scalar twin: adds the dot products of a block with 16 rows to `sums`, as the numerics
    /// contract says.
    fn accumulate(group: &Self::Group, activation: &Self::Activation, sums: &mut [f32; GROUP_ROWS]);

    /// The loops: the same bits as [`Product::twin`].
    fn multiply(instructions: Instructions, product: Product<'_, Self>);
}

/// A block of 32 quanta of one row with its scale or scales.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Row32<S, B = [u8; 0]> {
    /// What multiplies the quanta.
    pub scaling: S,
    /// The integers that are multiplied with activations, or their codes.
    pub quanta: [i8; 32],
    /// What the codes mean, where they are codes.
    pub book: B,
}

/// A block of 256 quanta of one row with its scales.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Row256<S, B = [u8; 0]> {
    /// What multiplies the quanta.
    pub scaling: S,
    /// The integers that are multiplied with activations, or their codes.
    pub quanta: [i8; 256],
    /// What the codes mean, where they are codes.
    pub book: B,
}

// SAFETY: scaling and book have alignment 1, as bytes have, so that there is no padding.
unsafe impl<S: Plain, B: Plain> Plain for Row32<S, B> {}
// SAFETY: as above.
unsafe impl<S: Plain, B: Plain> Plain for Row256<S, B> {}
