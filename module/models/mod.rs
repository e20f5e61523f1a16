// SPDX-License-Identifier: GPL-2.0
//! Models: loaded, named, and counted by who uses them.

mod cost;
pub(crate) mod loaded;
pub(crate) mod loader;
pub(crate) mod metadata;
pub(crate) mod model;
pub(crate) mod name;
pub(crate) mod offer;
pub(crate) mod pace;
pub(crate) mod registry;
pub(crate) mod source;
pub(crate) mod workspace;
