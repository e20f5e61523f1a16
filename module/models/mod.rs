// SPDX-License-Identifier: GPL-2.0
//! Models: loaded, named, and counted by who uses them.

mod alias;
pub(crate) mod alike;
pub(crate) mod backlog;
pub(crate) mod choice;
mod cost;
pub(crate) mod draw;
pub(crate) mod loaded;
pub(crate) mod loader;
pub(crate) mod metadata;
pub(crate) mod model;
pub(crate) mod name;
mod numbers;
pub(crate) mod offer;
pub(crate) mod pace;
pub(crate) mod registry;
pub(crate) mod shadow;
mod shadowing;
pub(crate) mod shelf;
pub(crate) mod source;
pub(crate) mod vocabulary;
pub(crate) mod workspace;
