// SPDX-License-Identifier: GPL-2.0
//! The tensors of a file, checked against the shape of the model and given their places.

use crate::abi::READ_BYTES_MAX;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::TensorInfo;
use crate::memory::items::Layout;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShape;
use crate::model::matrix::Matrix;
use crate::model::order::Order;
use crate::model::part::Part;
use crate::model::part::Shape;
use crate::model::presence::may_have;
use crate::model::role::Role;
use crate::model::vector::Element;
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
    /// Which matrix of a pair it is.
    pub half: Half,
    /// What it holds.
    pub contents: Contents,
    /// Columns of a matrix, or values of a vector.
    pub columns: u32,
    /// Rows of a matrix, of each expert; 1 for a vector.
    pub rows: u32,
    /// Matrices that lie one behind the other, one for each expert.
    pub experts: u32,
}

/// Which matrix of a pair a tensor is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// None: it is a part of a model.
    Whole = 0,
    /// The first, which inputs are multiplied by.
    Down = 1,
    /// The second.
    Up = 2,
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

impl Tensor {
    /// Checks a tensor called `name` of a model whose layers have `shapes`.
    ///
    /// # Errors
    ///
    /// A tensor that no model of this architecture has, of another shape or type.
    pub fn new(
        info: &TensorInfo,
        name: &[u8],
        model: &Hyperparameters,
        shapes: &[LayerShape],
    ) -> Result<Tensor, Refusal> {
        let refuse = |reason, detail| Refusal::new(reason, detail, name);
        let role = Role::of(name, model.architecture);
        let role = role.ok_or(refuse(foreign(name), 0))?;
        let shape = shapes.get(usize::from(role.layer));
        let shape = shape.filter(|shape| may_have(role.part, model, shape));
        let shape = shape.ok_or(refuse(foreign(name), 0))?;
        let kind = u64::from(info.kind);
        let matrix = || {
            let format = Format::from_number(info.kind);
            let format = format.ok_or(refuse(Reason::TensorType, kind))?;
            Ok::<_, Refusal>(Contents::Matrix(format))
        };
        let vector = || {
            let element = Element::from_number(info.kind);
            let element = element.ok_or(refuse(Reason::VectorType, kind))?;
            Ok::<_, Refusal>(Contents::Vector(element))
        };
        let count = model.experts.count;
        let size = |dim| model.size(dim, shape);
        let (contents, columns, rows, experts) = match role.part.shape() {
            Shape::Matrix(columns, rows) => (matrix()?, size(columns), size(rows), 1),
            Shape::Experts(columns, rows) => (matrix()?, size(columns), size(rows), count),
            Shape::Heads(columns, rows) => (matrix()?, size(columns), size(rows), shape.heads),
            Shape::Vector(values) => (vector()?, size(values), 1, 1),
            Shape::ExpertVectors(values) => (vector()?, size(values), count, 1),
            Shape::Columns(values, columns) => (vector()?, size(values), size(columns), 1),
        };
        let dims = [columns, rows, experts, 1].map(u64::from);
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
        let too_large = || refuse(Reason::Limit, u64::from(columns));
        let (columns, rows) = match contents {
            Contents::Matrix(_) => (columns, rows),
            Contents::Vector(_) => (columns.checked_mul(rows).ok_or_else(too_large)?, 1),
        };
        let tensor = Tensor {
            offset: info.offset,
            bytes: info.bytes,
            role,
            half: Half::Whole,
            contents,
            columns,
            rows,
            experts,
        };
        tensor.check_row(name, model, shape)?;
        Ok(tensor)
    }

    /// Checks that as many rows as are packed together can be read at once.
    ///
    /// # Errors
    ///
    /// Rows that are no whole blocks, or too long; `name` is that of the tensor.
    pub fn check_row(
        &self,
        name: &[u8],
        model: &Hyperparameters,
        layer: &LayerShape,
    ) -> Result<(), Refusal> {
        let refuse = |reason, detail| Refusal::new(reason, detail, name);
        let row_bytes = self
            .row_bytes()
            .ok_or(refuse(Reason::TensorShape, u64::from(self.columns)))?;
        let most = match self.contents {
            Contents::Vector(_) => READ_BYTES_MAX,
            Contents::Matrix(_) => {
                let unit = self.order(model, layer).unit() as usize;
                READ_BYTES_MAX.checked_div(unit).unwrap_or(0)
            }
        };
        if row_bytes > most {
            return Err(refuse(Reason::Limit, row_bytes as u64));
        }
        Ok(())
    }

