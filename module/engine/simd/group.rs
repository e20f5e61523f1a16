// SPDX-License-Identifier: GPL-2.0
//! How many rows go together, and what is refused.

/// Rows of a group of weights.
pub const GROUP_ROWS: usize = 16;
/// Rows of activations that may be packed interleaved: work over a batch is cut at multiples of it
/// only.
pub const TILE_ROWS: usize = 4;

/// Why packing, unpacking or multiplying was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The lengths of the arguments do not fit together.
    Shape,
    /// A weight, scale or activation is not finite, or an activation too large to quantize.
    NotFinite {
        /// The block, counted from the start of the input.
        block: usize,
    },
}
