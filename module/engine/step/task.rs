// SPDX-License-Identifier: GPL-2.0
//! What every chunk of a step can read.

use crate::model::Layer;
use crate::model::Model;
use crate::step::batch::Batch;
use crate::wall::arena::Arena;

/// The model and the batch, read-only while chunks run.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its layers.
    pub layers: &'a [Layer],
    /// Its weights.
    pub arena: Arena<'a>,
    /// The rows of the step.
    pub batch: &'a Batch,
}

impl<'a> Task<'a> {
    /// Layer `layer`.
    #[inline]
    pub fn layer(&self, layer: u32) -> Option<&'a Layer> {
        self.layers.get(layer as usize)
    }
}

/// Whether all of `values` are finite.
#[inline]
pub fn finite(values: &[f32]) -> bool {
    let largest = values.iter().fold(0, |largest, value| {
        (value.to_bits() & 0x7fff_ffff).max(largest)
    });
    largest < 0x7f80_0000
}

#[cfg(test)]
mod tests {
    use super::finite;

    #[test]
    fn infinities_and_nans_are_found_anywhere() {
        let mut values = [f32::MAX; 37];
        assert!(finite(&values) && finite(&[]));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for index in 0..values.len() {
                values[index] = bad;
                assert!(!finite(&values));
                values[index] = -0.0;
            }
        }
    }
}