    /// The parts that its rows are kept as, in order.
    pub fn pieces(&self) -> &'static [Part] {
        let parts = self.role.part.pieces();
        match self.half {
            Half::Whole | Half::Up => parts,
            // All of them have the same.
            Half::Down => parts.get(..1).unwrap_or(parts),
        }
    }

    /// Bytes of a row in the file; of a vector: of all its values.
    pub fn row_bytes(&self) -> Option<usize> {
        let columns = self.columns as usize;
        match self.contents {
            Contents::Matrix(format) => format.row_bytes(columns),
            Contents::Vector(element) => columns.checked_mul(element.bytes()),
        }
    }

    /// Number of weights.
    pub fn parameters(&self) -> u64 {
        (u64::from(self.columns) * u64::from(self.rows)).saturating_mul(u64::from(self.experts))
    }

    /// The strictest order of its pieces.
    fn order(&self, model: &Hyperparameters, layer: &LayerShape) -> Order {
        let first = self.pieces().first();
        first.map_or(Order::STRAIGHT, |part| self.order_of(*part, model, layer))
    }

    /// The order of the rows that are kept as `part`.
    fn order_of(&self, part: Part, model: &Hyperparameters, layer: &LayerShape) -> Order {
        match self.half {
            Half::Whole | Half::Up => Order::of(part, model, layer),
            Half::Down => Order::STRAIGHT,
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

/// A part of a tensor's rows, and where it goes. A tensor has one piece, except several projections
/// in one, which are kept apart, and those of experts, which have one for each.
#[derive(Clone, Copy)]
pub struct Piece {
    /// First row of the tensor (of a vector: first value).
    pub first: u32,
    /// Number of rows (of values).
    pub rows: u32,
    /// The matrix or vector they are kept as.
    pub destination: Matrix,
    /// Its group that the first row goes to.
    pub group: u32,
    /// In which order.
    pub order: Order,
}

/// Number of pieces of `tensor`.
pub fn piece_count(tensor: &Tensor) -> u32 {
    // CAST: A few.
    #[expect(clippy::cast_possible_truncation)]
    let pieces = tensor.pieces().len() as u32;
    pieces.max(tensor.experts)
}

/// Rows of what `part` of `tensor` is kept as (of a vector: values), of an expert.
fn rows_of(tensor: &Tensor, part: Part, model: &Hyperparameters, layer: &LayerShape) -> u32 {
    if tensor.half != Half::Whole && tensor.pieces().len() == 1 {
        return tensor.rows;
    }
    match part.shape() {
        Shape::Matrix(_, rows)
        | Shape::Experts(_, rows)
        | Shape::Heads(_, rows)
        | Shape::Vector(rows) => model.size(rows, layer),
        Shape::ExpertVectors(_) | Shape::Columns(..) => tensor.columns,
    }
}

/// Gives what the pieces of `tensor` are kept as their places, in order, and hands each to `place`.
///
/// # Errors
///
/// A tensor that is too large for the arena.
pub fn lay_out(
    tensor: &Tensor,
    model: &Hyperparameters,
    layer: &LayerShape,
    layout: &mut Layout,
    mut place: impl FnMut(Part, Matrix),
) -> Result<(), Refusal> {
    for part in tensor.pieces() {
        let rows = rows_of(tensor, *part, model, layer);
        let destination = match tensor.contents {
            Contents::Vector(_) => Matrix::of_vector(layout, rows),
            Contents::Matrix(format) => {
                Matrix::new(layout, format, rows, tensor.columns, tensor.experts)
            }
        };
        let Some(destination) = destination else {
            let mut refusal = Refusal::new(Reason::Limit, tensor.bytes, b"");
            tensor.role.write(model.architecture, &mut refusal.subject);
            return Err(refusal);
        };
        place(*part, destination);
    }
    Ok(())
}

/// Piece `index` of `tensor`, whose layer has the shape `layer`; `place` says where a part is kept.
pub fn piece(
    tensor: &Tensor,
    index: u32,
    model: &Hyperparameters,
    layer: &LayerShape,
    place: impl FnOnce(Part) -> Option<Matrix>,
) -> Option<Piece> {
    let parts = tensor.pieces();
    let expert = if tensor.experts > 1 { index } else { 0 };
    let number = (index - expert) as usize;
    let part = *parts.get(number)?;
    let rows = rows_of(tensor, part, model, layer);
    let before = parts.iter().take(number);
    let before = before.map(|part| rows_of(tensor, *part, model, layer));
    let first = before.sum::<u32>().checked_add(expert.checked_mul(rows)?)?;
    let destination = place(part)?;
    Some(Piece {
        first,
        rows,
        group: expert.checked_mul(destination.group_count())?,
        destination,
        order: tensor.order_of(part, model, layer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Span;
    use crate::model::architecture::Architecture;
    use crate::model::presence::Presence;

    fn model(name: &str) -> Hyperparameters {
        Hyperparameters::testing(Architecture::find(name.as_bytes()).expect("an architecture"))
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

    fn checked(name: &str, kind: u32, dims: &[u64], architecture: &str) -> Result<Role, Reason> {
        let model = model(architecture);
        let shapes = [LayerShape::of(&model); 2];
        let tensor = Tensor::new(&info(kind, dims), name.as_bytes(), &model, &shapes);
        tensor.map(|tensor| tensor.role).map_err(|refusal| {
            assert!(refusal.subject.starts_with(name.as_bytes()));
            refusal.reason
        })
    }

    #[test]
    fn a_tensor_belongs_to_a_layer_and_an_architecture() {
        let llama = |name, dims: &[u64]| checked(name, 0, dims, "llama");
        let gpt2 = |name, dims: &[u64]| checked(name, 0, dims, "gpt2");
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
        assert_eq!(gpt2("blk.0.attn_q.weight", &[32, 32]), role(Part::Query, 0));
        assert_eq!(gpt2("blk.0.ffn_gate.weight", &[32, 64]), unknown);
        assert_eq!(llama("a.tensor", &[1]), unknown);
    }

    #[test]
    fn names_that_ask_for_other_mathematics_are_told_apart() {
        for name in [
            "blk.0.ffn_gate_inp.weight",
            "blk.0.ffn_up_exps.weight",
            "blk.0.ffn_down_shexp.weight",
            "blk.0.attn_q.weight.lora_a",
        ] {
            let found = checked(name, 0, &[4], "llama");
            assert_eq!(found, Err(Reason::Unsupported), "{name}");
        }
    }

    #[test]
    fn a_vector_has_its_own_formats_and_one_dimension() {
        let norm = |kind, dims: &[u64]| checked("blk.0.attn_norm.weight", kind, dims, "llama");
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
        let matrix = |kind| checked("output.weight", kind, &[32, 40], "llama");
        assert_eq!(
            matrix(30).map(|_| ()),
            match Format::from_number(30) {
                Some(_) => Ok(()),
                None => Err(Reason::TensorType),
            }
        );
        assert!(matrix(8).is_ok());
    }

    /// The name of the tensor whose rows another one of `names` has.
    fn twice_held(names: &[String], architecture: &str) -> Option<String> {
        refused(names, architecture, Reason::TensorDuplicate)
    }

    /// The name of the tensor that is missing when all of `names` are there.
    fn missing(names: &[String], architecture: &str) -> Option<String> {
        refused(names, architecture, Reason::TensorMissing)
    }

    /// The tensor for which `names` are refused for this `reason`.
    fn refused(names: &[String], architecture: &str, reason: Reason) -> Option<String> {
        let model = model(architecture);
        let mut presence = Presence::default();
        for name in names {
            presence.note(Role::of(name.as_bytes(), model.architecture).expect("a role"));
        }
        let refusal = presence.check(&model, &[LayerShape::of(&model); 2]).err()?;
        assert_eq!(refusal.reason, reason);
        let end = refusal.subject.iter().position(|&byte| byte == 0)?;
        Some(String::from_utf8_lossy(&refusal.subject[..end]).into_owned())
    }

    #[test]
    fn each_needed_tensor_is_missed_in_every_layer() {
        for (architecture, whole, layer) in [
            (
                "llama",
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
                "gpt2",
                &[
                    "token_embd.weight",
                    "position_embd.weight",
                    "output_norm.weight",
                    "output_norm.bias",
                ],
                &[
                    "attn_norm.weight",
                    "attn_norm.bias",
                    "attn_q.weight",
                    "attn_k.weight",
                    "attn_v.weight",
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
            // Query, key and value in one tensor are enough, and all of them are too much.
            let fused = "blk.1.attn_qkv.weight".to_string();
            let twice = [all.clone(), vec![fused.clone()]].concat();
            assert_eq!(
                twice_held(&twice, architecture),
                Some("blk.1.attn_q.weight".to_string())
            );
            let mut one = twice;
            one.retain(|name| {
                !["q", "k", "v"]
                    .iter()
                    .any(|part| *name == format!("blk.1.attn_{part}.weight"))
            });
            assert_eq!(missing(&one, architecture), None);
            for at in 0..all.len() {
                let mut rest = all.clone();
                let name = rest.remove(at);
                assert_eq!(missing(&rest, architecture), Some(name));
            }
        }
    }
}
