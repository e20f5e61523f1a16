// SPDX-License-Identifier: GPL-2.0
//! What a load makes: a model, or an adapter of one.

use crate::model::adapter::AdaptedLayer;
use crate::model::adapter::Adapter;
use crate::model::matrix::Matrix;
use crate::model::part::Part;
use crate::model::plan::Half;
use crate::model::plan::Tensor;
use crate::model::weights::Layer;
use crate::model::weights::Model;

/// What is made, with its layers.
pub enum Made<'a> {
    /// A model.
    Model(&'a mut Model, &'a mut [Layer]),
    /// An adapter.
    Adapter(&'a mut Adapter, &'a mut [AdaptedLayer]),
}

impl Made<'_> {
    /// Where `part`, a piece of `tensor`, is kept.
    pub fn place(&mut self, tensor: &Tensor, part: Part) -> Option<&mut Matrix> {
        let layer = usize::from(tensor.role.layer);
        match self {
            Made::Model(_, layers) if part.is_of_layer() => layers.get_mut(layer)?.part_mut(part),
            Made::Model(model, _) => model.parts.part_mut(part),
            Made::Adapter(adapter, layers) => {
                let pair = if part.is_of_layer() {
                    layers.get_mut(layer)?.part_mut(part)?
                } else {
                    adapter.part_mut(part)?
                };
                Some(match tensor.half {
                    Half::Down => &mut pair.down,
                    Half::Whole | Half::Up => &mut pair.up,
                })
            }
        }
    }

    /// Keeps `matrix` as `part`, a piece of `tensor`; the first matrix of a pair beside several
    /// projections in one is that of each.
    pub fn put(&mut self, tensor: &Tensor, part: Part, matrix: Matrix) -> Option<()> {
        let of_all = tensor.role.part.pieces();
        let parts = match tensor.half {
            Half::Down => of_all,
            Half::Whole | Half::Up => &[part],
        };
        for part in parts {
            *self.place(tensor, *part)? = matrix;
        }
        Some(())
    }
}
