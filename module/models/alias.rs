// SPDX-License-Identifier: GPL-2.0
//! An alias: what a name without a version means.

use crate::{
    models::{draw::Draw, name::Name},
    sys::{trace, uapi::TARGETS}, //
};
use kernel::prelude::*;

/// An alias of at least one version.
pub(super) struct Alias {
    /// Its name.
    pub(super) name: Name,
    /// Whether it was set, else it follows the newest version of its name.
    pub(super) pinned: bool,
    /// When it was changed last, and the weights.
    pub(super) draw: Draw,
    /// Numbers of the loads of its versions, then zeroes.
    pub(super) targets: [u64; TARGETS],
}

impl Alias {
    /// Of `name`, following its newest version, once it is told which.
    pub(super) fn following(name: Name) -> Self {
        Self {
            name,
            pinned: false,
            draw: Draw::default(),
            targets: [0; TARGETS],
        }
    }

    /// Whether it gives the model of this load.
    pub(super) fn gives(&self, instance: u64) -> bool {
        self.targets.contains(&instance)
    }

    /// Gives the versions of these loads, weighted, from change `generation` on.
    pub(super) fn give(&mut self, targets: &[(u64, u32)], generation: u64) {
        self.draw = Draw {
            generation,
            ..Draw::default()
        };
        self.targets = [0; TARGETS];
        let places = self.targets.iter_mut().zip(&mut self.draw.weights);
        for ((target, weight), (instance, asked)) in places.zip(targets) {
            (*target, *weight) = (*instance, *asked);
        }
        if self.count() != 0 {
            trace::swap(&self.name.bytes(), generation);
        }
    }

    /// Gives this version no more, from change `generation` on.
    pub(super) fn drop_target(&mut self, instance: u64, generation: u64) {
        let mut left = [(0, 0); TARGETS];
        let pairs = self.targets.iter().zip(&self.draw.weights);
        let others = pairs.filter(|(target, _)| **target != instance && **target != 0);
        for (to, (target, weight)) in left.iter_mut().zip(others) {
            *to = (*target, *weight);
        }
        self.give(&left, generation);
    }

    /// Versions that it gives.
    pub(super) fn count(&self) -> usize {
        self.targets.iter().filter(|target| **target != 0).count()
    }

    /// The load of the version that the file of number `session` is given.
    pub(super) fn target(&self, session: u64) -> Option<u64> {
        self.targets.get(self.draw.slot(session) as usize).copied()
    }
}

#[kunit_tests(sislm_alias)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_leaves_leaves_no_gap() {
        let mut alias = Alias::following(Name::default_model());
        alias.give(&[(7, 1), (8, 2), (9, 3)], 4);
        alias.drop_target(8, 5);
        assert_eq!(alias.targets, [7, 9, 0, 0]);
        assert_eq!(alias.draw.weights, [1, 3, 0, 0]);
        assert_eq!((alias.draw.generation, alias.count()), (5, 2));
        assert!(alias.gives(9) && !alias.gives(8));
    }

    #[test]
    fn all_files_are_given_the_only_version() {
        let mut alias = Alias::following(Name::default_model());
        alias.give(&[(7, 1)], 4);
        assert!((1..100).all(|session| alias.target(session) == Some(7)));
    }
}
