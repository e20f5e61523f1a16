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
use crate::model::architecture::Branches;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::keys::ModelKeys;
use crate::model::layer_shape::LayerShapes;
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
    shape: Option<Hyperparameters>,
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
                self.model_keys(prefix, table)?.check_rules()?;
                self.phase = Phase::Checking(0);
                Ok(gguf::Progress::More)
            }
            Phase::Checking(first) => {
                let keys = self.model_keys(prefix, table)?;
                for index in (first..).take(budget as usize) {
                    let Some((name, value)) = keys.all().at(index as usize) else {
                        self.phase = Phase::Parsed;
                        return Ok(gguf::Progress::Done);
                    };
                    keys.check_known(name, value)?;
                    tokenizer::keys::check_known(name, value, prefix)?;
                }
                self.phase = Phase::Checking(first.saturating_add(budget));
                Ok(gguf::Progress::More)
            }
            _ => Err(Failure::Misuse),
        }
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
        if self.phase != Phase::Parsed {
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

    /// Bytes of the vocabulary tables; `None` before [`Load::plan`].
    pub fn vocabulary_bytes(&self) -> Option<usize> {
        usize::try_from(self.builder.as_ref()?.table_bytes()).ok()
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
        model: &mut Model,
        layers: &mut [Layer],
    ) -> Result<(), Failure> {
        for (layer, shape) in layers.iter_mut().zip(&shapes.all) {
            layer.shape = *shape;
        }
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
                let place = plan::place(model, layers, tensor.role.layer, part);
                placed = placed.and_then(|()| {
                    *place? = destination;
                    Some(())
                });
            };
            plan::lay_out(tensor, shape, layer, &mut layout, put)?;
        }
        placed.ok_or(Failure::Misuse)?;
        share(model, layers);
        model.rotations = self.rotations;
        self.phase = Phase::Attached;
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
        model: &mut Model,
        layers: &mut [Layer],
    ) -> Result<Read, Failure> {
        let tensors = tensors
            .get(..self.tensors as usize)
            .filter(|_| self.phase == Phase::Reading);
        let tensors = tensors.ok_or(Failure::Misuse)?;
        let next = self
            .reader
            .next(self.limits.file_bytes, tensors, model, layers);
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
        let tensors = tensors
            .get(..self.tensors as usize)
            .filter(|_| self.phase == Phase::Reading);
        let read = tensors.filter(|tensors| self.reader.is_done(self.limits.file_bytes, tensors));
        read.ok_or(Failure::Misuse)?;
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
            pad: 0,
            architecture_name: shape.architecture.text(),
            pooling: shape.embeddings.pooling as u32,
            passes: shape.passes(),
        }))
    }
}
