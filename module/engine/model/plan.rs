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
use crate::model::vector::Element;
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
    /// What it holds.
    pub contents: Contents,
    /// Columns of a matrix, or values of a vector.
    pub columns: u32,
    /// Rows of a matrix; 1 for a vector.
    pub rows: u32,
}

/// What a tensor holds, and how the file has it.
#[repr(u32)]
#[derive(Clone, Copy)]
pub enum Contents {
    /// A matrix of weights.
    Matrix(Format),
    /// A vector: the weight or the bias of a norm, or the bias of a matrix.
    Vector(Element),
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
        let role = role.ok_or(refuse(foreign(name), 0))?;
        let kind = u64::from(info.kind);
        let (contents, columns, rows) = match shape(role.part, model) {
            Shape::Matrix(columns, rows) => {
                let format = Format::from_number(info.kind);
                let format = format.ok_or(refuse(Reason::TensorType, kind))?;
                (Contents::Matrix(format), columns, rows)
            }
            Shape::Vector(values) => {
                let element = Element::from_number(info.kind);
                let element = element.ok_or(refuse(Reason::VectorType, kind))?;
                (Contents::Vector(element), values, 1)
            }
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
        let tensor = Tensor {
            offset: info.offset,
            bytes: info.bytes,
            role,
            contents,
            columns,
            rows,
        };
        let row_bytes = tensor
            .row_bytes()
            .ok_or(refuse(Reason::TensorShape, u64::from(columns)))?;
        let most = match contents {
            Contents::Vector(_) => READ_BYTES_MAX,
            Contents::Matrix(_) => READ_BYTES_MAX / GROUP_ROWS as usize,
        };
        if row_bytes > most {
            return Err(refuse(Reason::Limit, row_bytes as u64));
        }
        Ok(tensor)
    }

    /// Bytes of a row in the file; of a vector: of all its values.
    pub fn row_bytes(&self) -> Option<usize> {
        let columns = self.columns as usize;
        match self.contents {
            Contents::Matrix(format) => format.row_bytes(columns),
            Contents::Vector(element) => columns.checked_mul(element.bytes()),
        }
    }
}

/// Why a tensor that no model of the architecture has is refused. These names ask for mathematics
/// which are not here.
fn foreign(name: &[u8]) -> Reason {
    let holds = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    let asks = [
        &b"rope_f"[..],
        b"_exps.",
        b"_shexp.",
        b"ffn_gate_inp",
        b".lora_",
    ];
    if asks.into_iter().any(holds) {
        Reason::Unsupported
    } else {
        Reason::TensorUnknown
    }
}

/// Which parts were seen, per layer; those of the whole model are with layer 0. All zero: none.
#[repr(C)]
pub struct Presence {
    parts: [u64; LAYERS_MAX as usize],
}

