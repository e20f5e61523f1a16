// SPDX-License-Identifier: GPL-2.0
//! The loaded models by name.
//!
//! A spinlock: anybody may look, and a task that is seldom let run must not keep others out.

use crate::{
    models::{
        draw::Draw,
        model::Model,
        name::{Name, Tag, Wanted},
        shadow::Bell,
        shelf::{Entry, LoadProgress, Shelf, State},
    },
    sys::{
        errno::ENOTUNIQ,
        uapi::{self, SISLM_CANDIDATES_MAX, SISLM_MODEL_LEAVING, SISLM_MODEL_SHARED, TARGETS},
    },
    users::User, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc,
        SpinLock, //
    },
};

/// The models, loaded and being loaded.
#[pin_data]
pub(crate) struct Registry {
    #[pin]
    pub(super) shelf: SpinLock<Shelf>,
    pub(super) bell: Arc<Bell>,
}

/// When a model is unloaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unload {
    /// Now, if nobody uses it.
    Unused,
    /// When nobody does any more.
    Drained,
    /// Now.
    Forced,
}

/// A model that was asked for.
pub(crate) struct Found {
    /// It.
    pub(crate) model: Arc<Model>,
    /// `SISLM_MODEL_*`.
    pub(crate) state: u32,
    /// Of the alias that was asked for, else 0.
    pub(crate) generation: u64,
}

/// A version taken for a load; given back when dropped unless the load is finished.
pub(crate) struct Reservation<'a> {
    registry: &'a Registry,
    /// The name and the version to be.
    pub(crate) tag: Tag,
    /// How far the load is, for others to read.
    pub(crate) progress: Arc<LoadProgress>,
}

impl Registry {
    /// With room for `most` models.
    pub(crate) fn new(most: u32) -> Result<Arc<Self>> {
        let shelf = Shelf::new(most as usize)?;
        let bell = Bell::new()?;
        Arc::pin_init(
            pin_init!(Self {
                shelf <- new_spinlock!(shelf, "sislm_registry"),
                bell,
            }),
            GFP_KERNEL,
        )
    }

