// SPDX-License-Identifier: GPL-2.0
//! LFM2 (Liquid AI, 2025).

use super::{Architecture, HeadNorm, Mixing, Positions};
use crate::model::part::Part;
use crate::model::rule::Rule;

/// The architecture.
pub(super) const LFM2: Architecture = Architecture {
    name: b"lfm2",
    keys: &[(b"shortconv.l_cache", Rule::Read)],
    names: &[
        (b"token_embd_norm.weight", Part::OutputNorm),
        // Files of the first days.
        (b"output_norm.weight", Part::OutputNorm),
    ],
    mixing: Mixing::ConvolutionOrAttention,
    positions: Positions::Halves,
    head_norm: HeadNorm::Head,
    ..Architecture::BASE
};
