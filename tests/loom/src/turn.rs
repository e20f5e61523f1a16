// SPDX-License-Identifier: GPL-2.0
//! Turns without a model.

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
