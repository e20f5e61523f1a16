// SPDX-License-Identifier: GPL-2.0
//! The machine that loads a model: header, plan, vocabulary, weights, in this order.

use crate::abi::Facts;
use crate::abi::Limits;
use crate::abi::Plan;
use crate::abi::Read;
use crate::gguf;
use crate::gguf::Parser;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::printable;
use crate::memory::arena::Writer;
use crate::memory::items::Items;
use crate::memory::items::Layout;
use crate::model::adapter;
use crate::model::adapter::Adapter;
use crate::model::adapter::tensor::Base;
use crate::model::architecture::Branches;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::keys::ModelKeys;
use crate::model::layer_shape::LayerShapes;
use crate::model::made::Made;
use crate::model::part::Part;
use crate::model::plan;
use crate::model::plan::Tensor;
use crate::model::presence::Presence;
use crate::model::reader::Current;
use crate::model::reader::Reader;
use crate::model::rotations;
use crate::model::weights::Layer;
use crate::model::weights::Model;
use crate::simd::level::Level;
use crate::tokenizer;
use crate::tokenizer::Builder;
use crate::tokenizer::Vocabulary;

/// What was done last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Begun,
    /// The header is parsed, and so many of its keys are checked.
    Checking(u32),
    Parsed,
    Planned,
    Attached,
    Reading,
}

/// Why a call of the machine failed.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The file is refused.
    Refused(Refusal),
    /// Calls out of order, or memory of another size than was asked for.
    Misuse,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

/// The state of a load. The tensors of the file and the table of its parser are kept beside it.
#[repr(C)]
pub struct Load {
    limits: Limits,
    level: Level,
    parser: Parser,
    phase: Phase,
    /// Of the model; of an adapter that of its model.
    shape: Option<Hyperparameters>,
    /// Alpha and largest rank of an adapter; `None` of a model.
    adapter: Option<(f32, u32)>,
    builder: Option<Builder>,
    /// The place of the tables of rotations.
    rotations: Items,
    tensors: u32,
    parameters: u64,
    file_type: u32,
    notes: u32,
    title: [u8; 64],
    making: rotations::Making,
    reader: Reader,
    /// The last two pieces, by their offset.
    pieces: [Option<(u64, Current)>; 2],
}

/// Most tensors of the file that begins with `prefix`, for the size of the table of tensors.
pub fn tensors_of(prefix: &[u8]) -> Option<usize> {
    let count = prefix.get(8..)?.first_chunk::<8>()?;
    usize::try_from(u64::from_le_bytes(*count)).ok()
}

/// Lets parts that are not there be others: the head the token embeddings, and of two norms before
/// parallel branches each the other.
fn share(model: &mut Model, layers: &mut [Layer]) {
    let embedding = *model.parts.matrix(Part::TokenEmbedding);
    if let Some(head) = model
        .parts
        .part_mut(Part::Output)
        .filter(|head| !head.exists())
    {
        *head = embedding;
    }
    if !model.shape.parallel {
        return;
    }
    for (one, other) in [
        (Part::AttentionNorm, Part::FeedForwardNorm),
        (Part::AttentionNormBias, Part::FeedForwardNormBias),
    ] {
        for layer in layers.iter_mut() {
            for (from, to) in [(one, other), (other, one)] {
                let norm = *layer.matrix(from);
                if let Some(place) = layer.part_mut(to).filter(|place| !place.exists()) {
                    *place = norm;
                }
            }
        }
    }
}

impl Load {
    /// Starts; `None` when `prefix` is no header that [`Parser::new`] takes.
    pub fn new(limits: &Limits, level: Level, prefix: &[u8]) -> Option<Load> {
        Some(Load {
            limits: *limits,
            level,
            parser: Parser::new(prefix, limits.file_bytes)?.ok()?,
            phase: Phase::Begun,
            shape: None,
            adapter: None,
            builder: None,
            rotations: Items::NONE,
            tensors: 0,
            parameters: 0,
            file_type: !0,
            notes: 0,
            title: [0; 64],
            making: rotations::Making::default(),
            reader: Reader::default(),
            pieces: [None; 2],
        })
    }

    /// Makes it the load of an adapter of a model of this shape. Apart, for the stack.
    #[inline(never)]
    pub fn adapt(&mut self, base: &Hyperparameters) {
        (self.shape, self.adapter) = (Some(*base), Some((0.0, 0)));
    }

