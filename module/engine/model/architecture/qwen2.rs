// SPDX-License-Identifier: GPL-2.0
//! Qwen2 (Yang et al., 2024), and Qwen2.5.

use super::{Architecture, Positions};

/// The architecture.
pub(super) const QWEN2: Architecture = Architecture {
    name: b"qwen2",
    positions: Positions::Halves,
    ..Architecture::BASE
};
