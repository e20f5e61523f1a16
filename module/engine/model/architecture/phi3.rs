// SPDX-License-Identifier: GPL-2.0
//! Phi-3 (Abdin et al., 2024), and Phi-4.

use super::{Architecture, Gate, Positions};
use crate::model::part::Part;

/// The architecture.
pub(super) const PHI3: Architecture = Architecture {
    name: b"phi3",
    names: &[(b"ffn_up.weight", Part::GateUp)],
    positions: Positions::Halves,
    gate: Gate::Fused,
    ..Architecture::BASE
};