    /// Takes the next version of `name` for a load of files of `total` bytes, a model of `rank`. `EEXIST`: one is being
    /// loaded; `ENOSPC`: no room for another.
    pub(crate) fn reserve(&self, name: Name, rank: u32, total: u64) -> Result<Reservation<'_>> {
        let progress = Arc::new(
            LoadProgress {
                done: Atomic::new(0),
                total,
            },
            GFP_KERNEL,
        )?;
        let mut shelf = self.shelf.lock();
        let Shelf {
            entries, numbers, ..
        } = &mut *shelf;
        let loading = |entry: &Entry| entry.name == name && entry.model().is_none();
        if entries.iter().any(loading) {
            return Err(EEXIST);
        }
        let used = |name: Name| entries.iter().any(|entry| entry.name == name);
        let version = numbers.next(name, used)?;
        let entry = Entry {
            name,
            version,
            state: State::Loading(progress.clone()),
            leaving: false,
        };
        entries.push_within_capacity(entry).map_err(|_| ENOSPC)?;
        Ok(Reservation {
            registry: self,
            tag: Tag {
                name,
                version,
                rank,
            },
            progress,
        })
    }

    /// Bytes read and bytes in all of the load of `wanted`; of a loaded model both are its size.
    pub(crate) fn progress(&self, wanted: Wanted) -> Result<(u64, u64)> {
        let shelf = self.shelf.lock();
        let is = |entry: &&Entry| {
            entry.name == wanted.name && wanted.version.is_none_or(|it| it == entry.version)
        };
        // A load is behind those of before.
        let entry = shelf.entries.iter().rev().find(is);
        match &entry.ok_or(ENOENT)?.state {
            State::Loading(progress) => Ok((progress.done.load(Relaxed), progress.total)),
            State::Loaded(model) => Ok((model.file_bytes(), model.file_bytes())),
        }
    }

    /// Begins to use `wanted` for the file of number `session`, of `user`; without a name `default`, else the only one
    /// there is. `ENOENT`: no such model, or none at all; `ENOTUNIQ`: it must be named.
    pub(crate) fn take(
        self: &Arc<Self>,
        wanted: Option<Wanted>,
        user: &Arc<User>,
        session: u64,
    ) -> Result<Use> {
        let shelf = self.shelf.lock();
        let alias = |name| Wanted {
            name,
            version: None,
        };
        let meant = match wanted {
            Some(wanted) => shelf.meant(wanted, session).ok_or(ENOENT)?,
            None => match shelf.meant(alias(Name::default_model()), session) {
                Some(meant) => meant,
                None if shelf.entries.iter().all(|entry| entry.present().is_none()) => {
                    return Err(ENOENT)
                }
                None => {
                    let name = shelf.only_name().ok_or(ENOTUNIQ())?;
                    shelf.meant(alias(name), session).ok_or(ENOENT)?
                }
            },
        };
        let (entry, draw) = meant;
        let model = entry.present().ok_or(ENOENT)?;
        // The lock is held, so that unloading sees it.
        model.files.add(user, 1);
        Ok(Use {
            registry: self.clone(),
            model: model.clone(),
            user: user.clone(),
            draw,
        })
    }

    /// What `wanted` means to the file of number `session`.
    pub(crate) fn find(&self, wanted: Wanted, session: u64) -> Result<Found> {
        let shelf = self.shelf.lock();
        let (entry, draw) = shelf.meant(wanted, session).ok_or(ENOENT)?;
        found(&shelf, entry, draw.generation)
    }

    /// As [`Registry::find`], of the model alone.
    pub(crate) fn get(&self, wanted: Wanted, session: u64) -> Result<Arc<Model>> {
        self.find(wanted, session).map(|found| found.model)
    }

    /// The model at place `index`, in the order they were loaded.
    pub(crate) fn at(&self, index: u32) -> Result<Found> {
        let shelf = self.shelf.lock();
        let mut loaded = shelf.entries.iter().filter(|entry| entry.model().is_some());
        found(&shelf, loaded.nth(index as usize).ok_or(ENOENT)?, 0)
    }

    /// The models that were given a rank and make text, the best [`SISLM_CANDIDATES_MAX`], the highest rank first, then by name
    /// and version.
    pub(crate) fn ranked(&self) -> Result<KVec<Arc<Model>>> {
        let mut ranked =
            KVec::<Arc<Model>>::with_capacity(SISLM_CANDIDATES_MAX as usize, GFP_KERNEL_ACCOUNT)?;
        let key = |model: &Model| {
            (
                core::cmp::Reverse(model.rank),
                model.name.bytes(),
                model.version,
            )
        };
        let shelf = self.shelf.lock();
        let present = shelf.entries.iter().filter_map(Entry::present);
        for model in present.filter(|model| model.rank != 0 && !model.is_encoder()) {
            let behind = |other: &Arc<Model>| key(model) < key(other);
            let place = ranked.iter().position(behind).unwrap_or(ranked.len());
            if place >= SISLM_CANDIDATES_MAX as usize {
                continue;
            }
            if ranked.len() >= SISLM_CANDIDATES_MAX as usize {
                // Not its last reference: it is on the shelf.
                drop(ranked.pop());
            }
            // Not rejected: there is room.
            drop(ranked.insert_within_capacity(place, model.clone()));
        }
        Ok(ranked)
    }

    /// A loaded model that is `like` this.
    pub(crate) fn like(&self, like: impl Fn(&Model) -> bool) -> Option<Arc<Model>> {
        let shelf = self.shelf.lock();
        let mut loaded = shelf.entries.iter().filter_map(Entry::model);
        loaded.find(|model| like(model)).cloned()
    }

    /// Number of loaded models.
    pub(crate) fn count(&self) -> usize {
        let shelf = self.shelf.lock();
        shelf.entries.iter().filter_map(Entry::model).count()
    }

    /// Memory of all models; what several share counts once.
    pub(crate) fn bytes(&self) -> u64 {
        let shelf = self.shelf.lock();
        let loaded = || shelf.entries.iter().filter_map(Entry::model);
        let first = |(place, model): &(usize, &Arc<Model>)| {
            let mut before = loaded().take(*place);
            before.all(|other| other.origin != model.origin)
        };
        let own = loaded().enumerate().filter(first);
        own.map(|(_, model)| model.bytes()).sum()
    }

    /// Forgets a model; its memory goes when the last turn on it is over. `EBUSY`: being loaded, or in use, or given by an
    /// alias that was set; by force it is taken away from all of these. `ENOTUNIQ`: there are several versions.
    pub(crate) fn remove(&self, wanted: Wanted, how: Unload) -> Result<Arc<Model>> {
        let mut shelf = self.shelf.lock();
        let place = place_of(&shelf, wanted)?;
        let entry = shelf.entries.get(place).ok_or(ENOENT)?;
        let model = entry.model().cloned().ok_or(EBUSY)?;
        let pinned = shelf.is_pinned(model.instance);
        match how {
            Unload::Unused if pinned || model.in_use() => return Err(EBUSY),
            Unload::Drained if pinned => return Err(EBUSY),
            Unload::Drained if model.in_use() => {
                if let Some(entry) = shelf.entries.get_mut(place) {
                    entry.leaving = true;
                }
                shelf.follow();
                return Ok(model);
            }
            _ => {}
        }
        let removed = shelf.take_off(place);
        // Freeing takes long: not under the lock.
        drop(shelf);
        drop(removed);
        Ok(model)
    }

    /// Lets a version of the name before that of `tag` leave that no alias which was set gives; none when there is none. They go
    /// with [`Registry::sweep`].
    pub(crate) fn retire(&self, tag: Tag) -> Option<Arc<Model>> {
        let Tag { name, version, .. } = tag;
        let mut shelf = self.shelf.lock();
        let is_old = |entry: &&Entry| {
            let unpinned = |model: &Arc<Model>| !shelf.is_pinned(model.instance);
            entry.name == name && entry.version < version && entry.present().is_some_and(unpinned)
        };
        let old = shelf.entries.iter().find(is_old).and_then(Entry::model);
        let old = old.cloned()?;
        let is = |entry: &&mut Entry| entry.name == name && entry.version == old.version;
        if let Some(entry) = shelf.entries.iter_mut().find(is) {
            entry.leaving = true;
        }
        shelf.follow();
        Some(old)
    }

    /// Forgets the versions that are leaving and that nobody uses any more.
    pub(crate) fn sweep(&self) {
        loop {
            let removed = {
                let mut shelf = self.shelf.lock();
                let unused = |entry: &Entry| {
                    entry.leaving && entry.model().is_some_and(|model| !model.in_use())
                };
                match shelf.entries.iter().position(unused) {
                    Some(place) => shelf.take_off(place),
                    None => return,
                }
            };
            // Not under the lock, as above.
            drop(removed);
        }
    }

    /// Sets an alias to these versions, weighted, or to none: then it follows the newest again. The numbers of their loads,
    /// and how files draw. `ENOENT`: there is no such version, or the alias was not set; `ENOSPC`: too many are set.
    pub(crate) fn set_alias(
        &self,
        name: Name,
        targets: &[(Wanted, u32)],
    ) -> Result<([u64; TARGETS], Draw)> {
        let mut shelf = self.shelf.lock();
        let mut loads = [(0, 0); TARGETS];
        for (to, (wanted, weight)) in loads.iter_mut().zip(targets) {
            let version = wanted.version.ok_or(EINVAL)?;
            let entry = shelf.version(wanted.name, version).ok_or(ENOENT)?;
            *to = (entry.present().ok_or(ENOENT)?.instance, *weight);
        }
        let loads = loads.get(..targets.len()).ok_or(EINVAL)?;
        if loads.is_empty() {
            shelf.unpin(name)?;
        } else {
            shelf.pin(name, loads)?;
        }
        let alias = shelf.alias(name);
        Ok(alias.map_or(([0; TARGETS], Draw::default()), |alias| {
            (alias.targets, alias.draw)
        }))
    }

    /// Tells of the alias `name`, else of that at place `index`; in no order.
    pub(crate) fn tell_alias(&self, name: Option<Name>, to: &mut uapi::Alias) -> Result {
        let shelf = self.shelf.lock();
        let alias = match name {
            Some(name) => shelf.alias(name),
            None => shelf.aliases.get(to.index as usize),
        };
        let alias = alias.ok_or(ENOENT)?;
        to.name = alias.name.bytes();
        to.generation = alias.draw.generation;
        // CAST: At most SISLM_TARGETS_MAX.
        to.count = alias.count() as u32;
        to.pinned = u32::from(alias.pinned);
        to.targets = Default::default();
        let pairs = alias.targets.iter().zip(alias.draw.weights);
        for (to, (instance, weight)) in to.targets.iter_mut().zip(pairs) {
            if let Some(entry) = shelf.of_load(*instance) {
                to.name = entry.name.with_version(entry.version);
                to.weight = weight;
            }
        }
        Ok(())
    }

    /// A file uses the model no more.
    fn end(&self, model: &Model, user: &User) {
        let leaving = {
            let shelf = self.shelf.lock();
            model.files.subtract(user, 1);
            let entry = shelf.of_load(model.instance);
            entry.is_some_and(|entry| entry.leaving)
        };
        if leaving {
            self.sweep();
        }
    }
}

