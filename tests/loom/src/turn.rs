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

/// What an open file has used: of no consequence here.
pub(crate) mod meter {
    /// Nothing.
    pub(crate) struct Meter;

    impl Meter {
        /// Nothing yet.
        pub(crate) const fn new() -> Self {
            Self
        }
    }
}

/// A turn.
pub(crate) struct Turn {
    /// Whether it is over.
    pub(crate) over: bool,
}

impl Turn {
    /// An answer.
    pub(crate) fn new(over: bool) -> Box<Self> {
        Box::new(Self { over })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it gives text to a reader: all here do.
    pub(crate) fn gives_text(&self) -> bool {
        true
    }
}
