// SPDX-License-Identifier: GPL-2.0
//! What models are loaded with.

#[allow(dead_code)] // What the loader uses besides.
#[path = "../../../module/models/offer.rs"]
pub(crate) mod offer;
