// SPDX-License-Identifier: GPL-2.0
//! EXAONE 3 (LG AI Research, 2024).

use super::{Architecture, Positions};

/// The architecture.
pub(super) const EXAONE: Architecture = Architecture {
    name: b"exaone",
    positions: Positions::Halves,
    ..Architecture::BASE
};
