// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens per second, in the tests and under the names of llama-bench; and what parts of the module take.

mod plot;
mod row;
pub(crate) mod suite;
mod test;

pub(crate) use plot::svg;
pub(crate) use row::Row;
pub(crate) use test::Test;
