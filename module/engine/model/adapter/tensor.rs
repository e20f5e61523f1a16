// SPDX-License-Identifier: GPL-2.0
//! The tensors of an adapter, checked against the model it is for.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::TensorInfo;
use crate::model::adapter::RANK_MAX;
use crate::model::part::Part;
use crate::model::part::Shape;
use crate::model::plan::Contents;
use crate::model::plan::Half;
use crate::model::plan::Tensor;
use crate::model::role::Role;
use crate::model::weights::Layer;
use crate::model::weights::Model;
use crate::simd::format::Format;

/// What follows the name of the model's tensor; both are as long.
const DOWN: &[u8] = b".lora_a";
/// As above.
const UP: &[u8] = b".lora_b";
/// Bytes of the longest name.
const NAME_BYTES: usize = 64;

/// The model that an adapter is for.
#[derive(Clone, Copy)]
pub struct Base<'a> {
    /// Its shape and parts.
    pub model: &'a Model,
    /// Its layers.
    pub layers: &'a [Layer],
}

impl Base<'_> {
    /// Whether the head is the token embeddings.
    fn is_tied(&self) -> bool {
        let parts = &self.model.parts;
        parts.matrix(Part::Output).groups == parts.matrix(Part::TokenEmbedding).groups
    }

    /// Whether it has a tensor of this role.
    fn has(&self, role: Role) -> bool {
        let Some(layer) = self.layers.get(usize::from(role.layer)) else {
            return false;
        };
        let kept = |part: &Part| {
            if part.is_of_layer() {
                layer.matrix(*part).exists()
            } else {
                self.model.parts.matrix(*part).exists()
            }
        };
        let told = match role.part {
            Part::Output => !self.is_tied(),
            Part::QueryKeyValue => layer.fused,
            Part::Query | Part::Key | Part::Value => !layer.fused,
            _ => true,
        };
        told && role.part.pieces().iter().all(kept)
    }
}

/// Checks a tensor called `name` of an adapter of `base`; `find` finds another by its name. Gives its
/// rank with it.
///
/// # Errors
///
/// A tensor that is not one of a pair, of another shape or of too high a rank. One of a part that the
/// model lacks, or that takes no adapter.
pub fn check(
    info: &TensorInfo,
    name: &[u8],
    base: &Base<'_>,
    find: impl Fn(&[u8]) -> Option<TensorInfo>,
) -> Result<(Tensor, u32), Refusal> {
    let refuse = |reason, detail| Refusal::new(reason, detail, name);
    let (stem, half) = match (name.strip_suffix(DOWN), name.strip_suffix(UP)) {
        (Some(stem), _) => (stem, Half::Down),
        (_, Some(stem)) => (stem, Half::Up),
        _ => return Err(refuse(Reason::Unsupported, 0)),
    };
    let role = Role::of(stem, base.model.shape.architecture);
    let role = role.filter(|role| base.has(*role));
    let role = role.ok_or(refuse(Reason::TensorUnknown, 0))?;
    let (inputs, outputs) = sizes(role, base).ok_or(refuse(Reason::Unsupported, 0))?;
    let other = Other::of(stem, half);
    let other =
        find(other.name()).ok_or_else(|| Refusal::new(Reason::TensorMissing, 0, other.name()))?;
    let told = rank_of(info, role, half);
    let rank = u32::try_from(told).ok().filter(|rank| *rank <= RANK_MAX);
    let rank = rank.ok_or(refuse(Reason::Count, told))?;
    let (columns, rows) = match (half, role.part) {
        (Half::Down, Part::TokenEmbedding) => (rank, outputs),
        (Half::Up, Part::TokenEmbedding) => (rank, inputs),
        (Half::Down, _) => (inputs, rank),
        _ => (rank, outputs),
    };
    let wanted = [columns, rows, 1, 1].map(u64::from);
    let mut dims = info.dims.iter().zip(wanted);
    if let Some((has, _)) = dims.find(|(has, needs)| **has != *needs) {
        return Err(refuse(Reason::TensorShape, *has));
    }
    let other_half = if half == Half::Down {
        Half::Up
    } else {
        Half::Down
    };
    if rank_of(&other, role, other_half) != told {
        return Err(refuse(Reason::TensorShape, told));
    }
    let format = Format::from_number(info.kind);
    let format = format.ok_or(refuse(Reason::TensorType, u64::from(info.kind)))?;
    let tensor = Tensor {
        offset: info.offset,
        bytes: info.bytes,
        role,
        half,
        contents: Contents::Matrix(format),
        columns,
        rows,
        experts: 1,
    };
    let layer = base.layers.get(usize::from(role.layer));
    let layer = layer.ok_or(refuse(Reason::TensorUnknown, 0))?;
    tensor.check_row(name, &base.model.shape, &layer.shape)?;
    Ok((tensor, rank))
}

