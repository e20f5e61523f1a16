// SPDX-License-Identifier: GPL-2.0
//! Numbers of the experts of a feed-forward network.

use crate::gguf::Refusal;
use crate::model::architecture::ExpertWeights;
use crate::model::keys::ModelKeys;
use crate::model::number::COLUMNS_MAX;
use crate::model::number::Range;
use crate::model::number::float;

/// Most experts of a layer.
const EXPERTS_MAX: u32 = 512;
/// Most experts that a row goes through.
pub const EXPERTS_USED_MAX: u32 = 32;
/// Most groups of experts.
pub const GROUPS_MAX: u32 = 32;

/// Numbers of experts, and their widths; all 0 without experts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Experts {
    /// Experts of a layer.
    pub count: u32,
    /// Experts that a row goes through.
    pub used: u32,
    /// Width of the hidden layer of an expert.
    pub hidden: u32,
    /// Width of the hidden layer of the shared expert; 0 without one.
    pub shared: u32,
    /// Layers before the first with experts.
    pub dense: u32,
    /// How they are chosen and weighed, where keys say it.
    pub told: Told,
}

/// What keys say of the choice of experts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Whether the router gives sigmoids, else the softmax of its scores.
    pub sigmoid: bool,
    /// Whether weights are divided by their sum.
    pub normalized: bool,
    /// What multiplies weights.
    pub scale: f32,
    /// Groups of experts, which divide their number.
    pub groups: u32,
    /// Groups that experts are chosen from.
    pub groups_used: u32,
}

impl Experts {
    /// Those of a model with `layers` layers, whose networks are `hidden` wide where keys do not say
    /// how wide an expert is.
    ///
    /// # Errors
    ///
    /// A number that is missing or out of range.
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
        let own = own.optional(keys, Some(layers))?.unwrap_or(hidden);
        let shared = number(b"expert_shared_feed_forward_length", COLUMNS_MAX);
        Ok(Experts {
            count,
            used: used.required(keys, None)?,
            hidden: own,
            shared: match kind.shared {
                true => shared.optional(keys, Some(layers))?.unwrap_or(0),
                false => 0,
            },
            ..Experts::default()
        })
    }

    /// Reads what keys say of the choice, the shared experts and the layers before the first, where
    /// they do. Apart from [`Experts::new`], for the stack.
    ///
    /// # Errors
    ///
    /// A number that is out of range.
    #[inline(never)]
    pub fn tell(&mut self, keys: &ModelKeys<'_>, layers: u32) -> Result<(), Refusal> {
        let kind = keys.architecture().experts.filter(|_| self.count != 0);
        if kind.is_none_or(|kind| kind.weights != ExpertWeights::Told) {
            return Ok(());
        }
        let from_zero = |suffix, most| Range::from(suffix, 0, most).optional(keys, None);
        let shared = Range::from(b"expert_shared_count", 0, EXPERTS_MAX);
        let count = shared.optional(keys, None)?.unwrap_or(0);
        // They are one network, as wide as all of them.
        self.shared = self.hidden.saturating_mul(count);
        shared.check(self.shared <= COLUMNS_MAX, count, keys)?;
        self.dense = from_zero(b"leading_dense_block_count", layers)?.unwrap_or(0);
        let gating = from_zero(b"expert_gating_func", 2)?.unwrap_or(0);
        let groups = Range::from(b"expert_group_count", 0, GROUPS_MAX);
        let number = groups.optional(keys, None)?.unwrap_or(0).max(1);
        groups.check(self.count.checked_rem(number) == Some(0), number, keys)?;
        let groups_used = from_zero(b"expert_group_used_count", number)?.unwrap_or(0);
        let normalized = keys.name(b"expert_weights_norm");
        let scale = float(keys, b"expert_weights_scale", true)?;
        self.told = Told {
            sigmoid: gating == 2,
            normalized: keys.all().bool(normalized.bytes())?.unwrap_or(false),
            scale: scale.filter(|&scale| scale != 0.0).unwrap_or(1.0),
            groups: number,
            groups_used: if groups_used == 0 {
                number
            } else {
                groups_used
            },
        };
        Ok(())
    }
}
