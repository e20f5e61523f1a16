// SPDX-License-Identifier: GPL-2.0
//! The tensors of a file, checked against the shape of the model and given their places.

use crate::abi::READ_BYTES_MAX;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::TensorInfo;
use crate::model::Hyperparameters;
use crate::model::Layer;
use crate::model::Model;
use crate::model::hyperparameters::Architecture;
use crate::model::hyperparameters::LAYERS_MAX;
use crate::model::items::Layout;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::model::role::Part;
use crate::model::role::Role;
use crate::model::vector::Vector;
use crate::simd::format::Format;

/// A tensor, in the file's order.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Tensor {
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it is for.
    pub role: Role,
    /// Its format in the file.
    pub format: Format,
    /// Columns of a matrix, or values of a vector.
    pub columns: u32,
    /// Rows of a matrix; 1 for a vector.
    pub rows: u32,
}

/// What a part has to look like.
enum Shape {
    /// A matrix of so many columns and rows.
    Matrix(u32, u32),
    /// A vector of so many values.
    Vector(u32),
}

/// The shape of `part` in a model of shape `model`.
fn shape(part: Part, model: &Hyperparameters) -> Shape {
    let (width, hidden) = (model.embedding, model.feed_forward);
    let (query, kv) = (model.query_columns(), model.kv_columns());
    let fused = query.saturating_add(kv.saturating_mul(2));
    match part {
        Part::TokenEmbedding | Part::Output => Shape::Matrix(width, model.vocabulary),
        Part::PositionEmbedding => Shape::Matrix(width, model.trained_context),
        Part::QueryKeyValue => Shape::Matrix(width, fused),
        Part::Query => Shape::Matrix(width, query),
        Part::Key | Part::Value => Shape::Matrix(width, kv),
        Part::AttentionOutput => Shape::Matrix(query, width),
        Part::Gate | Part::Up => Shape::Matrix(width, hidden),
        Part::Down => Shape::Matrix(hidden, width),
        Part::QueryKeyValueBias => Shape::Vector(fused),
        Part::QueryBias => Shape::Vector(query),
        Part::KeyBias | Part::ValueBias => Shape::Vector(kv),
        Part::GateBias | Part::UpBias => Shape::Vector(hidden),
        Part::OutputNorm
        | Part::OutputNormBias
        | Part::AttentionNorm
        | Part::AttentionNormBias
        | Part::AttentionOutputBias
        | Part::FeedForwardNorm
        | Part::FeedForwardNormBias
        | Part::DownBias => Shape::Vector(width),
    }
}

/// Whether `part` belongs to the architecture, and whether a model needs it.
fn rule(part: Part, architecture: Architecture) -> Rule {
    use Part::*;
    match (architecture, part) {
        (_, TokenEmbedding | OutputNorm | AttentionNorm | AttentionOutput) => Rule::Needed,
        (_, FeedForwardNorm | Up | Down) => Rule::Needed,
        (_, Output | AttentionOutputBias | UpBias | DownBias) => Rule::Allowed,
        (Architecture::Llama, Query | Key | Value | Gate) => Rule::Needed,
        (Architecture::Llama, QueryBias | KeyBias | ValueBias | GateBias) => Rule::Allowed,
        (Architecture::Gpt2, PositionEmbedding | QueryKeyValue | OutputNormBias) => Rule::Needed,
        (Architecture::Gpt2, AttentionNormBias | FeedForwardNormBias) => Rule::Needed,
        (Architecture::Gpt2, QueryKeyValueBias) => Rule::Allowed,
        _ => Rule::Foreign,
    }
}

/// Place of a part in an architecture.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Every model has it.
    Needed,
    /// A model may have it.
    Allowed,
    /// No model has it.
    Foreign,
}

