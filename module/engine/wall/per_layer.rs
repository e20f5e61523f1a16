// SPDX-License-Identifier: GPL-2.0
//! The chunks of embeddings that each layer has of each token.

use core::ops::Range;

use crate::model::Part;
use crate::model::matrix::Matrix;
use crate::simd::activation::TILE_ROWS;
use crate::step::input::Input;
use crate::step::packing::Rows;
use crate::step::per_layer;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::projections;
use crate::step::residual;
use crate::step::task::Task;
use crate::wall::chunk::Memory;
use crate::wall::chunk::Slot;
use crate::wall::chunk::tiles;

impl Memory<'_> {
    /// Makes the embeddings of all layers for `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage of these embeddings runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn per_layer(
        &self,
        task: &Task<'_>,
        slot: Slot,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (place, stride) = (self.places.per_layer, self.places.per_layer_width);
        // SAFETY: These rows are ours in this stage, and the slot is.
        let (values, room) = unsafe {
            let values = self.write(place, first * stride, rows * stride)?;
            (values, self.own(slot, self.places.parts.values))
        };
        per_layer::run(task, first, values, stride, room)
    }

    /// [`Memory::multiply`] of what only such embeddings have.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn of_per_layer(
        &self,
        task: &Task<'_>,
        input: Input,
        groups: Range<u32>,
        operands: Operands<'_>,
        room: &mut [f32],
    ) -> Option<()> {
        let places = self.places;
        let (first, count) = (groups.start, groups.end.checked_sub(groups.start)?);
        // SAFETY: The outputs of our groups are ours: columns of one part that the input is not made
        // of. Nobody writes the embeddings of the layers while a layer's are gated.
        unsafe {
            match input {
                Input::PerLayerModel => {
                    let matrix = task.model.parts.matrix(Part::PerLayerModel);
                    let parts = [Projection::new(matrix, &Matrix::NONE)];
                    let out = self.columns(places.per_layer, places.per_layer_width, first, count);
                    projections::run(task, parts, groups, operands, room, (out, 0))
                }
                Input::PerLayerGate(index) => {
                    let rows = Rows {
                        values: self.read(places.per_layer),
                        stride: places.per_layer_width,
                    };
                    let out = self.columns(places.hidden, places.hidden_width, first, count);
                    let layer = (index, task.layer(index)?);
                    per_layer::gate(task, layer, groups, operands, room, rows, out)
                }
                Input::PerLayerOutput(index) => {
                    let part = Projection::without_bias(task.layer(index)?, Part::PerLayerOutput);
                    let target = self.target(task, first, count);
                    let factor = |_: usize| Some(task.model.shape.scales.residual);
                    residual::run(task, part, groups, operands, room, target, factor)
                }
                _ => None,
            }
        }
    }
}
