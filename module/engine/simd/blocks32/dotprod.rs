// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 with SDOT by element.

use super::loops::blocks32_loops;

blocks32_loops! { feature: "neon,dotprod", dots: dotprod }
