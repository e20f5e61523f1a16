// SPDX-License-Identifier: GPL-2.0
//! The machine that loads a model: header, plan, vocabulary, weights, in this order.

mod adapter;
mod header;
mod plan;

use crate::abi::Facts;
use crate::abi::Limits;
use crate::abi::Read;
use crate::gguf::Parser;
use crate::gguf::Refusal;
use crate::memory::arena::Writer;
use crate::memory::items::Items;
use crate::memory::items::Layout;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::keys::ModelKeys;
use crate::model::layer_shape::LayerShapes;
use crate::model::made::Made;
use crate::model::part::Part;
use crate::model::plan::Tensor;
use crate::model::plan::lay_out;
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

    /// The keys of the parsed header.
    fn model_keys<'a>(&self, prefix: &'a [u8], table: &'a [u8]) -> Result<ModelKeys<'a>, Failure> {
        let keys = self.parser.keys(prefix, table).ok_or(Failure::Misuse)?;
        Ok(ModelKeys::new(keys)?)
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
            lay_out(tensor, shape, layer, &mut layout, put)?;
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
