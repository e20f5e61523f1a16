// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 with SDOT by element.

use super::loops::blocks256_loops;

blocks256_loops! { feature: "neon,dotprod", dots: dotprod }
