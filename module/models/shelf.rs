// SPDX-License-Identifier: GPL-2.0
//! What the registry's lock guards: the models, loaded and being loaded, and what their names mean.
//!
//! Nothing here sleeps or takes memory.

use crate::{
    models::{
        alias::Alias,
        draw::Draw,
        model::{Content, Model},
        name::{Name, Wanted},
        numbers::Numbers,
        shadow::Shadow,
    },
    sys::uapi::SISLM_SHADOWS_MAX,
};
use kernel::{
    prelude::*,
    sync::{atomic::Atomic, Arc}, //
};

/// Most aliases that are set.
const PINNED_MAX: usize = 64;

/// Most shadows: as many as are set, and those that have ended and not left yet.
const SHADOWS_MAX: usize = 2 * SISLM_SHADOWS_MAX as usize;

/// How far a load is.
pub(crate) struct LoadProgress {
    /// Bytes read.
    pub(crate) done: Atomic<u64>,
    /// Bytes of the file.
    pub(crate) total: u64,
}

/// A model, or one to be.
pub(super) enum State {
    /// It is being loaded.
    Loading(Arc<LoadProgress>),
    /// It is there.
    Loaded(Arc<Model>),
}

/// A version of a name.
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) version: u32,
    pub(super) state: State,
    /// No file begins to use it, and it goes with the last one that does.
    pub(super) leaving: bool,
}

/// What is no longer on the shelf; freeing it takes long.
pub(super) type Removed = (Option<Entry>, Option<Arc<Content>>);

/// The versions in the order of their loads, and the aliases.
pub(super) struct Shelf {
    pub(super) entries: KVec<Entry>,
    pub(super) aliases: KVec<Alias>,
    pub(super) numbers: Numbers,
    /// In no order; those that have ended leave soon.
    pub(super) shadows: KVec<Arc<Shadow>>,
    /// Changes of aliases.
    generation: u64,
}

impl Entry {
    /// The model, when it is loaded.
    pub(super) fn model(&self) -> Option<&Arc<Model>> {
        match &self.state {
            State::Loaded(model) => Some(model),
            State::Loading(_) => None,
        }
    }

    /// The model, when files may begin to use it.
    pub(super) fn present(&self) -> Option<&Arc<Model>> {
        self.model().filter(|_| !self.leaving)
    }
}

impl Shelf {
    /// With room for `most` models.
    pub(super) fn new(most: usize) -> Result<Self> {
        Ok(Self {
            entries: KVec::with_capacity(most, GFP_KERNEL)?,
            // Those that follow are of a model each.
            aliases: KVec::with_capacity(most.saturating_add(PINNED_MAX), GFP_KERNEL)?,
            numbers: Numbers::new()?,
            shadows: KVec::with_capacity(SHADOWS_MAX, GFP_KERNEL)?,
            generation: 0,
        })
    }

