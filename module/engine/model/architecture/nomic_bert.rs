// SPDX-License-Identifier: GPL-2.0
//! nomic-bert (Nussbaum et al., 2024): BERT with rotated positions and SwiGLU.

use super::{Activation, Architecture, Gate, Positions, bert};

/// The architecture.
pub(super) const NOMIC_BERT: Architecture = Architecture {
    name: b"nomic-bert",
    positions: Positions::Halves,
    activation: Activation::Silu,
    gate: Gate::Separate,
    ..bert::BERT
};
