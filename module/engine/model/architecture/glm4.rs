// SPDX-License-Identifier: GPL-2.0
//! GLM-4 (GLM Team, 2024).

use super::{Architecture, Gate, Norms};
use crate::model::part::Part;

/// The architecture.
pub(super) const GLM4: Architecture = Architecture {
    name: b"glm4",
    names: &[(b"ffn_up.weight", Part::GateUp)],
    norms: Norms::Around,
    gate: Gate::Fused,
    ..Architecture::BASE
};
