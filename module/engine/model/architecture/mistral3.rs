// SPDX-License-Identifier: GPL-2.0
//! Mistral Small 3 and Ministral 3 (Mistral AI, 2025).

use super::Architecture;
use crate::model::rule::Rule;

/// The architecture.
pub(super) const MISTRAL3: Architecture = Architecture {
    name: b"mistral3",
    keys: &[
        (b"attention.temperature_scale", Rule::Read),
        (b"rope.scaling.yarn_beta_fast", Rule::Read),
        (b"rope.scaling.yarn_beta_slow", Rule::Read),
        (b"rope.scaling.yarn_log_multiplier", Rule::Read),
    ],
    ..Architecture::BASE
};
