// SPDX-License-Identifier: GPL-2.0
//! Domains: between whom the device's time is divided, first between users, then within each.

/// Levels of the tree of domains.
pub(crate) const LEVELS: usize = 4;

/// A domain: the user's id, the cgroup namespace (a container, as a rule), the tenant that the session
/// says it is for, and the class of who asked for the turn, by which it has a weight.
pub(crate) type Path = [u64; LEVELS];

/// In the place of a user's id: whose turns are computed when nobody else's wait.
pub(crate) const LAST: u64 = u64::MAX;
