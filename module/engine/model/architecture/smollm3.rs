// SPDX-License-Identifier: GPL-2.0
//! SmolLM3 (Hugging Face, 2025).

use super::{Architecture, Unrotated};

/// The architecture.
pub(super) const SMOLLM3: Architecture = Architecture {
    name: b"smollm3",
    unrotated: Unrotated::EveryFourth,
    ..Architecture::BASE
};
