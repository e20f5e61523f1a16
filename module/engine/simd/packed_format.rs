// SPDX-License-Identifier: GPL-2.0
//! What a weight format provides: its blocks in the file and in memory, and the arithmetic on them.

use super::activation::ActivationKind;
use super::finite::Finite;
use super::format::GROUP_ROWS;
use super::level::Instructions;
use super::plain::Plain;
use super::product::Product;

/// Blocks of a row that are packed together.
pub const RUN: usize = 8;

/// One weight format.
pub trait PackedFormat: Sized {
    /// Weights of a block along a row.
    const BLOCK: usize;
    /// How the activations it is multiplied with are packed.
    const ACTIVATION: ActivationKind;
    /// A block of one row in the file.
    type File: Plain;
    /// A block of 16 rows in memory.
    type Group: Plain;
    /// A block of packed activations.
    type Activation: Plain;
    /// The numbers of a block in the file that must be finite.
    const FINITE: &'static [Finite];
    /// A block of zeros.
    const ZERO: Self::File;

    /// Interleaves a block of 16 rows; `Err` has the first row whose scale or weight is not finite.
    fn interleave(rows: &[&Self::File; GROUP_ROWS], group: &mut Self::Group) -> Result<(), usize>;

    /// Interleaves [`RUN`] blocks of 16 rows, of which those that are missing are zeros; `Err` has
    /// the first block, and in it the first row, whose scale or weight is not finite.
    fn interleave_run(
        rows: &[Option<&[Self::File; RUN]>; GROUP_ROWS],
        groups: &mut [Self::Group; RUN],
    ) -> Result<(), (usize, usize)> {
        let zero = Self::ZERO;
        for (block, group) in groups.iter_mut().enumerate() {
            let rows = rows.map(|row| row.map_or(&zero, |row| &row[block % RUN]));
            Self::interleave(&rows, group).map_err(|row| (block, row))?;
        }
        Ok(())
    }

    /// Weight `k` of the row in `lane`, rounded once; both are taken modulo their ranges.
    fn value(group: &Self::Group, lane: usize, k: usize) -> f32;

    /// The scalar twin: adds the dot products of a block with 16 rows to `sums`, as the numerics
    /// contract says.
    fn accumulate(group: &Self::Group, activation: &Self::Activation, sums: &mut [f32; GROUP_ROWS]);

    /// The loops: the same bits as [`Product::twin`].
    fn multiply(instructions: Instructions, product: Product<'_, Self>);
}