/// Inputs and outputs of the matrix of `role`; `None` where it takes no adapter.
fn sizes(role: Role, base: &Base<'_>) -> Option<(u32, u32)> {
    // Looked up, and not multiplied; of the token embeddings the head must not be another use.
    let looked_up = match role.part {
        Part::PositionEmbedding | Part::TokenTypes | Part::PerLayerEmbedding => true,
        Part::TokenEmbedding => base.is_tied(),
        _ => false,
    };
    let shape = &base.layers.get(usize::from(role.layer))?.shape;
    match role.part.shape() {
        Shape::Matrix(inputs, outputs) if !looked_up => {
            let size = |dim| base.model.shape.size(dim, shape);
            Some((size(inputs), size(outputs)))
        }
        _ => None,
    }
}

/// The rank that a tensor has.
fn rank_of(info: &TensorInfo, role: Role, half: Half) -> u64 {
    let [columns, rows, ..] = info.dims;
    if half == Half::Down && role.part != Part::TokenEmbedding {
        rows
    } else {
        columns
    }
}

/// The name of the other tensor of a pair.
struct Other {
    bytes: [u8; NAME_BYTES],
    length: usize,
}

impl Other {
    /// Of the tensor that is `half` of the pair beside `stem`.
    fn of(stem: &[u8], half: Half) -> Other {
        let suffix = if half == Half::Down { UP } else { DOWN };
        let mut other = Other {
            bytes: [0; NAME_BYTES],
            length: 0,
        };
        for (place, byte) in other.bytes.iter_mut().zip(stem.iter().chain(suffix)) {
            *place = *byte;
            other.length += 1;
        }
        other
    }

