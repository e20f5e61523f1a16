// SPDX-License-Identifier: GPL-2.0
//! The load of an adapter, where it differs from that of a model.

use crate::abi::Facts;
use crate::abi::Plan;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::printable;
use crate::memory::items::Layout;
use crate::model::adapter;
use crate::model::adapter::Adapter;
use crate::model::adapter::tensor::Base;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::load::Failure;
use crate::model::load::Load;
use crate::model::load::Phase;
use crate::model::plan;
use crate::model::plan::Tensor;

impl Load {
    /// Makes it the load of an adapter of a model of this shape. Apart, for the stack.
    #[inline(never)]
    pub fn adapt(&mut self, base: &Hyperparameters) {
        (self.shape, self.adapter) = (Some(*base), Some((0.0, 0)));
    }

    /// As [`Load::plan`], of an adapter of `base`.
    ///
    /// # Errors
    ///
    /// What is wrong with the adapter.
    #[inline(never)]
    pub fn plan_adapter(
        &mut self,
        prefix: &[u8],
        table: &[u8],
        tensors: &mut [Tensor],
        base: &Base<'_>,
    ) -> Result<Plan, Failure> {
        let adapter = self.adapter.as_mut();
        let adapter = adapter.filter(|_| self.phase == Phase::Parsed);
        let (_, largest) = adapter.ok_or(Failure::Misuse)?;
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        let infos = self.parser.tensors(table).ok_or(Failure::Misuse)?;
        if infos.count() == 0 {
            return Err(Refusal::new(Reason::TensorMissing, 0, b"lora_a").into());
        }
        let find = |name: &[u8]| infos.get(infos.find(prefix, name)?);
        let mut layout = Layout::new(self.limits.segment_bytes);
        for (place, tensor) in (0..infos.count()).zip(tensors) {
            let index = infos.in_file_order(place);
            let info = index.and_then(|index| infos.get(index));
            let info = info.ok_or(Failure::Misuse)?;
            let rank;
            (*tensor, rank) = adapter::tensor::check(&info, info.name.of(prefix), base, find)?;
            let layer = base.layers.get(usize::from(tensor.role.layer));
            let layer = layer.ok_or(Failure::Misuse)?;
            plan::lay_out(
                tensor,
                &base.model.shape,
                &layer.shape,
                &mut layout,
                |_, _| (),
            )?;
            self.parameters = self.parameters.saturating_add(tensor.parameters());
            *largest = (*largest).max(rank);
        }
        if let Some(name) = keys.text(b"general.name")? {
            self.title = printable(name);
        }
        if layout.used() > self.limits.model_bytes {
            return Err(Refusal::new(Reason::Limit, layout.used(), b"adapter").into());
        }
        let layers = base.model.shape.layers;
        self.tensors = infos.count();
        self.phase = Phase::Planned;
        Ok(Plan {
            model_bytes: Adapter::bytes(layers).ok_or(Failure::Misuse)? as u64,
            arena_bytes: layout.used(),
            weight_bytes: layout.used(),
            vocabulary_bytes: 0,
            item_bytes: u64::from(layout.largest()),
        })
    }

    /// The facts of the loaded adapter: its title, and its numbers of weights and rank.
    ///
    /// # Errors
    ///
    /// Misuse: the file was not read to its end.
    #[inline(never)]
    pub fn finish_adapter(&self, tensors: &[Tensor]) -> Result<Facts, Failure> {
        let (_, rank) = self.adapter.ok_or(Failure::Misuse)?;
        let shape = self.shape.as_ref().ok_or(Failure::Misuse)?;
        self.check_read(tensors)?;
        Ok(Facts {
            parameters: self.parameters,
            title: self.title,
            rank,
            architecture_name: shape.architecture.text(),
            ..Facts::NONE
        })
    }
}