    /// The alias of that name.
    pub(super) fn alias(&self, name: Name) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.name == name)
    }

    /// The version of load `instance`.
    pub(super) fn of_load(&self, instance: u64) -> Option<&Entry> {
        let is = |entry: &&Entry| {
            entry
                .model()
                .is_some_and(|model| model.instance == instance)
        };
        self.entries.iter().find(is)
    }

    /// A version by its number, also one that is leaving.
    pub(super) fn version(&self, name: Name, version: u32) -> Option<&Entry> {
        let is = |entry: &&Entry| entry.name == name && entry.version == version;
        self.entries.iter().find(is)
    }

    /// What `wanted` means to the file of number `session`: the version, and how it was drawn.
    pub(super) fn meant(&self, wanted: Wanted, session: u64) -> Option<(&Entry, Draw)> {
        match wanted.version {
            Some(version) => Some((self.version(wanted.name, version)?, Draw::default())),
            None => {
                let alias = self.alias(wanted.name)?;
                let entry = self.of_load(alias.target(session)?)?;
                Some((entry, alias.draw))
            }
        }
    }

    /// The name that all versions have; none when they have several, or there are none.
    pub(super) fn only_name(&self) -> Option<Name> {
        let mut present = self
            .entries
            .iter()
            .filter(|entry| entry.present().is_some());
        let first = present.next()?;
        let same = present.all(|entry| entry.name == first.name);
        same.then_some(first.name)
    }

    /// Whether an alias that was set gives the model of load `instance`, or a shadow is it.
    pub(super) fn is_pinned(&self, instance: u64) -> bool {
        let gives = |alias: &Alias| alias.pinned && alias.gives(instance);
        let is = |shadow: &Arc<Shadow>| !shadow.is_ended() && shadow.target.instance == instance;
        self.aliases.iter().any(gives) || self.shadows.iter().any(is)
    }

    /// Number of the next change.
    fn change(&mut self) -> u64 {
        self.generation = self.generation.saturating_add(1);
        self.generation
    }

    /// Sets an alias to the versions of these loads, weighted. `ENOSPC`: too many are set.
    pub(super) fn pin(&mut self, name: Name, targets: &[(u64, u32)]) -> Result {
        let place = match self.aliases.iter().position(|alias| alias.name == name) {
            Some(place) => place,
            None => self.aliases.len(),
        };
        let before = self.aliases.get(place).is_some_and(|alias| alias.pinned);
        let pinned = self.aliases.iter().filter(|alias| alias.pinned).count();
        if !before && pinned >= PINNED_MAX {
            return Err(ENOSPC);
        }
        let generation = self.change();
        if self.aliases.get(place).is_none() {
            let alias = Alias::following(name);
            self.aliases
                .push_within_capacity(alias)
                .map_err(|_| ENOSPC)?;
        }
        if let Some(alias) = self.aliases.get_mut(place) {
            alias.pinned = true;
            alias.give(targets, generation);
        }
        Ok(())
    }

    /// Lets an alias that was set follow the newest version again. `ENOENT`: it was not set.
    pub(super) fn unpin(&mut self, name: Name) -> Result {
        let generation = self.change();
        let pinned = |alias: &&mut Alias| alias.name == name && alias.pinned;
        let alias = self.aliases.iter_mut().find(pinned).ok_or(ENOENT)?;
        alias.pinned = false;
        alias.give(&[], generation);
        self.follow();
        Ok(())
    }

    /// Tells the aliases that were not set which versions are the newest; those of no version go.
    pub(super) fn follow(&mut self) {
        let mut place = 0usize;
        while let Some(alias) = self.aliases.get_mut(place) {
            let of_name = |entry: &&Entry| entry.name == alias.name && entry.present().is_some();
            let versions = self.entries.iter().filter(of_name);
            let newest = versions.max_by_key(|entry| entry.version);
            match newest.and_then(Entry::model) {
                _ if alias.pinned => {}
                None => {
                    let gone = alias.name;
                    for shadow in self.shadows.iter().filter(|it| it.alias == gone) {
                        shadow.end();
                    }
                    let _ = self.aliases.remove(place);
                    continue;
                }
                Some(model) if alias.gives(model.instance) => {}
                Some(model) => {
                    self.generation = self.generation.saturating_add(1);
                    alias.give(&[(model.instance, 1)], self.generation);
                }
            }
            place = place.saturating_add(1);
        }
    }

    /// Puts a model in the place of its load, and tells the alias of its name. With `replace` that follows from here on.
    pub(super) fn put(&mut self, model: Arc<Model>, replace: bool) {
        let (name, version) = (model.name, model.version);
        let is = |entry: &&mut Entry| entry.name == name && entry.version == version;
        let Some(entry) = self.entries.iter_mut().find(is) else {
            return;
        };
        entry.state = State::Loaded(model);
        self.numbers.take(name, version);
        match self.aliases.iter_mut().find(|alias| alias.name == name) {
            Some(alias) => alias.pinned &= !replace,
            // Not rejected: there is room for one of each model.
            None => drop(self.aliases.push_within_capacity(Alias::following(name))),
        }
        self.follow();
    }

    /// Takes a version off, and its memory away from whoever uses it. Aliases give it no more.
    pub(super) fn take_off(&mut self, place: usize) -> Removed {
        let Ok(entry) = self.entries.remove(place) else {
            return (None, None);
        };
        let content = entry.model().and_then(|model| model.revoke());
        let instance = entry.model().map_or(0, |model| model.instance);
        for shadow in &self.shadows {
            if shadow.target.instance == instance {
                shadow.end();
            }
        }
        for alias in &mut self.aliases {
            if alias.pinned && alias.gives(instance) {
                self.generation = self.generation.saturating_add(1);
                alias.drop_target(instance, self.generation);
                alias.pinned = alias.count() != 0;
            }
        }
        self.follow();
        (Some(entry), content)
    }
}
