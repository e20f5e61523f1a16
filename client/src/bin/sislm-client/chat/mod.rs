// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation on the terminal.

mod conversation;
mod interrupt;
mod lines;
mod order;
mod talk;

pub use interrupt::TurnInterrupt;
pub use lines::{printable, Lines};
pub use order::{Order, HELP};
pub use talk::Talk;
