// SPDX-License-Identifier: GPL-2.0
//! Which layers mix positions otherwise than by attention, and the numbers of those.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::architecture::Mixing;
use crate::model::keys::ModelKeys;
use crate::model::latent::Latent;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Mixer;
use crate::model::number::HEAD_SIZE_MAX;
use crate::model::number::Range;

/// Most positions that a convolution spans.
const TAPS_MAX: u32 = 16;

/// Positions that the convolutions of a model span; 0 without any.
///
/// # Errors
///
/// A number that is missing or out of range.
pub fn taps(keys: &ModelKeys<'_>) -> Result<u32, Refusal> {
    let suffix: &[u8] = match keys.architecture().mixing {
        Mixing::Attention | Mixing::Latent => return Ok(0),
        Mixing::ConvolutionOrAttention => b"shortconv.l_cache",
        Mixing::DeltaOrAttention(_) => b"ssm.conv_kernel",
    };
    Range::new(suffix, TAPS_MAX).required(keys, None)
}

/// Says of each of `shapes`, which have their heads of attention, what mixes its positions, in a
/// model with rows of `embedding` values; a mixer projects at most `columns` columns, and latent
/// attention has `sizes`.
///
/// # Errors
///
/// A number that is missing, out of range or does not go with another.
pub fn fill(
    keys: &ModelKeys<'_>,
    embedding: u32,
    columns: u32,
    sizes: &Latent,
    shapes: &mut [LayerShape],
) -> Result<(), Refusal> {
    match keys.architecture().mixing {
        Mixing::Attention => {}
        Mixing::Latent => latent(keys, columns, sizes, shapes)?,
        Mixing::ConvolutionOrAttention => convolution(embedding, shapes),
        Mixing::DeltaOrAttention(usual) => delta(keys, columns, usual, shapes)?,
    }
    Ok(())
}

/// Makes those of `shapes` without heads convolutions.
fn convolution(embedding: u32, shapes: &mut [LayerShape]) {
    let convolution = LayerShape {
        mixer: Mixer::Convolution,
        convolved: embedding,
        ..LayerShape::NONE
    };
    for shape in shapes.iter_mut().filter(|shape| shape.kv_heads == 0) {
        *shape = convolution;
    }
}

/// Makes all of `shapes` latent.
#[inline(never)]
fn latent(
    keys: &ModelKeys<'_>,
    columns: u32,
    sizes: &Latent,
    shapes: &mut [LayerShape],
) -> Result<(), Refusal> {
    let size = Range::new(b"attention.key_length", HEAD_SIZE_MAX);
    let key = Range::new(b"attention.key_length_mla", HEAD_SIZE_MAX);
    let count = Range::new(b"attention.head_count", columns);
    let kv = Range::new(b"attention.head_count_kv", 1);
    for shape in shapes {
        // Files from before this attention was kept as one row have as many as heads.
        kv.check(shape.kv_heads == 1, shape.kv_heads, keys)?;
        let whole = sizes.rank.checked_add(shape.rotated);
        size.check(whole == Some(shape.head_size), shape.head_size, keys)?;
        key.check(sizes.key > shape.rotated, sizes.key, keys)?;
        let largest = sizes.key.max(sizes.value);
        let all = shape.heads.saturating_mul(largest);
        count.check(all <= columns, shape.heads, keys)?;
        shape.mixer = Mixer::Latent;
        (shape.key_size, shape.value_size) = (sizes.key, sizes.value);
    }
    Ok(())
}

/// Gives all of `shapes` a delta rule, but every so many, `usual` ones unless the file says another number.
#[inline(never)]
fn delta(
    keys: &ModelKeys<'_>,
    columns: u32,
    usual: u32,
    shapes: &mut [LayerShape],
) -> Result<(), Refusal> {
    let interval = Range::new(b"full_attention_interval", u32::MAX);
    let interval = interval.optional(keys, None)?.unwrap_or(usual);
    let number = |suffix, most| Range::new(suffix, most).required(keys, None);
    let size = number(b"ssm.state_size", HEAD_SIZE_MAX)?;
    let heads = number(b"ssm.time_step_rank", columns)?;
    let groups = Range::new(b"ssm.group_count", heads);
    let kv_heads = groups.required(keys, None)?;
    groups.check(heads.checked_rem(kv_heads) == Some(0), kv_heads, keys)?;
    let inner = Range::new(b"ssm.inner_size", columns);
    let values = inner.required(keys, None)?;
    inner.check(heads.checked_mul(size) == Some(values), values, keys)?;
    let both = kv_heads.saturating_mul(size).saturating_mul(2);
    let convolved = both.saturating_add(values);
    if convolved > columns {
        let name = keys.name(b"ssm.inner_size");
        return Err(Refusal::new(Reason::Limit, convolved.into(), name.bytes()));
    }
    let delta = LayerShape {
        mixer: Mixer::Delta,
        heads,
        kv_heads,
        head_size: size,
        query_stride: size,
        convolved,
        ..LayerShape::NONE
    };
    for (number, shape) in (1u32..).zip(shapes) {
        if number.checked_rem(interval) != Some(0) {
            *shape = delta;
        }
    }
    Ok(())
}
