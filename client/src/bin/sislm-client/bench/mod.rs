// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens per second, in the tests and under the names of llama-bench.

mod plot;
mod row;
mod test;

pub(crate) use plot::svg;
pub(crate) use row::Row;
pub(crate) use test::Test;
