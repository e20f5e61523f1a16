// SPDX-License-Identifier: GPL-2.0
//! Gemma (Gemma Team, 2024).

use super::{Activation, Architecture, Positions, Scale};

/// The architecture.
pub(super) const GEMMA: Architecture = Architecture {
    name: b"gemma",
    positions: Positions::Halves,
    activation: Activation::Gelu,
    embedding_scale: Scale::RootOfWidth,
    ..Architecture::BASE
};
