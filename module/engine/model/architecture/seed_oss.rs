// SPDX-License-Identifier: GPL-2.0
//! Seed-OSS (ByteDance, 2025).

use super::{Architecture, Positions};
use crate::model::part::Part;

/// The architecture.
pub(super) const SEED_OSS: Architecture = Architecture {
    name: b"seed_oss",
    names: &[(b"post_attention_norm.weight", Part::FeedForwardNorm)],
    positions: Positions::Halves,
    ..Architecture::BASE
};
