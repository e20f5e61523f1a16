// SPDX-License-Identifier: GPL-2.0
//! The loaded models by name.
//!
//! A spinlock: anybody may look, and a task that is seldom let run must not keep others out.

use crate::{
    models::{
        model::{Model, Use},
        name::Name,
    },
    sys::errno::ENOTUNIQ,
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

/// How far a load is.
pub(crate) struct LoadProgress {
    /// Bytes read.
    pub(crate) done: Atomic<u64>,
    /// Bytes of the file.
    pub(crate) total: u64,
}

enum State {
    Loading(Arc<LoadProgress>),
    Loaded(Arc<Model>),
}

struct Entry {
    name: Name,
    state: State,
}

/// The models, loaded and being loaded.
#[pin_data]
pub(crate) struct Registry {
    #[pin]
    entries: SpinLock<KVec<Entry>>,
}

/// A name taken for a load; given back when dropped unless the load is finished.
pub(crate) struct Reservation<'a> {
    registry: &'a Registry,
    name: Name,
    /// How far the load is, for others to read.
    pub(crate) progress: Arc<LoadProgress>,
}

impl Registry {
    /// With room for `most` models.
    pub(crate) fn new(most: u32) -> Result<impl PinInit<Self>> {
        let entries = KVec::with_capacity(most as usize, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            entries <- new_spinlock!(entries, "sislm_registry"),
        }))
    }

    /// Takes `name` for a load of a file of `total` bytes. `EEXIST`: taken; `ENOSPC`: no room
    /// for another.
    pub(crate) fn reserve(&self, name: Name, total: u64) -> Result<Reservation<'_>> {
        let progress = Arc::new(
            LoadProgress {
                done: Atomic::new(0),
                total,
            },
            GFP_KERNEL,
        )?;
        let mut entries = self.entries.lock();
        if entries.iter().any(|entry| entry.name == name) {
            return Err(EEXIST);
        }
        let entry = Entry {
            name,
            state: State::Loading(progress.clone()),
        };
        entries.push_within_capacity(entry).map_err(|_| ENOSPC)?;
        Ok(Reservation {
            registry: self,
            name,
            progress,
        })
    }

    /// Bytes read and bytes in all of the load under `name`; of a loaded model both are its size.
    pub(crate) fn progress(&self, name: Name) -> Result<(u64, u64)> {
        let entries = self.entries.lock();
        let entry = entries.iter().find(|entry| entry.name == name);
        match &entry.ok_or(ENOENT)?.state {
            State::Loading(progress) => Ok((progress.done.load(Relaxed), progress.total)),
            State::Loaded(model) => Ok((model.file_bytes(), model.file_bytes())),
        }
    }

    /// Begins to use the model `name` for a file of `user`; without one `default`, else the only one loaded.
    /// `ENOENT`: no such model, or none at all; `ENOTUNIQ`: it must be named.
    pub(crate) fn take(&self, name: Option<Name>, user: &Arc<User>) -> Result<Use> {
        let entries = self.entries.lock();
        if let Some(model) = find(&entries, name.unwrap_or_else(Name::default_model)) {
            return Ok(Use::new(model, user));
        }
        let mut loaded = entries.iter().filter_map(Entry::model);
        match (name, loaded.next(), loaded.next()) {
            (None, Some(model), None) => Ok(Use::new(model, user)),
            (None, Some(_), Some(_)) => Err(ENOTUNIQ()),
            _ => Err(ENOENT),
        }
    }

    /// The model `name`.
    pub(crate) fn get(&self, name: Name) -> Result<Arc<Model>> {
        find(&self.entries.lock(), name).cloned().ok_or(ENOENT)
    }

    /// The model at place `index`, in the order they were loaded.
    pub(crate) fn at(&self, index: u32) -> Result<Arc<Model>> {
        let entries = self.entries.lock();
        let mut loaded = entries.iter().filter_map(Entry::model);
        loaded.nth(index as usize).cloned().ok_or(ENOENT)
    }

    /// Number of loaded models.
    pub(crate) fn count(&self) -> usize {
        self.entries.lock().iter().filter_map(Entry::model).count()
    }

    /// Memory of all models.
    pub(crate) fn bytes(&self) -> u64 {
        let entries = self.entries.lock();
        entries
            .iter()
            .filter_map(Entry::model)
            .map(|model| model.bytes())
            .sum()
    }

    /// Forgets the model `name`; its memory goes when the last turn on it is over. `EBUSY`: being
    /// loaded, or in use and not by `force`, which takes the memory away from whoever uses it.
    pub(crate) fn remove(&self, name: Name, force: bool) -> Result<Arc<Model>> {
        let mut entries = self.entries.lock();
        let place = entries.iter().position(|entry| entry.name == name);
        let place = place.ok_or(ENOENT)?;
        let model = entries.get(place).and_then(Entry::model).cloned();
        let model = model.ok_or(EBUSY)?;
        if model.in_use() && !force {
            return Err(EBUSY);
        }
        let content = model.revoke();
        let removed = entries.remove(place).map_err(|_| ENOENT)?;
        // Freeing takes long: not under the lock.
        drop(entries);
        drop((removed, content));
        Ok(model)
    }
}

impl Entry {
    fn model(&self) -> Option<&Arc<Model>> {
        match &self.state {
            State::Loaded(model) => Some(model),
            State::Loading(_) => None,
        }
    }
}

fn find(entries: &[Entry], name: Name) -> Option<&Arc<Model>> {
    entries.iter().find(|entry| entry.name == name)?.model()
}

impl Reservation<'_> {
    /// Puts the loaded model under the name.
    pub(crate) fn fulfil(self, model: Arc<Model>) {
        let mut entries = self.registry.entries.lock();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.name == self.name) {
            entry.state = State::Loaded(model);
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut entries = self.registry.entries.lock();
        let loading = |entry: &Entry| entry.name == self.name && entry.model().is_none();
        if let Some(place) = entries.iter().position(loading) {
            let _ = entries.remove(place);
        }
    }
}
