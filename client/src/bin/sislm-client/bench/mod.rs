// SPDX-License-Identifier: MIT OR Apache-2.0
//! Measurements of `bench`: tokens per second under the names of llama-bench, or the suite.

mod plot;
mod row;
pub(crate) mod suite;
mod test;

pub(crate) use plot::svg;
pub(crate) use row::Row;
pub(crate) use test::Test;
