// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers by a grammar: which tokens may come next.

mod allowed;
mod calls;
mod grammar;
mod tokens;
mod turn;

pub use allowed::{Allowed, Guide};
pub use grammar::{Grammar, GrammarError};
pub use tokens::GrammarTokens;
pub use turn::{Guidance, GuidedTurn, Likely, Token};
