// SPDX-License-Identifier: GPL-2.0
//! Stop strings, as far as a channel knows of them.

/// Room that text of another token needs.
pub(crate) const HELD_MAX: usize = 2;