    fn name(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Span;
    use crate::model::Hyperparameters;
    use crate::model::architecture::Architecture;
    use crate::model::layer_shape::LayerShape;
    use crate::simd::level::Level;

    /// A model of two layers, of which the second has query, key and value in one tensor; whether its
    /// head is the token embeddings.
    fn model(tied: bool) -> (Model, [Layer; 2]) {
        let llama = Architecture::find(b"llama").expect("an architecture");
        let mut model = Model::empty(Level::SCALAR, Hyperparameters::testing(llama));
        let mut layers = [Layer::EMPTY; 2];
        for layer in &mut layers {
            layer.shape = LayerShape::of(&model.shape);
            for part in [Part::Query, Part::Key, Part::Value, Part::Down] {
                layer.part_mut(part).expect("a part of a layer").rows = 1;
            }
        }
        layers[1].fused = true;
        for part in [Part::Output, Part::TokenEmbedding] {
            let mut layout = crate::memory::items::Layout::new(1 << 20);
            if part == Part::Output && !tied {
                layout.items(64, 1).expect("room");
            }
            let place = model.parts.part_mut(part).expect("a part of the model");
            place.groups = layout.items(64, 3).expect("room");
            place.rows = 1;
        }
        (model, layers)
    }

    fn info(kind: u32, dims: [u64; 2]) -> TensorInfo {
        TensorInfo {
            name: Span::default(),
            kind,
            dims: [dims[0], dims[1], 1, 1],
            offset: 0,
            bytes: 0,
        }
    }

    /// Checks the first of two tensors in a model whose head is tied or not.
    fn checked(
        tied: bool,
        (name, kind, dims): (&str, u32, [u64; 2]),
        other: Option<(&str, [u64; 2])>,
    ) -> Result<(Role, u32), (Reason, u64, String)> {
        let (model, layers) = model(tied);
        let base = Base {
            model: &model,
            layers: &layers,
        };
        let find = |wanted: &[u8]| {
            let (name, dims) = other?;
            (name.as_bytes() == wanted).then(|| info(0, dims))
        };
        let result = check(&info(kind, dims), name.as_bytes(), &base, find);
        let result = result.map(|(tensor, rank)| (tensor.role, rank));
        result.map_err(|refusal| {
            let subject = refusal.subject.split(|&byte| byte == 0).next();
            let subject = String::from_utf8_lossy(subject.unwrap_or_default()).into_owned();
            (refusal.reason, refusal.detail, subject)
        })
    }

    #[test]
    fn a_pair_has_the_widths_of_its_matrix_and_one_rank() {
        let role = |part, layer| Role { part, layer };
        let down = |name: &str, dims, other| {
            let pair = name.replace("lora_a", "lora_b");
            checked(false, (name, 1, dims), Some((&pair, other)))
        };
        let query = "blk.0.attn_q.weight.lora_a";
        assert_eq!(down(query, [32, 3], [3, 32]), Ok((role(Part::Query, 0), 3)));
        let most = u64::from(RANK_MAX);
        assert!(down(query, [32, most], [most, 32]).is_ok());
        let refused = |reason, detail| Err((reason, detail, query.to_owned()));
        let over = down(query, [32, most + 1], [most + 1, 32]);
        assert_eq!(over, refused(Reason::Count, most + 1));
        assert_eq!(
            down(query, [32, 1 << 40], [3, 32]),
            refused(Reason::Count, 1 << 40)
        );
        assert_eq!(
            down(query, [31, 3], [3, 32]),
            refused(Reason::TensorShape, 31)
        );
        assert_eq!(
            down(query, [32, 3], [4, 32]),
            refused(Reason::TensorShape, 3)
        );
        let fused = down("blk.1.attn_qkv.weight.lora_a", [32, 2], [2, 64]);
        assert_eq!(fused, Ok((role(Part::QueryKeyValue, 1), 2)));
        let embedding = down("token_embd.weight.lora_a", [2, 40], [2, 32]);
        assert_eq!(embedding, Ok((role(Part::TokenEmbedding, 0), 2)));
        let head = down("output.weight.lora_a", [32, 2], [2, 40]);
        assert_eq!(head, Ok((role(Part::Output, 0), 2)));
    }

    #[test]
    fn what_the_model_lacks_or_does_not_adapt_is_refused_by_name() {
        let refused = |name: &str, reason, tied| {
            let found = checked(tied, (name, 0, [32, 2]), None);
            let (found, _, subject) = found.expect_err("a refusal");
            assert_eq!((found, subject.as_str()), (reason, name));
        };
        for name in [
            "blk.2.attn_q.weight.lora_a",
            "blk.0.attn_output.weight.lora_a",
            "blk.0.attn_qkv.weight.lora_a",
            "blk.1.attn_q.weight.lora_b",
            "blk.0.ffn_up.weight.lora_b",
            "a.tensor.lora_a",
            ".lora_a",
        ] {
            refused(name, Reason::TensorUnknown, false);
        }
        refused("output.weight.lora_a", Reason::TensorUnknown, true);
        refused("token_embd.weight.lora_a", Reason::Unsupported, true);
        refused("blk.0.attn_q.weight", Reason::Unsupported, false);
        refused("blk.0.attn_norm.weight", Reason::Unsupported, false);
        let alone = checked(false, ("blk.0.attn_q.weight.lora_a", 0, [32, 2]), None);
        let missing = "blk.0.attn_q.weight.lora_b".to_owned();
        assert_eq!(alone, Err((Reason::TensorMissing, 0, missing)));
        let pair = ("blk.0.ffn_down.weight.lora_b", [2, 32]);
        let odd = checked(
            false,
            ("blk.0.ffn_down.weight.lora_a", 99, [64, 2]),
            Some(pair),
        );
        let name = "blk.0.ffn_down.weight.lora_a".to_owned();
        assert_eq!(odd, Err((Reason::TensorType, 99, name)));
    }
}
