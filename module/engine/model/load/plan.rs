// SPDX-License-Identifier: GPL-2.0
//! The plan of a model: its shape, its vocabulary, its tensors and what they need.

use crate::abi::Plan;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::printable;
use crate::memory::items::Items;
use crate::memory::items::Layout;
use crate::model::architecture::Branches;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShapes;
use crate::model::load::Failure;
use crate::model::load::Load;
use crate::model::load::Phase;
use crate::model::plan;
use crate::model::plan::Tensor;
use crate::model::presence::Presence;
use crate::model::rotations;
use crate::model::weights::Model;
use crate::tokenizer::Builder;

impl Load {
    /// Checks the shape and the tensors, fills the list of `tensors` in file order, and computes
    /// what the model needs; `presence` is empty.
    ///
    /// # Errors
    ///
    /// What is wrong with the model.
    pub fn plan(
        &mut self,
        prefix: &[u8],
        table: &[u8],
        tensors: &mut [Tensor],
        presence: &mut Presence,
        shapes: &mut LayerShapes,
    ) -> Result<Plan, Failure> {
        if self.phase != Phase::Parsed || self.is_adapter() {
            return Err(Failure::Misuse);
        }
        self.plan_shape(prefix, table, shapes)?;
        self.plan_vocabulary(prefix, table)?;
        self.plan_tensors(prefix, table, tensors, presence, shapes)
    }

    /// Checks the shape of the model. The parts of a plan are apart, for the stack.
    #[inline(never)]
    fn plan_shape(
        &mut self,
        prefix: &[u8],
        table: &[u8],
        shapes: &mut LayerShapes,
    ) -> Result<(), Failure> {
        let keys = self.model_keys(prefix, table)?;
        let shape = Hyperparameters::new(&keys, &self.limits, &mut shapes.all)?;
        self.notes = self.shape.insert(shape).notes(&keys)?;
        Ok(())
    }

    /// Checks the vocabulary of the model.
    #[inline(never)]
    fn plan_vocabulary(&mut self, prefix: &[u8], table: &[u8]) -> Result<(), Failure> {
        let keys = self.model_keys(prefix, table)?;
        self.builder = Some(Builder::new(keys.all())?);
        Ok(())
    }

    /// Checks the tensors of a model whose shape is planned.
    #[inline(never)]
    fn plan_tensors(
        &mut self,
        prefix: &[u8],
        table: &[u8],
        tensors: &mut [Tensor],
        presence: &mut Presence,
        shapes: &LayerShapes,
    ) -> Result<Plan, Failure> {
        let keys = self.model_keys(prefix, table)?;
        let shape = self.shape.as_mut().ok_or(Failure::Misuse)?;
        let builder = self.builder.as_ref().ok_or(Failure::Misuse)?;
        let shapes = shapes.first(shape.layers);
        let infos = self.parser.tensors(table).ok_or(Failure::Misuse)?;
        let tensors = tensors
            .get_mut(..infos.count() as usize)
            .ok_or(Failure::Misuse)?;
        let mut layout = Layout::new(self.limits.segment_bytes);
        let mut parameters = 0u64;
        for (place, tensor) in (0..).zip(tensors.iter_mut()) {
            let info = infos
                .in_file_order(place)
                .and_then(|index| infos.get(index));
            let info = info.ok_or(Failure::Misuse)?;
            *tensor = Tensor::new(&info, info.name.of(prefix), shape, shapes)?;
            if !presence.note(tensor.role) {
                let name = info.name.of(prefix);
                return Err(Refusal::new(Reason::TensorDuplicate, 0, name).into());
            }
            let layer = shapes.get(usize::from(tensor.role.layer));
            let layer = layer.ok_or(Failure::Misuse)?;
            plan::lay_out(tensor, shape, layer, &mut layout, |_, _| ())?;
            parameters = parameters.saturating_add(tensor.parameters());
        }
        if shape.architecture.branches == Branches::ParallelWithoutNorm {
            shape.parallel = presence.lacks_second_norm();
        }
        presence.check(shape, shapes)?;
        self.tensors = infos.count();
        self.parameters = parameters;
        self.file_type = keys.all().u32(b"general.file_type")?.unwrap_or(!0);
        if let Some(name) = keys.all().text(b"general.name")? {
            self.title = printable(name);
        }
        let weight_bytes = layout.used();
        let limit = |bytes, subject| Refusal::new(Reason::Limit, bytes, subject);
        self.rotations = match rotations::row_bytes(shape) {
            0 => Items::NONE,
            bytes => {
                let items = layout.items(bytes, shape.context);
                items.ok_or(limit(bytes as u64, b"rope.dimension_count"))?
            }
        };
        let vocabulary_bytes = builder.table_bytes();
        let arena_bytes = layout.used();
        let all = arena_bytes.saturating_add(vocabulary_bytes);
        if all > self.limits.model_bytes {
            return Err(limit(all, b"model").into());
        }
        let model_bytes = Model::bytes(shape.layers).ok_or(Failure::Misuse)? as u64;
        self.phase = Phase::Planned;
        Ok(Plan {
            model_bytes,
            arena_bytes,
            weight_bytes,
            vocabulary_bytes,
            item_bytes: u64::from(layout.largest()),
        })
    }
}
