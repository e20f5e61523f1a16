// SPDX-License-Identifier: GPL-2.0
//! Files of the module as they are compiled into sislm.ko, with every interleaving of a few tasks and
//! every value that the memory model lets them read: claims, offer, channel and link.
//!
//! In the place of the engine is a step whose chunks say what they need: loom reports two accesses to
//! one cell that no ordering separates, and tasks that all wait.

#[cfg(test)]
mod channel_tests;
#[cfg(test)]
mod models;
#[cfg(test)]
mod offer_tests;
#[cfg(test)]
mod records;
#[cfg(test)]
mod sys;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turn;
#[cfg(test)]
mod users;
