// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the module counts, for a collector of OpenTelemetry.

mod collector;
mod names;
mod request;

pub(crate) use collector::Collector;
pub(crate) use request::request;
