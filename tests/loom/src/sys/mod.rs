// SPDX-License-Identifier: GPL-2.0
//! claims.rs, and what the modelled files use of its folder.

#[allow(dead_code)] // What the scheduler uses besides.
#[path = "../../../../module/sys/claims.rs"]
pub(crate) mod claims;
pub(crate) mod cpu;
pub(crate) mod flight;
pub(crate) mod memory;
pub(crate) mod neon;
pub(crate) mod piece;
pub(crate) mod task;
pub(crate) mod wait;
