// SPDX-License-Identifier: GPL-2.0
//! GGUF version 2 and 3: the header of a model file.
//!
//! Source: the GGUF specification (ggml, docs/gguf.md). Every byte is taken as an attacker's. Each
//! length is checked against the file before it is used, and each count has a cap. Reading stops
//! where the part of the file that is in memory stops ([`Progress::Short`]).

pub(crate) mod cells;
mod cursor;
pub(crate) mod hash;
mod keys;
mod order;
mod parser;
mod refusal;
mod span;
mod table;
mod tensor;
#[cfg(test)]
pub(crate) mod testing;
mod value;

pub(crate) use cursor::{Cursor, Stop};
pub use keys::Keys;
pub use parser::{FIXED_BYTES, Parser, Progress};
pub(crate) use refusal::printable;
pub use refusal::{Detail, Reason, Refusal};
pub use span::{Array, Span};
pub use table::Tensors;
pub use tensor::{TensorInfo, type_size};
pub use value::Kind;
pub(crate) use value::Value;