const _: () = assert!(Part::ALL.len() <= u64::BITS as usize);

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
        _ => match tensor.contents {
            Contents::Vector(_) => (0, tensor.columns),
            Contents::Matrix(_) => (0, tensor.rows),
        },
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
        let destination = match tensor.contents {
            Contents::Vector(_) => Vector::new(layout, rows).map(Destination::Vector),
            Contents::Matrix(format) => {
                Matrix::new(layout, format, rows, tensor.columns).map(Destination::Matrix)
            }
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
    let destination = match tensor.contents {
        Contents::Vector(_) => Destination::Vector(*vector_mut(model, layers, tensor.role, index)?),
        Contents::Matrix(_) => Destination::Matrix(*matrix_mut(model, layers, tensor.role, index)?),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Span;

    fn model(architecture: Architecture) -> Hyperparameters {
        Hyperparameters {
            architecture,
            layers: 2,
            embedding: 32,
            heads: 4,
            kv_heads: 2,
            head_size: 8,
            rotated: 8,
            feed_forward: 64,
            vocabulary: 40,
            trained_context: 64,
            context: 64,
            epsilon: 1e-5,
            rope_base: 1e4,
        }
    }

    fn info(kind: u32, dims: &[u64]) -> TensorInfo {
        let mut all = [1; 4];
        all[..dims.len()].copy_from_slice(dims);
        TensorInfo {
            name: Span::default(),
            kind,
            dims: all,
            offset: 0,
            bytes: 0,
        }
    }

    fn checked(
        name: &str,
        kind: u32,
        dims: &[u64],
        architecture: Architecture,
    ) -> Result<Role, Reason> {
        let tensor = Tensor::new(&info(kind, dims), name.as_bytes(), &model(architecture));
        tensor.map(|tensor| tensor.role).map_err(|refusal| {
            assert!(refusal.subject.starts_with(name.as_bytes()));
            refusal.reason
        })
    }

    #[test]
    fn a_tensor_belongs_to_a_layer_and_an_architecture() {
        let llama = |name, dims: &[u64]| checked(name, 0, dims, Architecture::Llama);
        let gpt2 = |name, dims: &[u64]| checked(name, 0, dims, Architecture::Gpt2);
        let role = |part, layer| Ok(Role { part, layer });
        assert_eq!(
            llama("blk.1.attn_q.weight", &[32, 32]),
            role(Part::Query, 1)
        );
        assert_eq!(llama("blk.1.attn_k.bias", &[16]), role(Part::KeyBias, 1));
        assert_eq!(llama("blk.0.ffn_gate.bias", &[64]), role(Part::GateBias, 0));
        assert_eq!(llama("blk.0.attn_q.bias", &[32]), role(Part::QueryBias, 0));
        let fused = gpt2("blk.1.attn_qkv.bias", &[64]);
        assert_eq!(fused, role(Part::QueryKeyValueBias, 1));
        let positions = gpt2("position_embd.weight", &[32, 64]);
        assert_eq!(positions, role(Part::PositionEmbedding, 0));
        let unknown = Err(Reason::TensorUnknown);
        assert_eq!(llama("blk.2.attn_q.weight", &[32, 32]), unknown);
        assert_eq!(llama("position_embd.weight", &[32, 64]), unknown);
        assert_eq!(llama("blk.0.attn_norm.bias", &[32]), unknown);
        assert_eq!(gpt2("blk.0.attn_q.weight", &[32, 32]), unknown);
        assert_eq!(gpt2("blk.0.ffn_gate.weight", &[32, 64]), unknown);
        assert_eq!(llama("a.tensor", &[1]), unknown);
    }

    #[test]
    fn names_that_ask_for_other_mathematics_are_told_apart() {
        for name in [
            "rope_freqs.weight",
            "rope_factors_long.weight",
            "blk.0.ffn_gate_inp.weight",
            "blk.0.ffn_up_exps.weight",
            "blk.0.ffn_down_shexp.weight",
            "blk.0.attn_q.weight.lora_a",
        ] {
            let found = checked(name, 0, &[4], Architecture::Llama);
            assert_eq!(found, Err(Reason::Unsupported), "{name}");
        }
    }

    #[test]
    fn a_vector_has_its_own_formats_and_one_dimension() {
        let norm =
            |kind, dims: &[u64]| checked("blk.0.attn_norm.weight", kind, dims, Architecture::Llama);
        let role = Role {
            part: Part::AttentionNorm,
            layer: 0,
        };
        for kind in [0, 1, 30] {
            assert_eq!(norm(kind, &[32]), Ok(role));
        }
        assert_eq!(norm(8, &[32]), Err(Reason::VectorType));
        assert_eq!(norm(0, &[31]), Err(Reason::TensorShape));
        assert_eq!(norm(0, &[32, 2]), Err(Reason::TensorShape));
        let matrix = |kind| checked("output.weight", kind, &[32, 40], Architecture::Llama);
        assert_eq!(
            matrix(30).map(|_| ()),
            match Format::from_number(30) {
                Some(_) => Ok(()),
                None => Err(Reason::TensorType),
            }
        );
        assert!(matrix(8).is_ok());
    }

    /// The name of the tensor that is missing when all of `names` are there.
    fn missing(names: &[String], architecture: Architecture) -> Option<String> {
        let mut presence = Presence {
            parts: [0; LAYERS_MAX as usize],
        };
        for name in names {
            presence.note(Role::of(name.as_bytes()).expect("a role"));
        }
        let refusal = presence.check(&model(architecture)).err()?;
        assert_eq!(refusal.reason, Reason::TensorMissing);
        let end = refusal.subject.iter().position(|&byte| byte == 0)?;
        Some(String::from_utf8_lossy(&refusal.subject[..end]).into_owned())
    }

    #[test]
    fn each_needed_tensor_is_missed_in_every_layer() {
        for (architecture, whole, layer) in [
            (
                Architecture::Llama,
                &["token_embd.weight", "output_norm.weight"][..],
                &[
                    "attn_norm.weight",
                    "attn_q.weight",
                    "attn_k.weight",
                    "attn_v.weight",
                    "attn_output.weight",
                    "ffn_norm.weight",
                    "ffn_gate.weight",
                    "ffn_up.weight",
                    "ffn_down.weight",
                ][..],
            ),
            (
                Architecture::Gpt2,
                &[
                    "token_embd.weight",
                    "position_embd.weight",
                    "output_norm.weight",
                    "output_norm.bias",
                ],
                &[
                    "attn_norm.weight",
                    "attn_norm.bias",
                    "attn_qkv.weight",
                    "attn_output.weight",
                    "ffn_norm.weight",
                    "ffn_norm.bias",
                    "ffn_up.weight",
                    "ffn_down.weight",
                ],
            ),
        ] {
            let of_layers = (0..2)
                .flat_map(|number| layer.iter().map(move |name| format!("blk.{number}.{name}")));
            let all: Vec<String> = whole
                .iter()
                .map(|name| name.to_string())
                .chain(of_layers)
                .collect();
            assert_eq!(missing(&all, architecture), None);
            for at in 0..all.len() {
                let mut rest = all.clone();
                let name = rest.remove(at);
                assert_eq!(missing(&rest, architecture), Some(name));
            }
        }
    }
}
