// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 with SMULL and SMLAL.

use self::add_unpacked as add;
use super::loops::blocks256_loops;

blocks256_loops! { feature: "neon", dots: neon }
