// SPDX-License-Identifier: GPL-2.0
//! LOAD, UNLOAD, PROGRESS, MODEL, METADATA.

use super::require;
use crate::{
    limits::Limits,
    models::{
        alike,
        loaded::{Loaded, LoadedAdapter},
        loader::{self, timed, Base, Helpers, LoadTimes},
        model::Model,
        name::{Name, Tag, Wanted},
        registry::{Registry, Reservation, Unload},
        shelf::LoadProgress,
        source::{AdapterSource, Source},
    },
    session::Session,
    sys::{
        load::LoadError,
        neon::Section,
        node::is_administrator,
        uapi::{
            self, SISLM_LOAD_OK, SISLM_LOAD_REPLACE, SISLM_RANK_MAX, SISLM_RECORD_LOAD,
            SISLM_RECORD_UNLOAD, SISLM_UNLOAD_DRAIN, SISLM_UNLOAD_FORCE,
        },
        user::{self, Argument},
        wiped::Wiped,
    }, //
};
use kernel::{
    fs::File,
    prelude::*,
    sync::{atomic::Relaxed, Arc}, //
};

#[inline(never)]
pub(super) fn load(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    if !is_administrator(file) {
        return Err(EPERM);
    }
    let mut request = read_load(argument)?;
    require(request.flags & !SISLM_LOAD_REPLACE == 0)?;
    require(request.pad == 0 && request.pad2 == 0 && request.pad3 == 0 && request.pad4 == 0)?;
    require(request.rank <= SISLM_RANK_MAX)?;
    let name = Name::new(request.name)?;
    request.done = 0;
    request.total = 0;
    request.reason = SISLM_LOAD_OK;
    request.detail = 0;
    request.detail_type = 0;
    request.subject = [0; uapi::NAME_BYTES];
    request.value = [0; uapi::VALUE_BYTES];
    request.version = 0;
    request.shared = 0;
    let result = load_file(session, name, &mut request);
    if request.reason == SISLM_LOAD_OK {
        request.refused_file = 0;
    }
    argument.write(&*request)?;
    result
}

/// What LOAD was given, on the heap: its stack is deep.
#[inline(never)]
fn read_load(argument: &Argument) -> Result<KBox<uapi::Load>> {
    let request: uapi::Load = argument.read()?;
    Ok(KBox::new(request, GFP_KERNEL)?)
}

fn load_file(session: &Arc<Session>, name: Name, request: &mut uapi::Load) -> Result {
    let shared = session.shared();
    let mut files = Files::open(request)?;
    let reservation = shared.registry.reserve(name, request.rank, request.total)?;
    let mut all = 0;
    let loaded = timed(&mut all, || {
        let (limits, scheduler) = (&shared.limits, &*shared.scheduler);
        let progress = &reservation.progress;
        files.find_alike(&shared.registry, progress)?;
        match files.alike {
            Some(_) => Ok(()),
            None => files.load(limits, scheduler, progress),
        }
    });
    request.done = reservation.progress.done.load(Relaxed);
    request.load_ns = all;
    files.tell(request);
    match loaded {
        Ok(()) => publish(session, files, reservation, request),
        Err(error) => Err(refuse(request, error)),
    }
}

/// The files of a LOAD, and what is loaded of them. On the heap: its stack is deep.
struct Files {
    model: Source,
    adapters: KVec<AdapterSource>,
    /// A model that is loaded from the same files.
    alike: Option<Arc<Model>>,
    loaded: Option<KBox<Loaded>>,
    loaded_adapters: KVec<LoadedAdapter>,
    times: LoadTimes,
    /// Which one is loaded: 0 for the model, adapters from 1.
    number: u32,
}

impl Files {
    /// Opens them, and tells their size.
    #[inline(never)]
    fn open(request: &mut uapi::Load) -> Result<KBox<Self>> {
        let model = Source::open(request)?;
        let adapters = AdapterSource::open_all(request)?;
        let sizes = adapters.iter().map(|adapter| adapter.file.size());
        request.total = sizes.fold(model.size(), u64::saturating_add);
        let files = Self {
            loaded_adapters: KVec::with_capacity(adapters.len(), GFP_KERNEL)?,
            model,
            adapters,
            alike: None,
            loaded: None,
            times: LoadTimes::default(),
            number: 0,
        };
        Ok(KBox::new(files, GFP_KERNEL)?)
    }

    /// Looks for a model that is loaded from the same files.
    fn find_alike(
        &mut self,
        registry: &Registry,
        progress: &LoadProgress,
    ) -> Result<(), LoadError> {
        let adapters = self.adapters.iter().map(|adapter| &adapter.file);
        let files = Iterator::chain(core::iter::once(&self.model), adapters);
        self.alike = alike::find(registry, files, progress, &mut self.times)?;
        Ok(())
    }

    /// Loads the model, then its adapters.
    fn load(
        &mut self,
        limits: &Limits,
        helpers: &impl Helpers,
        progress: &LoadProgress,
    ) -> Result<(), LoadError> {
        loop {
            let adapter = match self.number.checked_sub(1) {
                None => None,
                Some(index) => match self.adapters.get(index as usize) {
                    Some(adapter) => Some(adapter),
                    None => return Ok(()),
                },
            };
            let file = adapter.map_or(&self.model, |adapter| &adapter.file);
            let model = self.loaded.as_ref();
            let base = model.map(|model| {
                let others = self.loaded_adapters.iter();
                let bytes = others.map(|(adapter, _)| adapter.memory.bytes());
                Base {
                    memory: &model.memory,
                    bytes: bytes.fold(model.memory.bytes(), u64::saturating_add),
                }
            });
            let loaded = loader::load(file, limits, helpers, progress, &mut self.times, base)?;
            match adapter {
                None => self.loaded = Some(loaded),
                Some(adapter) => {
                    let adapter = (loaded, adapter.scale);
                    let pushed = self.loaded_adapters.push_within_capacity(adapter);
                    pushed.map_err(|_| EIO)?;
                }
            }
            self.number = self.number.saturating_add(1);
        }
    }

