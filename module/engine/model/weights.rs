// SPDX-License-Identifier: GPL-2.0
//! The weights of a model and of its layers: where in the arena they are.

use crate::memory::arena::Arena;
use crate::memory::items::Items;
use crate::memory::pod;
use crate::model::hyperparameters::Hyperparameters;
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
    /// Its parts beside those of the layers, by [`Part::index`].
    parts: [Matrix; Part::OF_MODEL],
    /// Per position: for each table cosines, then sines.
    pub rotations: Items,
}

/// A transformer layer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Layer {
    /// Its parts, by [`Part::index`].
    parts: [Matrix; Part::OF_LAYER],
}

/// What stands for a part that is not there.
const NONE: &Matrix = &Matrix::NONE;

/// The part called `part` of `parts`.
#[inline(always)]
fn get(parts: &[Matrix], part: Part) -> &Matrix {
    let index = part.index();
    index.and_then(|index| parts.get(index)).unwrap_or(NONE)
}

impl Layer {
    /// A layer without weights.
    pub const EMPTY: Layer = Layer {
        parts: [Matrix::NONE; Part::OF_LAYER],
    };

    /// The matrix called `part`, outputs by inputs; without rows where the layer has none.
    #[inline(always)]
    pub fn matrix(&self, part: Part) -> &Matrix {
        get(&self.parts, part)
    }

    /// The vector called `part`; without values where the layer has none.
    #[inline(always)]
    pub fn vector(&self, part: Part) -> Vector {
        self.matrix(part).vector()
    }

    /// Where `part` is kept; `None` for parts of the model.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut Matrix> {
        let index = part.index().filter(|_| part.is_of_layer())?;
        self.parts.get_mut(index)
    }
}

impl Model {
    /// A model without weights.
    pub fn empty(level: Level, shape: Hyperparameters) -> Model {
        Model {
            level,
            shape,
            parts: [Matrix::NONE; Part::OF_MODEL],
            rotations: Items::NONE,
        }
    }

    /// The matrix called `part`, outputs by inputs; without rows where the model has none.
    #[inline(always)]
    pub fn matrix(&self, part: Part) -> &Matrix {
        get(&self.parts, part)
    }

    /// The vector called `part`; without values where the model has none.
    #[inline(always)]
    pub fn vector(&self, part: Part) -> Vector {
        self.matrix(part).vector()
    }

    /// Where `part` is kept; `None` for parts of a layer.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut Matrix> {
        let index = part.index().filter(|_| !part.is_of_layer())?;
        self.parts.get_mut(index)
    }

    /// Bytes of a model with `layers` layers.
    pub fn bytes(layers: u32) -> Option<usize> {
        (layers as usize)
            .checked_mul(size_of::<Layer>())?
            .checked_add(size_of::<Model>())
    }

    /// Rotation of `position` in `layer`; `None` where queries and keys do not rotate.
    pub fn rotation<'a>(
        &self,
        arena: Arena<'a>,
        layer: u32,
        position: u32,
    ) -> Option<Rotation<'a>> {
        let table = self.shape.rotation(layer)?;
        let (bytes, _) = self.rotations.run(arena, position, 1)?;
        let values: &[f32] = pod::cast(bytes)?;
        let rotated = self.shape.rotated as usize;
        let values = values.get(table.checked_mul(rotated)?..)?.get(..rotated)?;
        let (cos, sin) = values.split_at_checked(rotated / 2)?;
        Some(Rotation { cos, sin })
    }
}
