// SPDX-License-Identifier: GPL-2.0
//! Command R (Cohere, 2024).

use super::{Architecture, Branches, Norm, Scale};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const COMMAND_R: Architecture = Architecture {
    name: b"command-r",
    keys: &[(b"logit_scale", Rule::Read)],
    norm: Norm::Layer,
    branches: Branches::Parallel,
    logit_scale: Scale::Key(b"logit_scale", 1.0),
    ..Architecture::BASE
};
