// SPDX-License-Identifier: GPL-2.0
//! Heads of attention, their keys and values, and the size of each.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::keys::ModelKeys;
use crate::model::number::Range;

/// Most dimensions of a head.
pub const HEAD_SIZE_MAX: u32 = 1024;

/// What the keys of a model say of its heads.
pub struct Heads {
    /// Query heads.
    pub heads: u32,
    /// Key and value heads, of which `heads` is a multiple.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
    /// Dimensions of a head that rotate, even.
    pub rotated: u32,
}

impl Heads {
    /// The heads of a model with `layers` layers and rows of `embedding` values; all of them
    /// together have at most `columns` dimensions.
    ///
    /// # Errors
    ///
    /// A number that is missing, out of range or does not go with another.
    pub fn new(
        keys: &ModelKeys<'_>,
        layers: Option<u32>,
        embedding: u32,
        columns: u32,
    ) -> Result<Self, Refusal> {
        let count = Range::new(b"attention.head_count", embedding);
        let heads = count.required(keys, layers)?;
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
        let all = heads.saturating_mul(head_size);
        count.check(all <= columns, all, keys)?;
        let values = Range::new(b"attention.value_length", HEAD_SIZE_MAX);
        let value_length = values.optional(keys, layers)?.unwrap_or(head_size);
        if value_length != head_size {
            let name = keys.name(b"attention.value_length");
            let name = name.bytes();
            return Err(Refusal::new(Reason::Unsupported, value_length.into(), name));
        }
        let kv = Range::new(b"attention.head_count_kv", heads);
        let kv_heads = kv.optional(keys, layers)?.unwrap_or(heads);
        kv.check(heads.checked_rem(kv_heads) == Some(0), kv_heads, keys)?;
        let rotated = if keys.architecture().rotates() {
            rotated(keys, layers, head_size)?
        } else {
            0
        };
        Ok(Self {
            heads,
            kv_heads,
            head_size,
            rotated,
        })
    }
}

/// Dimensions of a head that rotate.
fn rotated(keys: &ModelKeys<'_>, layers: Option<u32>, head_size: u32) -> Result<u32, Refusal> {
    let range = Range::new(b"rope.dimension_count", head_size);
    let rotated = range.optional(keys, layers)?.unwrap_or(head_size);
    let even = rotated.is_multiple_of(2) && head_size.is_multiple_of(2);
    range.check(even, rotated, keys)?;
    Ok(rotated)
}
