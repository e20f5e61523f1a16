// SPDX-License-Identifier: GPL-2.0
//! The tables of rotary positions: made once, in f64, rounded to f32. Point 7 of the numerics contract.

use crate::math::trigonometry::sin_cos64;
use crate::memory::arena::Writer;
use crate::memory::items::Items;
use crate::memory::pod;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::part::Part;
use crate::model::weights::Model;

/// Progress through the tables: the next table, in it the next pair, and the next position of that.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Making {
    table: u32,
    pair: u32,
    position: u32,
}

/// Bytes of the rotations of one position: for each table (rotated / 2) cosines, then as many sines.
pub fn row_bytes(shape: &Hyperparameters) -> usize {
    let columns = shape.rope.columns() as usize * shape.rope.tables() as usize;
    columns * size_of::<f32>()
}

/// The vector that divides the angles of `model`; empty when there is none. A model with two has one
/// for contexts up to the original one, and one for longer ones: its own context decides.
pub fn factors(model: &Model) -> Items {
    let usual = model.parts.matrix(Part::RopeFactors);
    let long = model.shape.context > model.shape.rope.original_context;
    let by_context = model.parts.matrix(if long {
        Part::LongRopeFactors
    } else {
        Part::ShortRopeFactors
    });
    let part = if usual.exists() { usual } else { by_context };
    part.groups
}

impl Making {
    /// Goes on with about `budget` entries; `Some(true)` when all are made. The angles of each pair
    /// are divided by that of the vector in `factors`, where there is one.
    pub fn run(
        &mut self,
        shape: &Hyperparameters,
        factors: &Items,
        rows: &Items,
        memory: &mut Writer<'_>,
        budget: u32,
    ) -> Option<bool> {
        let mut left = budget;
        let columns = shape.rope.columns();
        let tables = if columns > 0 { shape.rope.tables() } else { 0 };
        while self.table < tables {
            let rotated = *shape.rope.rotated.get(self.table as usize)?;
            let pairs = rotated / 2;
            let frequencies = shape.rope.table(self.table)?;
            while self.pair < pairs {
                // Layers with a window are not scaled.
                let factor = match self.table {
                    0 => divisor(factors, self.pair, memory)?,
                    _ => 1.0,
                };
                let frequency = frequencies.frequency(self.pair, rotated, factor);
                let magnitude = frequencies.magnitude;
                while self.position < shape.context {
                    if left == 0 {
                        return Some(false);
                    }
                    left -= 1;
                    let (sin, cos) = sin_cos64(f64::from(self.position) * frequency);
                    let (place, _) = rows.place(self.position)?;
                    let row: &mut [f32] = pod::cast_mut(memory.bytes(place, row_bytes(shape))?)?;
                    let start = self.table.checked_mul(columns)? as usize;
                    let row = row.get_mut(start..)?.get_mut(..rotated as usize)?;
                    let (cosines, sines) = row.split_at_mut_checked(pairs as usize)?;
                    // CAST: Rounds to the nearest.
                    #[expect(clippy::cast_possible_truncation)]
                    let (cos, sin) = ((cos * magnitude) as f32, (sin * magnitude) as f32);
                    *cosines.get_mut(self.pair as usize)? = cos;
                    *sines.get_mut(self.pair as usize)? = sin;
                    self.position += 1;
                }
                self.position = 0;
                self.pair += 1;
            }
            self.pair = 0;
            self.table += 1;
        }
        Some(true)
    }
}

/// What divides the angles of `pair`.
fn divisor(factors: &Items, pair: u32, memory: &mut Writer<'_>) -> Option<f32> {
    if factors.count() == 0 {
        return Some(1.0);
    }
    let (place, _) = factors.place(0)?;
    let values: &mut [f32] = pod::cast_mut(memory.bytes(place, factors.item_bytes() as usize)?)?;
    values.get(pair as usize).copied()
}
