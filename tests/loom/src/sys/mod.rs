// SPDX-License-Identifier: GPL-2.0
//! The folder of claims.rs: itself, and what it uses.

#[allow(dead_code)] // What the scheduler uses besides.
#[path = "../../../../module/sys/claims.rs"]
pub(crate) mod claims;
pub(crate) mod flight;
pub(crate) mod neon;
pub(crate) mod task;