impl Tensor {
    /// Checks a tensor called `name`.
    ///
    /// # Errors
    ///
    /// A tensor that no model of this architecture has, of another shape or type.
    pub fn new(info: &TensorInfo, name: &[u8], model: &Hyperparameters) -> Result<Tensor, Refusal> {
        let refuse = |reason, detail| Refusal::new(reason, detail, name);
        let role = Role::of(name).filter(|role| u32::from(role.layer) < model.layers);
        let role = role.filter(|role| rule(role.part, model.architecture) != Rule::Foreign);
        let role = role.ok_or(refuse(Reason::Architecture, 0))?;
        let kind = u64::from(info.kind);
        let format = Format::from_number(info.kind).ok_or(refuse(Reason::TensorType, kind))?;
        let (columns, rows) = match shape(role.part, model) {
            Shape::Matrix(columns, rows) => (columns, rows),
            Shape::Vector(values) => (values, 1),
        };
        let dims = [u64::from(columns), u64::from(rows), 1, 1];
        if info.dims != dims {
            let wrong = info
                .dims
                .iter()
                .zip(dims)
                .find(|(has, needs)| **has != *needs);
            return Err(refuse(
                Reason::TensorShape,
                wrong.map_or(0, |(has, _)| *has),
            ));
        }
        if matches!(shape(role.part, model), Shape::Vector(_)) && format != Format::F32 {
            return Err(refuse(Reason::TensorType, kind));
        }
        let tensor = Tensor {
            offset: info.offset,
            bytes: info.bytes,
            role,
            format,
            columns,
            rows,
        };
        let row_bytes = tensor
            .row_bytes()
            .ok_or(refuse(Reason::TensorShape, u64::from(columns)))?;
        let most = if rows == 1 {
            READ_BYTES_MAX
        } else {
            READ_BYTES_MAX / GROUP_ROWS as usize
        };
        if row_bytes > most {
            return Err(refuse(Reason::Limit, row_bytes as u64));
        }
        Ok(tensor)
    }

    /// Bytes of a row in the file.
    pub fn row_bytes(&self) -> Option<usize> {
        self.format.row_bytes(self.columns as usize)
    }

    /// Whether it holds a vector.
    pub fn is_vector(&self, model: &Hyperparameters) -> bool {
        matches!(shape(self.role.part, model), Shape::Vector(_))
    }
}

/// Which parts were seen, per layer; those of the whole model are with layer 0. All zero: none.
#[repr(C)]
pub struct Presence {
    parts: [u32; LAYERS_MAX as usize],
}

impl Presence {
    /// Notes `role`.
    pub fn note(&mut self, role: Role) {
        if let Some(parts) = self.parts.get_mut(usize::from(role.layer)) {
            *parts |= 1 << role.part as u32;
        }
    }

    /// Checks that everything a model needs was seen.
    ///
    /// # Errors
    ///
    /// The first tensor that is missing.
    pub fn check(&self, model: &Hyperparameters) -> Result<(), Refusal> {
        for (layer, seen) in self.parts.iter().take(model.layers as usize).enumerate() {
            for part in Part::ALL {
                let due = layer == 0 || part.is_of_layer();
                let needed = due && rule(part, model.architecture) == Rule::Needed;
                if needed && seen & 1 << part as u32 == 0 {
                    let mut refusal = Refusal::new(Reason::TensorMissing, layer as u64, b"");
                    Role {
                        part,
                        layer: layer as u16,
                    }
                    .write(&mut refusal.subject);
                    return Err(refusal);
                }
            }
        }
        Ok(())
    }
}

/// A part of a tensor's rows, and where it goes. A tensor has one piece, except query, key and
/// value in one, which are kept apart.
#[derive(Clone, Copy)]
pub enum Destination {
    /// Rows of a matrix.
    Matrix(Matrix),
    /// Values of a vector.
    Vector(Vector),
}

/// A piece of a tensor.
#[derive(Clone, Copy)]
pub struct Piece {
    /// First row of the tensor (of a vector: first value).
    pub first: u32,
    /// Number of rows (of values).
    pub rows: u32,
    /// Where they go.
    pub destination: Destination,
}

/// Pieces of a tensor of `part`.
pub fn piece_count(part: Part) -> u32 {
    if matches!(part, Part::QueryKeyValue | Part::QueryKeyValueBias) {
        3
    } else {
        1
    }
}

/// First row and number of rows of piece `index` of `tensor`.
fn piece_rows(tensor: &Tensor, index: u32, model: &Hyperparameters) -> (u32, u32) {
    let (query, kv) = (model.query_columns(), model.kv_columns());
    match (tensor.role.part, index) {
        (Part::QueryKeyValue | Part::QueryKeyValueBias, 0) => (0, query),
        (Part::QueryKeyValue | Part::QueryKeyValueBias, 1) => (query, kv),
        (Part::QueryKeyValue | Part::QueryKeyValueBias, _) => (query + kv, kv),
        _ if tensor.is_vector(model) => (0, tensor.columns),
        _ => (0, tensor.rows),
    }
}