/// What is told of a version.
fn found(shelf: &Shelf, entry: &Entry, generation: u64) -> Result<Found> {
    let model = entry.model().ok_or(ENOENT)?;
    let mut others = shelf.entries.iter().filter_map(Entry::model);
    let shares =
        |other: &Arc<Model>| other.origin == model.origin && other.instance != model.instance;
    let mut state = 0;
    if entry.leaving {
        state |= SISLM_MODEL_LEAVING;
    }
    if others.any(shares) {
        state |= SISLM_MODEL_SHARED;
    }
    Ok(Found {
        model: model.clone(),
        state,
        generation,
    })
}

/// The place of the version that is to be unloaded. Of a name alone it is the only one that is not leaving.
fn place_of(shelf: &Shelf, wanted: Wanted) -> Result<usize> {
    let is = |entry: &Entry| {
        entry.name == wanted.name
            && match wanted.version {
                Some(version) => entry.version == version,
                None => !entry.leaving,
            }
    };
    let mut places = (0..).zip(&shelf.entries).filter(|(_, entry)| is(entry));
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (None, _) => Err(ENOENT),
        // Until it is loaded there is but one.
        (Some(_), Some((_, entry))) if entry.model().is_none() => Err(EBUSY),
        (Some(_), Some(_)) => Err(ENOTUNIQ()),
    }
}

impl Reservation<'_> {
    /// Lets the loaded model be found. With `replace` its name means it, whatever it was set to before.
    pub(crate) fn fulfil(self, model: Arc<Model>, replace: bool) {
        self.registry.shelf.lock().put(model, replace);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let removed = {
            let mut shelf = self.registry.shelf.lock();
            let Tag { name, version, .. } = self.tag;
            let loading = |entry: &Entry| {
                entry.name == name && entry.version == version && entry.model().is_none()
            };
            let place = shelf.entries.iter().position(loading);
            place.and_then(|place| shelf.entries.remove(place).ok())
        };
        drop(removed);
    }
}

/// A file's use of a model: it cannot be unloaded meanwhile.
pub(crate) struct Use {
    registry: Arc<Registry>,
    model: Arc<Model>,
    user: Arc<User>,
    draw: Draw,
}

impl Use {
    /// The model.
    pub(crate) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// How the model was drawn.
    pub(crate) fn draw(&self) -> Draw {
        self.draw
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        self.registry.end(&self.model, &self.user);
    }
}
