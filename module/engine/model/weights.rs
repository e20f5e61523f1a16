// SPDX-License-Identifier: GPL-2.0
//! The weights of a model and of its layers: where in the arena they are.

use crate::memory::arena::Arena;
use crate::memory::items::Items;
use crate::memory::pod;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShape;
use crate::model::matrix::Matrix;
use crate::model::part::Part;
use crate::model::vector::Vector;
use crate::simd::level::Level;
use crate::simd::rope::Rotation;

/// A model; its layers follow it in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Model {
    /// Instructions its weights are packed for.
    pub level: Level,
    /// Shape.
    pub shape: Hyperparameters,
    /// Its parts beside those of the layers.
    pub parts: Parts<{ Part::OF_MODEL }, false>,
    /// Per position: for each table cosines, then sines.
    pub rotations: Items,
}

/// Parts that are kept together, by [`Part::index`]: those of a layer, or those of the model; or what
/// adapters have of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Parts<const COUNT: usize, const OF_LAYER: bool, T = Matrix> {
    parts: [T; COUNT],
}

/// A transformer layer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Layer {
    /// Its shape.
    pub shape: LayerShape,
    /// Whether one tensor of the file has its query, key and value projections.
    pub fused: bool,
    /// Its parts.
    parts: Parts<{ Part::OF_LAYER }, true>,
}

/// What stands for a part that is not there.
const NONE: &Matrix = &Matrix::NONE;

impl<const COUNT: usize, const OF_LAYER: bool, T> Parts<COUNT, OF_LAYER, T> {
    /// Place of `part`; `None` when it is kept elsewhere.
    #[inline(always)]
    fn index(part: Part) -> Option<usize> {
        part.index().filter(|_| part.is_of_layer() == OF_LAYER)
    }

    /// What is kept of `part`; `None` when it is kept elsewhere.
    #[inline(always)]
    pub fn part(&self, part: Part) -> Option<&T> {
        self.parts.get(Self::index(part)?)
    }

    /// [`Parts::part`], for writing.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut T> {
        self.parts.get_mut(Self::index(part)?)
    }
}

impl<const COUNT: usize, const OF_LAYER: bool> Parts<COUNT, OF_LAYER> {
    /// No parts.
    pub const EMPTY: Self = Parts {
        parts: [Matrix::NONE; COUNT],
    };

    /// The matrix called `part`, outputs by inputs; without rows where there is none.
    #[inline(always)]
    pub fn matrix(&self, part: Part) -> &Matrix {
        self.part(part).unwrap_or(NONE)
    }

    /// The vector called `part`; without values where there is none.
    #[inline(always)]
    pub fn vector(&self, part: Part) -> Vector {
        self.matrix(part).vector()
    }
}

impl Layer {
    /// A layer without weights.
    pub const EMPTY: Layer = Layer {
        shape: LayerShape::NONE,
        fused: false,
        parts: Parts::EMPTY,
    };

    /// [`Parts::matrix`] of the layer.
    #[inline(always)]
    pub fn matrix(&self, part: Part) -> &Matrix {
        self.parts.matrix(part)
    }

    /// [`Parts::vector`] of the layer.
    #[inline(always)]
    pub fn vector(&self, part: Part) -> Vector {
        self.parts.vector(part)
    }

    /// [`Parts::part_mut`] of the layer.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut Matrix> {
        self.parts.part_mut(part)
    }
}

impl Model {
    /// A model without weights.
    pub fn empty(level: Level, shape: Hyperparameters) -> Model {
        Model {
            level,
            shape,
            parts: Parts::EMPTY,
            rotations: Items::NONE,
        }
    }

    /// Bytes of a model with `layers` layers.
    pub fn bytes(layers: u32) -> Option<usize> {
        (layers as usize)
            .checked_mul(size_of::<Layer>())?
            .checked_add(size_of::<Model>())
    }

    /// Rotations of the positions in `layer`; `None` where queries and keys do not rotate.
    pub fn rotations<'a>(&self, arena: Arena<'a>, layer: u32) -> Option<Rotations<'a>> {
        let table = self.shape.rotation(layer)?;
        let rope = &self.shape.rope;
        Some(Rotations {
            arena,
            rows: self.rotations,
            first: table.checked_mul(rope.columns() as usize)?,
            rotated: *rope.rotated.get(table)? as usize,
        })
    }
}

/// The rotations of a layer, found once for many positions.
#[derive(Clone, Copy)]
pub struct Rotations<'a> {
    arena: Arena<'a>,
    /// Of each position those of all tables.
    rows: Items,
    /// First value of the layer's table in a row.
    first: usize,
    /// Dimensions that rotate.
    rotated: usize,
}

impl<'a> Rotations<'a> {
    /// That of `position`; `None` past the model's context.
    #[inline]
    pub fn of(&self, position: u32) -> Option<Rotation<'a>> {
        let (bytes, _) = self.rows.run(self.arena, position, 1)?;
        let values: &[f32] = pod::cast(bytes)?;
        let values = values.get(self.first..)?.get(..self.rotated)?;
        let (cos, sin) = values.split_at_checked(self.rotated / 2)?;
        Some(Rotation { cos, sin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_layer_are_not_those_of_the_model() {
        let mut model = Model::empty(Level::SCALAR, Hyperparameters::llama());
        let mut layer = Layer::EMPTY;
        for part in Part::ALL.iter().copied() {
            let whole = part.pieces() == [part];
            let of_layer = part.is_of_layer();
            assert_eq!(layer.part_mut(part).is_some(), whole && of_layer);
            assert_eq!(model.parts.part_mut(part).is_some(), whole && !of_layer);
            let kept = if of_layer {
                layer.part_mut(part)
            } else {
                model.parts.part_mut(part)
            };
            let Some(kept) = kept else { continue };
            kept.rows = part as u32 + 1;
        }
        for part in Part::ALL
            .iter()
            .copied()
            .filter(|part| part.pieces() == [*part])
        {
            let rows = [layer.matrix(part).rows, model.parts.matrix(part).rows];
            let number = part as u32 + 1;
            let wanted = if part.is_of_layer() {
                [number, 0]
            } else {
                [0, number]
            };
            assert_eq!(rows, wanted, "{part:?}");
        }
    }
}
