// SPDX-License-Identifier: GPL-2.0
//! Qwen3 (Yang et al., 2025).

use super::{Architecture, HeadNorm, Positions};

/// The architecture.
pub(super) const QWEN3: Architecture = Architecture {
    name: b"qwen3",
    positions: Positions::Halves,
    head_norm: HeadNorm::Head,
    ..Architecture::BASE
};
