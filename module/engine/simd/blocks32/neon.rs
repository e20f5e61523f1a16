// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 with SMULL and SMLAL.

use self::add_unpacked as add;
use super::loops::blocks32_loops;

blocks32_loops! { feature: "neon", dots: neon }
