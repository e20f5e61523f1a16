// SPDX-License-Identifier: GPL-2.0
//! What one chunk of a matrix stage computes.

use core::ops::Range;

use crate::step::product::Operands;

/// Groups of a stage's matrices, what they are multiplied with, and room.
pub(super) struct Multiplication<'a> {
    /// Groups of the stage.
    pub groups: Range<u32>,
    /// The rows that they multiply.
    pub operands: Operands<'a>,
    /// Room for the products.
    pub room: &'a mut [f32],
}