    /// Tells how long parts took.
    fn tell(&self, request: &mut uapi::Load) {
        request.digest_ns = self.times.digest;
        request.pack_ns = self.times.pack;
        request.read_ns = self.times.read;
        request.refused_file = self.number;
    }
}

/// Makes a model of what is loaded, and lets it be found.
#[inline(never)]
fn publish(
    session: &Arc<Session>,
    files: KBox<Files>,
    reservation: Reservation<'_>,
    request: &mut uapi::Load,
) -> Result {
    let shared = session.shared();
    let tag = reservation.tag;
    request.version = tag.version;
    let model = match &files.alike {
        Some(alike) => {
            request.shared = 1;
            let scales = files.adapters.iter().map(|adapter| adapter.scale);
            let (limits, quota, metrics) = (&shared.limits, &shared.quota, &shared.metrics);
            Model::sharing(tag, alike, scales, limits, quota, metrics)?
        }
        None => make(session, KBox::into_inner(files), tag)?,
    };
    let who = session.link.who();
    // Before its first turn can be.
    model.record(SISLM_RECORD_LOAD, &who, &shared.recorder);
    let replaces = request.flags & SISLM_LOAD_REPLACE != 0;
    reservation.fulfil(model, replaces);
    if replaces {
        while let Some(old) = shared.registry.retire(tag) {
            old.record(SISLM_RECORD_UNLOAD, &who, &shared.recorder);
        }
        shared.registry.sweep();
    }
    Ok(())
}

/// A model of memory of its own.
#[inline(never)]
fn make(session: &Arc<Session>, files: Files, tag: Tag) -> Result<Arc<Model>> {
    let shared = session.shared();
    let mut section = Section::new()?;
    Model::new(
        tag,
        files.loaded.ok_or(EINVAL)?,
        &files.loaded_adapters,
        &shared.limits,
        &shared.quota,
        (&shared.statistics, &shared.metrics),
        &mut section,
    )
}

/// Tells why a file was refused; the error of LOAD.
#[inline(never)]
fn refuse(request: &mut uapi::Load, error: LoadError) -> Error {
    match error {
        LoadError::Errno(error) => error,
        LoadError::Short(_) => EINVAL,
        LoadError::Refused(refusal) => {
            request.reason = refusal.reason;
            request.detail = refusal.detail;
            request.detail_type = refusal.kind;
            request.subject = refusal.subject;
            request.value = refusal.value;
            loader::refusal_errno(refusal.reason)
        }
    }
}

#[inline(never)]
pub(super) fn unload(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    if !is_administrator(file) {
        return Err(EPERM);
    }
    let request: uapi::Unload = argument.read()?;
    let how = match request.flags {
        0 => Unload::Unused,
        SISLM_UNLOAD_FORCE => Unload::Forced,
        SISLM_UNLOAD_DRAIN => Unload::Drained,
        _ => return Err(EINVAL),
    };
    require(request.pad == 0)?;
    let shared = session.shared();
    let model = shared.registry.remove(Wanted::new(request.name)?, how)?;
    model.record(SISLM_RECORD_UNLOAD, &session.link.who(), &shared.recorder);
    Ok(())
}

#[inline(never)]
pub(super) fn progress(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Progress = argument.read()?;
    let wanted = Wanted::new(request.name)?;
    (request.done, request.total) = session.shared().registry.progress(wanted)?;
    argument.write(&request)
}

#[inline(never)]
pub(super) fn model(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    // On the heap: it is larger than a stack should hold.
    let mut request: KBox<uapi::Model> = argument.read_boxed()?;
    require(request.flags == 0)?;
    let registry = &session.shared().registry;
    let found = match Wanted::optional(request.name)? {
        Some(wanted) => registry.find(wanted, session.link.who().session)?,
        None => registry.at(request.index)?,
    };
    // What others do is none of the caller's business.
    let own = (!is_administrator(file)).then_some(&**session.link.user());
    found.model.describe(&mut request, own);
    request.state = found.state;
    request.generation = found.generation;
    argument.write(&*request)
}

#[inline(never)]
pub(super) fn metadata(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Metadata = argument.read()?;
    require(request.flags == 0 && request.pad == 0)?;
    let length = request.key.iter().position(|byte| *byte == 0);
    let (key, rest) = request
        .key
        .split_at_checked(length.ok_or(EINVAL)?)
        .ok_or(EINVAL)?;
    require(rest.iter().all(|byte| *byte == 0))?;
    let wanted = Wanted::new(request.name)?;
    let number = session.link.who().session;
    let model = session.shared().registry.get(wanted, number)?;
    let mut copy = Wiped::new();
    let fits = {
        let content = model.content()?;
        let text = content.metadata.get(key)?;
        // CAST: At most SISLM_METADATA_MAX.
        request.length = text.len() as u32;
        let fits = request.length <= request.capacity;
        if fits {
            copy = Wiped::with_capacity(text.len())?;
            copy.extend(text)?;
        }
        fits
    };
    // The caller's pages may never answer; the memory of the model is let go by then.
    user::write_array(request.text, 0, &copy)?;
    argument.write(&request)?;
    if fits {
        Ok(())
    } else {
        Err(ENOSPC)
    }
}
