// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a name without a version means.

use crate::name::text_of;
use crate::uapi::{sislm_target, SISLM_ALIAS_SET, SISLM_TARGETS_MAX};
use crate::{draw, ModelName};

/// An alias; the members are those of `struct sislm_alias`.
pub use crate::uapi::sislm_alias as Alias;

impl Alias {
    /// Asks to set `name` to these versions, weighted; to none: to the newest one. None for more than an alias can have.
    pub(crate) fn to_set(name: &ModelName, targets: &[(ModelName, u32)]) -> Option<Self> {
        let mut alias = Self {
            flags: SISLM_ALIAS_SET,
            name: name.to_bytes(),
            count: u32::try_from(targets.len()).ok()?,
            ..Default::default()
        };
        if targets.len() > SISLM_TARGETS_MAX as usize {
            return None;
        }
        for (to, (name, weight)) in alias.targets.iter_mut().zip(targets) {
            *to = sislm_target {
                name: name.to_bytes(),
                weight: *weight,
                pad: 0,
            };
        }
        Some(alias)
    }

    /// Its name.
    pub fn name(&self) -> String {
        text_of(&self.name)
    }

    /// Whether it was set, else it follows the newest version.
    pub fn is_set(&self) -> bool {
        self.pinned != 0
    }

    /// The versions that it gives, NAME@VERSION, and their weights.
    pub fn versions(&self) -> Vec<(String, u32)> {
        let targets = self.targets.iter().take(self.count as usize);
        targets
            .map(|target| (text_of(&target.name), target.weight))
            .collect()
    }

    /// The version that number `session` is given, by its name.
    pub fn drawn(&self, session: u64) -> Option<String> {
        let weights = self.targets.map(|target| target.weight);
        let slot = draw(self.generation, session, weights);
        let (name, _) = self.versions().into_iter().nth(slot as usize)?;
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ModelName {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_set_is_told() {
        let targets = [(name("tiny@1"), 90), (name("tiny@2"), 10)];
        let mut alias = Alias::to_set(&name("prod"), &targets).unwrap();
        assert_eq!((alias.name(), alias.count), ("prod".into(), 2));
        let versions = [("tiny@1".to_owned(), 90), ("tiny@2".to_owned(), 10)];
        assert_eq!(alias.versions(), versions);
        alias.generation = 2;
        assert_eq!(alias.drawn(1).as_deref(), Some("tiny@1"));
        assert_eq!(alias.drawn(18).as_deref(), Some("tiny@2"));
        assert!(Alias::to_set(&name("prod"), &vec![(name("a@1"), 1); 5]).is_none());
    }
}
