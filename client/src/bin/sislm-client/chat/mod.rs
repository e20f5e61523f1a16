// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation on the terminal.

mod conversation;
mod interrupt;
mod lines;
mod order;
mod talk;

pub(crate) use interrupt::TurnInterrupt;
pub(crate) use lines::{printable, Lines};
pub(crate) use order::{Order, HELP};
pub(crate) use talk::Talk;