    /// Parses the header and checks its metadata keys, in about `budget` items.
    ///
    /// # Errors
    ///
    /// The refusal of the header.
    pub fn header(
        &mut self,
        prefix: &[u8],
        table: &mut [u8],
        budget: u32,
    ) -> Result<gguf::Progress, Failure> {
        match self.phase {
            Phase::Begun => {
                let progress = self.parser.run(prefix, table, budget)?;
                if progress != gguf::Progress::Done {
                    return Ok(progress);
                }
                self.begin_checking(prefix, table)?;
                self.phase = Phase::Checking(0);
                Ok(gguf::Progress::More)
            }
            Phase::Checking(first) => {
                let progress = self.check_keys(prefix, table, first, budget)?;
                self.phase = match progress {
                    gguf::Progress::Done => Phase::Parsed,
                    _ => Phase::Checking(first.saturating_add(budget)),
                };
                Ok(progress)
            }
            _ => Err(Failure::Misuse),
        }
    }

    /// Checks what keys have a rule of their own.
    fn begin_checking(&mut self, prefix: &[u8], table: &[u8]) -> Result<(), Failure> {
        let (Some((alpha, _)), Some(shape)) = (self.adapter.as_mut(), self.shape.as_ref()) else {
            return Ok(self.model_keys(prefix, table)?.check_rules()?);
        };
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        *alpha = adapter::keys::check(&keys, shape.architecture)?;
        Ok(())
    }

    /// Checks whether `budget` keys from `first` on are known.
    fn check_keys(
        &self,
        prefix: &[u8],
        table: &[u8],
        first: u32,
        budget: u32,
    ) -> Result<gguf::Progress, Failure> {
        let all = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        let model = match self.adapter {
            None => Some(self.model_keys(prefix, table)?),
            Some(_) => None,
        };
        for index in (first..).take(budget as usize) {
            let Some((name, value)) = all.at(index as usize) else {
                return Ok(gguf::Progress::Done);
            };
            if let Some(keys) = &model {
                keys.check_known(name, value)?;
                tokenizer::keys::check_known(name, value, prefix)?;
            } else {
                adapter::keys::check_known(name, value, prefix)?;
            }
        }
        Ok(gguf::Progress::More)
    }

    /// Where the string of metadata key `name` is; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Misuse: the header is not parsed.
    pub fn string(
        &self,
        prefix: &[u8],
        table: &[u8],
        name: &[u8],
    ) -> Result<Option<gguf::Span>, Failure> {
        if matches!(self.phase, Phase::Begun | Phase::Checking(_)) {
            return Err(Failure::Misuse);
        }
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        Ok(keys.string(name))
    }

    /// The keys of the parsed header.
    fn model_keys<'a>(&self, prefix: &'a [u8], table: &'a [u8]) -> Result<ModelKeys<'a>, Failure> {
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        Ok(ModelKeys::new(keys)?)
    }

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

    /// Bytes of the vocabulary tables; `None` before [`Load::plan`].
    pub fn vocabulary_bytes(&self) -> Option<usize> {
        usize::try_from(self.builder.as_ref()?.table_bytes()).ok()
    }

    /// Whether an adapter is loaded.
    pub fn is_adapter(&self) -> bool {
        self.adapter.is_some()
    }

    /// Layers of the model; `None` before [`Load::plan`].
    pub fn layers(&self) -> Option<u32> {
        Some(self.shape.as_ref()?.layers)
    }

    /// The model as [`Load::attach`] needs it; `None` before [`Load::plan`].
    pub fn empty_model(&self) -> Option<Model> {
        Some(Model::empty(self.level, self.shape?))
    }

    /// Lays the model out.
    ///
    /// # Errors
    ///
    /// Misuse.
    pub fn attach(
        &mut self,
        tensors: &[Tensor],
        shapes: &LayerShapes,
        made: &mut Made<'_>,
    ) -> Result<(), Failure> {
        let shape = self.shape.as_ref();
        let shape = shape.filter(|_| self.phase == Phase::Planned);
        let shape = shape.ok_or(Failure::Misuse)?;
        let tensors = tensors
            .get(..self.tensors as usize)
            .ok_or(Failure::Misuse)?;
        let mut layout = Layout::new(self.limits.segment_bytes);
        let mut placed = Some(());
        for tensor in tensors {
            let layer = shapes.all.get(usize::from(tensor.role.layer));
            let layer = layer.ok_or(Failure::Misuse)?;
            let put = |part, destination| {
                placed = placed.and_then(|()| made.put(tensor, part, destination));
            };
            plan::lay_out(tensor, shape, layer, &mut layout, put)?;
        }
        placed.ok_or(Failure::Misuse)?;
        self.phase = match made {
            Made::Model(model, layers) => {
                for (layer, shape) in layers.iter_mut().zip(&shapes.all) {
                    layer.shape = *shape;
                }
                for tensor in tensors {
                    let layer = layers.get_mut(usize::from(tensor.role.layer));
                    let is_fused = tensor.role.part == Part::QueryKeyValue;
                    if let Some(layer) = layer.filter(|_| is_fused) {
                        layer.fused = true;
                    }
                }
                share(model, layers);
                model.rotations = self.rotations;
                Phase::Attached
            }
            Made::Adapter(adapter, _) => {
                let (alpha, rank) = self.adapter.ok_or(Failure::Misuse)?;
                (adapter.alpha, adapter.rank, adapter.layers) = (alpha, rank, shape.layers);
                // It has no vocabulary.
                Phase::Reading
            }
        };
        Ok(())
    }

