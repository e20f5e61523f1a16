// SPDX-License-Identifier: GPL-2.0
//! Turns without a model, and the files they go back to.

#[allow(dead_code)] // What sessions use besides.
#[path = "../../../module/turn/channel.rs"]
pub(crate) mod channel;
#[allow(dead_code)] // What the scheduler uses besides.
#[path = "../../../module/turn/link.rs"]
pub(crate) mod link;
#[path = "../../../module/turn/ring.rs"]
pub(crate) mod ring;
#[allow(dead_code)] // What turns use.
#[path = "../../../module/turn/sink.rs"]
pub(crate) mod sink;
mod stop;

/// What a turn is for.
pub(crate) enum Aim {
    /// Answering a prompt.
    Generate(()),
}

/// A turn.
pub(crate) struct Turn {
    /// What it is for.
    pub(crate) aim: Aim,
    /// Whether it is over.
    pub(crate) over: bool,
}

impl Turn {
    /// An answer.
    pub(crate) fn new(over: bool) -> Box<Self> {
        let aim = Aim::Generate(());
        Box::new(Self { aim, over })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }
}
