// SPDX-License-Identifier: GPL-2.0
//! The shadows of the registry's aliases.

use crate::{
    models::{
        model::Model,
        name::{Name, Wanted},
        registry::Registry,
        shadow::{Bell, Sample, Shadow},
    },
    sys::{
        errno::EOPNOTSUPP,
        uapi::{self, SISLM_SHADOWS_MAX},
    },
};
use kernel::{prelude::*, sync::Arc};

impl Registry {
    /// Rung when there is something to compare, or a shadow has ended.
    pub(crate) fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }

    /// The shadow of answers of `model`: of the first alias that has one and gives it.
    pub(crate) fn shadow_of(&self, model: &Model) -> Option<Arc<Shadow>> {
        let shelf = self.shelf.lock();
        let mut shadows = shelf.shadows.iter();
        let is = |shadow: &&Arc<Shadow>| {
            let alias = shelf.alias(shadow.alias);
            let gives = alias.is_some_and(|alias| alias.gives(model.instance));
            gives && !shadow.is_ended() && shadow.target.instance != model.instance
        };
        shadows.find(is).cloned()
    }

    /// Lets the version `wanted` compare `permille` of 1,000 answers of `alias`, of contexts of at most `context` positions.
    /// `ENOENT`: no such alias or version; `ENOSPC`: too many have a shadow.
    pub(crate) fn set_shadow(
        &self,
        alias: Name,
        wanted: Wanted,
        permille: u32,
        context: u32,
    ) -> Result {
        // Those that have ended leave their places.
        self.sweep_shadows();
        let target = self.target(alias, wanted)?;
        if target.is_encoder() {
            return Err(EOPNOTSUPP());
        }
        let set = |shadow: &&Arc<Shadow>| shadow.alias == alias && !shadow.is_ended();
        {
            let shelf = self.shelf.lock();
            let shadow = shelf.shadows.iter().find(set);
            let same = shadow.filter(|shadow| shadow.target.instance == target.instance);
            if let Some(same) = same {
                same.set_permille(permille);
                return Ok(());
            }
        }
        let shadow = Shadow::new(alias, target, permille, context, &self.bell)?;
        let mut shelf = self.shelf.lock();
        // It may have been unloaded meanwhile, and others may have come.
        let entry = shelf.of_load(shadow.target.instance);
        let is_there = entry.is_some_and(|entry| entry.present().is_some());
        let others = |shadow: &&Arc<Shadow>| shadow.alias != alias && !shadow.is_ended();
        let others = shelf.shadows.iter().filter(others).count();
        let has_room =
            others < SISLM_SHADOWS_MAX as usize && shelf.shadows.len() < shelf.shadows.capacity();
        if !is_there || shelf.alias(alias).is_none() || !has_room {
            // Freeing takes long: not under the lock.
            drop(shelf);
            return Err(if has_room { ENOENT } else { ENOSPC });
        }
        if let Some(before) = shelf.shadows.iter().find(set) {
            before.end();
        }
        // Not rejected: there is room.
        drop(shelf.shadows.push_within_capacity(shadow));
        Ok(())
    }

    /// The version that is to compare answers of `alias`, which is there.
    fn target(&self, alias: Name, wanted: Wanted) -> Result<Arc<Model>> {
        let shelf = self.shelf.lock();
        let version = wanted.version.ok_or(EINVAL)?;
        let entry = shelf.version(wanted.name, version).ok_or(ENOENT)?;
        shelf.alias(alias).ok_or(ENOENT)?;
        entry.present().cloned().ok_or(ENOENT)
    }

    /// Ends the shadow of `alias`. `ENOENT`: it has none.
    pub(crate) fn end_shadow(&self, alias: Name) -> Result {
        let ended = {
            let shelf = self.shelf.lock();
            let mut shadows = shelf.shadows.iter();
            let set = |shadow: &&Arc<Shadow>| shadow.alias == alias && !shadow.is_ended();
            shadows.find(set).map(|shadow| shadow.end())
        };
        self.sweep_shadows();
        ended.ok_or(ENOENT)
    }

    /// Forgets the shadows that have ended.
    pub(crate) fn sweep_shadows(&self) {
        loop {
            let removed = {
                let mut shelf = self.shelf.lock();
                let place = shelf.shadows.iter().position(|shadow| shadow.is_ended());
                place.and_then(|place| shelf.shadows.remove(place).ok())
            };
            // Freeing takes long: not under the lock.
            if removed.is_none() {
                return;
            }
        }
    }

    /// An answer that waits to be compared, and by whom: looked for from place `first` on; where it was.
    pub(crate) fn next_sample(&self, first: usize) -> Option<(usize, Arc<Shadow>, KBox<Sample>)> {
        let count = self.shelf.lock().shadows.len();
        for step in 0..count {
            let place = first.saturating_add(step).checked_rem(count)?;
            let shadow = self.shelf.lock().shadows.get(place).cloned();
            if let Some((shadow, sample)) = shadow.and_then(|it| it.take().map(|own| (it, own))) {
                return Some((place, shadow, sample));
            }
        }
        None
    }

    /// Tells of the pair at `index` of the shadow of `alias`, or of all shadows. `ENOENT`: there is none.
    pub(crate) fn tell_shadow(&self, alias: Option<Name>, to: &mut uapi::Shadow) -> Result {
        let shelf = self.shelf.lock();
        let mut left = to.index;
        for shadow in &shelf.shadows {
            if shadow.is_ended() || alias.is_some_and(|alias| alias != shadow.alias) {
                continue;
            }
            let entries = shadow.entries();
            if left < entries {
                shadow.tell(left, to);
                return Ok(());
            }
            left = left.saturating_sub(entries);
        }
        Err(ENOENT)
    }
}
