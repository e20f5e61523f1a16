// SPDX-License-Identifier: GPL-2.0
//! The tables of rotary positions: made once, in f64, rounded to f32. Point 7 of the numerics contract.

use crate::math::double::pow64;
use crate::math::trigonometry::sin_cos64;
use crate::model::Hyperparameters;
use crate::model::items::Items;
use crate::wall::arena::Writer;
use crate::wall::pod;

/// Where the making of the tables stands: pair by pair, positions ascending.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Making {
    pair: u32,
    position: u32,
}

/// Bytes of the rotation of one position: (rotated / 2) cosines, then as many sines.
pub fn row_bytes(shape: &Hyperparameters) -> usize {
    shape.rotated as usize * size_of::<f32>()
}

impl Making {
    /// Goes on with about `budget` entries; `Some(true)` when all are made.
    pub fn run(
        &mut self,
        shape: &Hyperparameters,
        rows: &Items,
        memory: &mut Writer<'_>,
        budget: u32,
    ) -> Option<bool> {
        let pairs = shape.rotated / 2;
        let mut left = budget;
        while self.pair < pairs {
            let exponent = -2.0 * f64::from(self.pair) / f64::from(shape.rotated);
            let frequency = pow64(f64::from(shape.rope_base), exponent);
            while self.position < shape.context {
                if left == 0 {
                    return Some(false);
                }
                left -= 1;
                let (sin, cos) = sin_cos64(f64::from(self.position) * frequency);
                let (place, _) = rows.place(self.position)?;
                let row = pod::cast_mut(memory.bytes(place, row_bytes(shape))?)?;
                let (cosines, sines) = row.split_at_mut_checked(pairs as usize)?;
                *cosines.get_mut(self.pair as usize)? = cos as f32;
                *sines.get_mut(self.pair as usize)? = sin as f32;
                self.position += 1;
            }
            self.position = 0;
            self.pair += 1;
        }
        Some(true)
    }
}
