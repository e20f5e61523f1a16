// SPDX-License-Identifier: GPL-2.0
//! A vector of f32 in the arena: the weight or the bias of a norm, or the bias of a matrix.

use crate::model::items::Items;
use crate::model::items::Layout;
use crate::wall::arena::Arena;
use crate::wall::pod;

/// A vector, filled up with zeros to a multiple of 16 values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Vector {
    /// One item, the padded vector; none when the model has no such vector.
    values: Items,
}

impl Vector {
    /// No vector.
    pub const NONE: Vector = Vector {
        values: Items::NONE,
    };

    /// Takes room for a vector; `None` when it is too large.
    pub fn new(layout: &mut Layout, length: u32) -> Option<Vector> {
        let padded = length.checked_next_multiple_of(16)? as usize;
        let values = layout.items(padded.checked_mul(size_of::<f32>())?, 1)?;
        Some(Vector { values })
    }

    /// Where its padded values are.
    pub fn items(&self) -> &Items {
        &self.values
    }

    /// The padded values; `None` when the model has no such vector.
    pub fn values<'a>(&self, arena: Arena<'a>) -> Option<&'a [f32]> {
        let (bytes, _) = self.values.run(arena, 0, 1)?;
        pod::cast(bytes)
    }
}
