// SPDX-License-Identifier: GPL-2.0
//! How memory stores weights, and their products with activations.

use super::activation::ActivationKind;
use super::group::{Error, GROUP_ROWS, TILE_ROWS};
use super::level::Instructions;
use super::pieces::{pieces, pieces_mut, pieces_with_rest, pieces_with_rest_mut};
use super::plain::{Plain, view};

/// One way to store weights in memory.
pub(super) trait Layout: Sized {
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
pub(super) struct Row32<S, B = [u8; 0]> {
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
pub(super) struct Row256<S, B = [u8; 0]> {
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

/// Whole groups of packed weights, rows of packed activations, and room for their products.
///
/// # Invariants
///
/// `blocks` is not 0. With n groups and m activation rows, `groups` has n * `blocks` blocks,
/// `activation` has m * `blocks`, and `out` has m * n * 16 numbers.
pub(super) struct Product<'a, T: Layout> {
    /// Weights as [group][block].
    pub(super) groups: &'a [T::Group],
    /// Activations as [tile][block][row of the tile].
    pub(super) activation: &'a [T::Activation],
    /// Blocks of a row.
    pub(super) blocks: usize,
    /// Products as [row][group][16].
    pub(super) out: &'a mut [f32],
}

impl<'a, T: Layout> Product<'a, T> {
    /// Checks the lengths.
    pub(super) fn new(
        groups: &'a [u8],
        blocks: usize,
        activation: &'a [u8],
        rows: usize,
        out: &'a mut [f32],
    ) -> Result<Self, Error> {
        let packed: &[T::Group] = view(groups);
        let activations: &[T::Activation] = view(activation);
        let count = packed.len().checked_div(blocks).ok_or(Error::Shape)?;
        let fits = size_of_val(packed) == groups.len()
            && packed.len() == count.saturating_mul(blocks)
            && size_of_val(activations) == activation.len()
            && activations.len() == rows.saturating_mul(blocks)
            && out.len() == rows.saturating_mul(count).saturating_mul(GROUP_ROWS);
        // INVARIANT: the division refused `blocks` = 0; the lengths were compared just above.
        fits.then_some(Product {
            groups: packed,
            activation: activations,
            blocks,
            out,
        })
        .ok_or(Error::Shape)
    }

    /// Products of one activation row.
    pub(super) fn width(&self) -> usize {
        let count = self.groups.len().checked_div(self.blocks).unwrap_or(0);
        count.saturating_mul(GROUP_ROWS)
    }

    /// The scalar twin, which specifies every bit.
    pub(super) fn twin(self) {
        let width = self.width();
        let tile = self.blocks.saturating_mul(TILE_ROWS);
        let out = pieces_with_rest_mut(self.out, width.saturating_mul(TILE_ROWS));
        for (out, activation) in out.zip(pieces_with_rest(self.activation, tile)) {
            let rows = out.len().checked_div(width).unwrap_or(0);
            for (row, out) in pieces_mut(out, width).enumerate() {
                let (sums, _) = out.as_chunks_mut::<GROUP_ROWS>();
                for (sums, group) in sums.iter_mut().zip(pieces(self.groups, self.blocks)) {
                    *sums = [0.0; GROUP_ROWS];
                    let activation = pieces(activation, rows).filter_map(|block| block.get(row));
                    for (block, activation) in group.iter().zip(activation) {
                        T::accumulate(block, activation, sums);
                    }
                }
            }
        }
    }
}
