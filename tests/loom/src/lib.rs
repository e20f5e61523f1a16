// SPDX-License-Identifier: GPL-2.0
//! The claims of the module, `module/sys/claims.rs` as it is compiled into sislm.ko, with every
//! interleaving of a few tasks and every value that the memory model lets them read.
//!
//! In the place of the engine is a step whose chunks say what they need: loom reports two accesses to
//! one cell that no ordering separates.

#[cfg(test)]
mod sys;
#[cfg(test)]
mod tests;