    /// Builds the vocabulary `tables`; true when they are finished.
    ///
    /// # Errors
    ///
    /// The refusal of the vocabulary.
    pub fn vocabulary(
        &mut self,
        prefix: &[u8],
        tables: &mut [u8],
        budget: u32,
    ) -> Result<bool, Failure> {
        let phase = self.phase;
        let builder = self.builder.as_mut().filter(|_| phase == Phase::Attached);
        let builder = builder.ok_or(Failure::Misuse)?;
        let progress = builder.run(prefix, tables, budget)?;
        let done = progress == tokenizer::Progress::Done;
        if done {
            self.phase = Phase::Reading;
        }
        Ok(done)
    }

    /// The next piece of the file; of 0 bytes at its end.
    ///
    /// # Errors
    ///
    /// Misuse.
    pub fn next(
        &mut self,
        tensors: &[Tensor],
        shapes: &LayerShapes,
        made: &mut Made<'_>,
    ) -> Result<Read, Failure> {
        let tensors = tensors
            .get(..self.tensors as usize)
            .filter(|_| self.phase == Phase::Reading);
        let tensors = tensors.ok_or(Failure::Misuse)?;
        let shape = self.shape.as_ref().ok_or(Failure::Misuse)?;
        let shapes = shapes.first(shape.layers);
        let next = self
            .reader
            .next(self.limits.file_bytes, tensors, shape, shapes, made);
        let (read, current) = next.ok_or(Failure::Misuse)?;
        let [_, last] = self.pieces;
        self.pieces = [last, current.map(|current| (read.offset, current))];
        Ok(read)
    }

    /// Packs a chunk of the piece at `offset`, one of the last two asked for.
    ///
    /// # Errors
    ///
    /// A weight or scale that is not finite.
    pub fn pack(
        &self,
        data: &[u8],
        offset: u64,
        chunk: u32,
        memory: &mut Writer<'_>,
    ) -> Result<(), Failure> {
        let mut pieces = self.pieces.iter().flatten();
        let (_, current) = pieces
            .find(|(start, _)| *start == offset)
            .ok_or(Failure::Misuse)?;
        current.pack(data, chunk, memory)?.ok_or(Failure::Misuse)
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

    /// Checks that the file was read to its end.
    fn check_read(&self, tensors: &[Tensor]) -> Result<(), Failure> {
        let tensors = tensors
            .get(..self.tensors as usize)
            .filter(|_| self.phase == Phase::Reading);
        let read = tensors.filter(|tensors| self.reader.is_done(self.limits.file_bytes, tensors));
        read.map(|_| ()).ok_or(Failure::Misuse)
    }

    /// Makes about `budget` entries of the tables of rotations, then gives the facts of the loaded
    /// model.
    ///
    /// # Errors
    ///
    /// Misuse: the file was not read to its end.
    pub fn finish(
        &mut self,
        tensors: &[Tensor],
        model: &Model,
        tables: &[u8],
        memory: &mut Writer<'_>,
        budget: u32,
    ) -> Result<Option<Facts>, Failure> {
        self.check_read(tensors)?;
        let factors = rotations::factors(model);
        let made = self
            .making
            .run(&model.shape, &factors, &model.rotations, memory, budget);
        if !made.ok_or(Failure::Misuse)? {
            return Ok(None);
        }
        let vocabulary = Vocabulary::view(tables).ok_or(Failure::Misuse)?;
        let builder = self.builder.as_ref().ok_or(Failure::Misuse)?;
        let shape = &model.shape;
        Ok(Some(Facts {
            architecture: shape.architecture.number,
            tokenizer: vocabulary.model() as u32,
            layers: shape.layers,
            embedding: shape.embedding,
            heads: shape.heads,
            kv_heads: shape.kv_heads,
            head_size: shape.head_size,
            feed_forward: shape.feed_forward,
            vocabulary: shape.vocabulary,
            context: shape.context,
            bos: vocabulary.bos().unwrap_or(!0),
            eos: vocabulary.eos().unwrap_or(!0),
            file_type: self.file_type,
            end_count: builder.ends().count,
            parameters: self.parameters,
            title: self.title,
            ends: builder.ends().ids,
            notes: self.notes | builder.notes(),
            rank: 0,
            architecture_name: shape.architecture.text(),
            pooling: shape.embeddings.pooling as u32,
            passes: shape.passes(),
        }))
    }
}