/// Gives the pieces of `tensor` their places, in order, and hands each to `place` with its number.
///
/// # Errors
///
/// A tensor that is too large for the arena.
pub fn lay_out(
    tensor: &Tensor,
    model: &Hyperparameters,
    layout: &mut Layout,
    mut place: impl FnMut(u32, Destination),
) -> Result<(), Refusal> {
    for index in 0..piece_count(tensor.role.part) {
        let (_, rows) = piece_rows(tensor, index, model);
        let destination = if tensor.is_vector(model) {
            Vector::new(layout, rows).map(Destination::Vector)
        } else {
            Matrix::new(layout, tensor.format, rows, tensor.columns).map(Destination::Matrix)
        };
        let Some(destination) = destination else {
            let mut refusal = Refusal::new(Reason::Limit, tensor.bytes, b"");
            tensor.role.write(&mut refusal.subject);
            return Err(refusal);
        };
        place(index, destination);
    }
    Ok(())
}

/// The field of the model that piece `index` of a tensor with `role` fills.
pub fn put(
    model: &mut Model,
    layers: &mut [Layer],
    role: Role,
    index: u32,
    destination: Destination,
) -> Option<()> {
    match destination {
        Destination::Matrix(matrix) => *matrix_mut(model, layers, role, index)? = matrix,
        Destination::Vector(vector) => *vector_mut(model, layers, role, index)? = vector,
    }
    Some(())
}

/// Piece `index` of `tensor`, as [`put`] left it.
pub fn piece(
    model: &mut Model,
    layers: &mut [Layer],
    tensor: &Tensor,
    index: u32,
) -> Option<Piece> {
    let (first, rows) = piece_rows(tensor, index, &model.shape);
    let destination = if tensor.is_vector(&model.shape) {
        Destination::Vector(*vector_mut(model, layers, tensor.role, index)?)
    } else {
        Destination::Matrix(*matrix_mut(model, layers, tensor.role, index)?)
    };
    Some(Piece {
        first,
        rows,
        destination,
    })
}

/// The matrix of piece `index` of a tensor with `role`.
fn matrix_mut<'a>(
    model: &'a mut Model,
    layers: &'a mut [Layer],
    role: Role,
    index: u32,
) -> Option<&'a mut Matrix> {
    let layer = layers.get_mut(usize::from(role.layer))?;
    Some(match (role.part, index) {
        (Part::TokenEmbedding, _) => &mut model.embedding,
        (Part::PositionEmbedding, _) => &mut model.positions,
        (Part::Output, _) => &mut model.head,
        (Part::Query, _) | (Part::QueryKeyValue, 0) => &mut layer.query,
        (Part::Key, _) | (Part::QueryKeyValue, 1) => &mut layer.key,
        (Part::Value, _) | (Part::QueryKeyValue, _) => &mut layer.value,
        (Part::AttentionOutput, _) => &mut layer.output,
        (Part::Gate, _) => &mut layer.gate,
        (Part::Up, _) => &mut layer.up,
        (Part::Down, _) => &mut layer.down,
        _ => return None,
    })
}

/// The vector of piece `index` of a tensor with `role`.
fn vector_mut<'a>(
    model: &'a mut Model,
    layers: &'a mut [Layer],
    role: Role,
    index: u32,
) -> Option<&'a mut Vector> {
    let layer = layers.get_mut(usize::from(role.layer))?;
    Some(match (role.part, index) {
        (Part::OutputNorm, _) => &mut model.output_norm,
        (Part::OutputNormBias, _) => &mut model.output_norm_bias,
        (Part::AttentionNorm, _) => &mut layer.attention_norm,
        (Part::AttentionNormBias, _) => &mut layer.attention_norm_bias,
        (Part::QueryBias, _) | (Part::QueryKeyValueBias, 0) => &mut layer.query_bias,
        (Part::KeyBias, _) | (Part::QueryKeyValueBias, 1) => &mut layer.key_bias,
        (Part::ValueBias, _) | (Part::QueryKeyValueBias, _) => &mut layer.value_bias,
        (Part::AttentionOutputBias, _) => &mut layer.output_bias,
        (Part::FeedForwardNorm, _) => &mut layer.feed_forward_norm,
        (Part::FeedForwardNormBias, _) => &mut layer.feed_forward_norm_bias,
        (Part::GateBias, _) => &mut layer.gate_bias,
        (Part::UpBias, _) => &mut layer.up_bias,
        (Part::DownBias, _) => &mut layer.down_bias,
        _ => return None,
    })
}
