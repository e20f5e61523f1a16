// SPDX-License-Identifier: GPL-2.0
//! OLMo 2 (OLMo Team, 2024), and OLMo 3.

use super::{Architecture, HeadNorm, Norms, Positions, WindowedRotation, Windows};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const OLMO2: Architecture = Architecture {
    name: b"olmo2",
    keys: &[(b"attention.sliding_window_pattern", Rule::Read)],
    norms: Norms::After,
    positions: Positions::Halves,
    windowed_rotation: WindowedRotation::PlainUnscaled,
    head_norm: HeadNorm::Row,
    windows: Windows::AllButOneOf(4),
    ..Architecture::BASE
};
