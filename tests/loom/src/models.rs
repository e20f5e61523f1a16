// SPDX-License-Identifier: GPL-2.0
//! What models are loaded with.

#[path = "../../../module/models/offer.rs"]
pub(crate) mod offer;
