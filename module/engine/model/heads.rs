// SPDX-License-Identifier: GPL-2.0
//! Heads of attention, their keys and values, and the size of each.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::architecture::Mixing;
use crate::model::keys::ModelKeys;
use crate::model::layer_shape::LayerShape;
use crate::model::number::HEAD_SIZE_MAX;
use crate::model::number::PerLayer;
use crate::model::number::Range;
use crate::model::windows::Window;

/// What the keys of a model say of its heads: the largest numbers of any layer.
pub struct Heads {
    /// Query heads.
    pub heads: u32,
    /// Key and value heads.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
    /// Dimensions of a head that rotate, even.
    pub rotated: u32,
}

impl Heads {
    /// The heads of a model with rows of `embedding` values, and those of each of its `shapes`; all
    /// of a layer together have at most `columns` dimensions.
    ///
    /// # Errors
    ///
    /// A number that is missing, out of range or does not go with another.
    pub fn new(
        keys: &ModelKeys<'_>,
        embedding: u32,
        columns: u32,
        shapes: &mut [LayerShape],
    ) -> Result<Self, Refusal> {
        // CAST: At most LAYERS_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let layers = shapes.len() as u32;
        let count = Range::new(b"attention.head_count", embedding);
        let numbers = count.of_layers(keys, layers)?;
        let numbers = numbers.ok_or_else(|| count.missing(keys))?;
        let heads = (0..layers).map(|layer| numbers.of(layer)).max();
        let heads = heads.unwrap_or(1);
        let layers = Some(layers);
        let size = Range::new(b"attention.key_length", HEAD_SIZE_MAX);
        let head_size = match size.optional(keys, layers)? {
            Some(size) => size,
            None => {
                count.check(embedding.checked_rem(heads) == Some(0), heads, keys)?;
                let size_of_each = embedding.checked_div(heads).unwrap_or(0);
                size.check(size_of_each <= HEAD_SIZE_MAX, size_of_each, keys)?;
                size_of_each
            }
        };
        let gated = keys.architecture().gated_queries;
        let all = heads.saturating_mul(head_size);
        let all = all.saturating_mul(1 + u32::from(gated));
        // What latent attention compares is no input of a matrix.
        let latent = keys.architecture().mixing == Mixing::Latent;
        count.check(latent || all <= columns, all, keys)?;
        let values = Range::new(b"attention.value_length", HEAD_SIZE_MAX);
        let value_length = values.optional(keys, layers)?.unwrap_or(head_size);
        if value_length != head_size && !latent {
            let name = keys.name(b"attention.value_length");
            let name = name.bytes();
            return Err(Refusal::new(Reason::Unsupported, value_length.into(), name));
        }
        let rotated = if keys.architecture().rotates() {
            rotated(keys, layers, head_size)?
        } else {
            0
        };
        let mut largest = Self {
            heads,
            kv_heads: 0,
            head_size,
            rotated,
        };
        largest.fill(keys, numbers, shapes)?;
        Ok(largest)
    }

    /// Gives each of `shapes` its heads, of which it has as many as `numbers` say.
    fn fill(
        &mut self,
        keys: &ModelKeys<'_>,
        numbers: PerLayer<'_>,
        shapes: &mut [LayerShape],
    ) -> Result<(), Refusal> {
        let without = keys.architecture().mixing == Mixing::ConvolutionOrAttention;
        let least = if without { 0 } else { 1 };
        let kv = Range::from(b"attention.head_count_kv", least, self.heads);
        // CAST: At most LAYERS_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let layers = shapes.len() as u32;
        let kv_numbers = kv.of_layers(keys, layers)?.unwrap_or(numbers);
        let gated = keys.architecture().gated_queries;
        let query_stride = self.head_size.saturating_mul(1 + u32::from(gated));
        for (layer, shape) in (0..).zip(shapes) {
            let (heads, kv_heads) = (numbers.of(layer), kv_numbers.of(layer));
            let fits = kv_heads == 0 || heads.checked_rem(kv_heads) == Some(0);
            kv.check(fits, kv_heads, keys)?;
            *shape = LayerShape {
                heads,
                kv_heads,
                head_size: self.head_size,
                query_stride,
                rotated: self.rotated,
                ..*shape
            };
            self.kv_heads = self.kv_heads.max(kv_heads);
        }
        Ok(())
    }
}

