// SPDX-License-Identifier: GPL-2.0
//! Files of the module as they are compiled into sislm.ko, with every interleaving of a few tasks and
//! every value that the memory model lets them read: claims, offer, channel and link.
//!
//! In the place of the engine is a step whose chunks say what they need: loom reports two accesses to
//! one cell that no ordering separates, and tasks that all wait.

#[cfg(test)]
#[allow(dead_code)] // What sessions use besides.
#[path = "../../../module/channel.rs"]
mod channel;
#[cfg(test)]
mod channel_tests;
#[cfg(test)]
#[allow(dead_code)] // What the scheduler uses besides.
#[path = "../../../module/link.rs"]
mod link;
#[cfg(test)]
#[path = "../../../module/offer.rs"]
mod offer;
#[cfg(test)]
mod offer_tests;
#[cfg(test)]
#[path = "../../../module/ring.rs"]
mod ring;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod sys;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod turn;
#[cfg(test)]
mod users;
