// SPDX-License-Identifier: GPL-2.0
//! The experts of a model's feed-forward networks: how many, and how wide.

use crate::gguf::Refusal;
use crate::model::keys::ModelKeys;
use crate::model::number::COLUMNS_MAX;
use crate::model::number::Range;

/// Most experts of a layer.
const EXPERTS_MAX: u32 = 512;
/// Most experts that a row goes through.
const EXPERTS_USED_MAX: u32 = 32;

/// Numbers of experts, and their widths; all 0 without experts.
#[derive(Clone, Copy, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Experts {
    /// Experts of a layer.
    pub count: u32,
    /// Experts that a row goes through.
    pub used: u32,
    /// Width of the hidden layer of an expert.
    pub hidden: u32,
    /// Width of the hidden layer of the shared expert; 0 without one.
    pub shared: u32,
}

impl Experts {
    /// The experts of a model with `layers` layers, whose hidden layers are `hidden` wide unless a key
    /// says otherwise.
    ///
    /// # Errors
    ///
    /// A key that is missing or out of range.
    pub fn new(keys: &ModelKeys<'_>, layers: u32, hidden: u32) -> Result<Experts, Refusal> {
        let number = |suffix, most| Range::new(suffix, most);
        let count = keys.name(b"expert_count");
        let count = keys.all().u32(count.bytes())?.unwrap_or(0);
        let Some(kind) = keys.architecture().experts.filter(|_| count != 0) else {
            return Ok(Experts::default());
        };
        let count = number(b"expert_count", EXPERTS_MAX).required(keys, None)?;
        let used = number(b"expert_used_count", count.min(EXPERTS_USED_MAX));
        let own = number(b"expert_feed_forward_length", COLUMNS_MAX);
        let shared = number(b"expert_shared_feed_forward_length", COLUMNS_MAX);
        let shared = match kind.shared {
            true => shared.optional(keys, Some(layers))?.unwrap_or(0),
            false => 0,
        };
        Ok(Experts {
            count,
            used: used.required(keys, None)?,
            hidden: own.optional(keys, Some(layers))?.unwrap_or(hidden),
            shared,
        })
    }
}