/// Gives the layers with a window heads of their own size, where keys say one; the dimensions of these
/// that rotate, `None` where all heads are of one size.
///
/// # Errors
///
/// A number that is out of range or does not go with another.
pub fn windowed(
    keys: &ModelKeys<'_>,
    window: &Window,
    heads: &Heads,
    columns: u32,
    shapes: &mut [LayerShape],
) -> Result<Option<u32>, Refusal> {
    const SIZE: &[u8] = b"attention.key_length_swa";
    if !keys.reads(SIZE) {
        return Ok(None);
    }
    let size = Range::new(SIZE, HEAD_SIZE_MAX);
    let own = size.optional(keys, None)?.unwrap_or(heads.head_size);
    size.check(heads.heads.saturating_mul(own) <= columns, own, keys)?;
    let values = Range::new(b"attention.value_length_swa", HEAD_SIZE_MAX);
    let value_length = values.optional(keys, None)?.unwrap_or(own);
    values.check(value_length == own, value_length, keys)?;
    let rotated = Range::new(b"rope.dimension_count_swa", own);
    let turns = rotated.optional(keys, None)?.unwrap_or(own);
    let even = turns.is_multiple_of(2) && own.is_multiple_of(2);
    rotated.check(even, turns, keys)?;
    for (layer, shape) in (0..).zip(shapes) {
        if window.has(layer) {
            (shape.head_size, shape.query_stride, shape.rotated) = (own, own, turns);
        }
    }
    Ok(Some(turns))
}

/// Lets the last layers use keys and values of layers before them, where a key says so: of the last one
/// with a window, or of the last one without, as they have one themselves.
///
/// # Errors
///
/// There is no such layer, or its heads are others.
pub fn share(
    keys: &ModelKeys<'_>,
    window: &Window,
    shapes: &mut [LayerShape],
) -> Result<(), Refusal> {
    const SHARED: &[u8] = b"attention.shared_kv_layers";
    if !keys.reads(SHARED) {
        return Ok(());
    }
    // CAST: At most LAYERS_MAX.
    #[expect(clippy::cast_possible_truncation)]
    let layers = shapes.len() as u32;
    let number = Range::from(SHARED, 0, layers.saturating_sub(1));
    let shared = number.optional(keys, None)?.unwrap_or(0);
    let first = layers.saturating_sub(shared);
    for layer in first..layers {
        let back = if window.has(layer) { 2 } else { 1 };
        let lender = first.saturating_sub(back);
        let source = shapes
            .get(lender as usize)
            .copied()
            .unwrap_or(LayerShape::NONE);
        let Some(own) = shapes.get_mut(layer as usize) else {
            continue;
        };
        let fits = first >= back
            && window.has(lender) == window.has(layer)
            && source.head_size == own.head_size
            && own.heads.checked_rem(source.kv_heads) == Some(0);
        number.check(fits, shared, keys)?;
        (own.shares, own.lender, own.kv_heads) = (true, lender, source.kv_heads);
    }
    Ok(())
}

/// Dimensions of a head that rotate.
fn rotated(keys: &ModelKeys<'_>, layers: Option<u32>, head_size: u32) -> Result<u32, Refusal> {
    let range = Range::new(b"rope.dimension_count", head_size);
    let rotated = range.optional(keys, layers)?.unwrap_or(head_size);
    let even = rotated.is_multiple_of(2) && head_size.is_multiple_of(2);
    range.check(even, rotated, keys)?;
    Ok(rotated)
}
