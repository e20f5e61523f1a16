// SPDX-License-Identifier: GPL-2.0
//! LOAD, UNLOAD, PROGRESS, MODEL, METADATA.

use super::require;
use crate::{
    limits::Limits,
    models::{
        loaded::{Loaded, LoadedAdapter},
        loader::{self, timed, Base, Helpers, LoadTimes},
        model::Model,
        name::Name,
        registry::{LoadProgress, Reservation},
        source::{AdapterSource, Source},
    },
    session::Session,
    sys::{
        load::LoadError,
        neon::Section,
        node::is_administrator,
        uapi::{self, SISLM_LOAD_OK, SISLM_RECORD_LOAD, SISLM_RECORD_UNLOAD, SISLM_UNLOAD_FORCE},
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
    require(request.flags == 0 && request.pad == 0 && request.pad2 == 0 && request.pad3 == 0)?;
    let name = Name::new(request.name)?;
    request.done = 0;
    request.total = 0;
    request.reason = SISLM_LOAD_OK;
    request.detail = 0;
    request.detail_type = 0;
    request.subject = [0; uapi::NAME_BYTES];
    request.value = [0; uapi::VALUE_BYTES];
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
    let reservation = shared.registry.reserve(name, request.total)?;
    let mut all = 0;
    let loaded = timed(&mut all, || {
        let (limits, scheduler) = (&shared.limits, &*shared.scheduler);
        files.load(limits, scheduler, &reservation.progress)
    });
    request.done = reservation.progress.done.load(Relaxed);
    request.load_ns = all;
    files.tell(request);
    match loaded {
        Ok(()) => publish(session, name, files, reservation),
        Err(error) => Err(refuse(request, error)),
    }
}

/// The files of a LOAD, and what is loaded of them. On the heap: its stack is deep.
struct Files {
    model: Source,
    adapters: KVec<AdapterSource>,
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
            loaded: None,
            times: LoadTimes::default(),
            number: 0,
        };
        Ok(KBox::new(files, GFP_KERNEL)?)
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
    name: Name,
    files: KBox<Files>,
    reservation: Reservation<'_>,
) -> Result {
    let shared = session.shared();
    let files = KBox::into_inner(files);
    let mut section = Section::new()?;
    let model = Model::new(
        name,
        files.loaded.ok_or(EINVAL)?,
        &files.loaded_adapters,
        &shared.limits,
        &shared.quota,
        (&shared.statistics, &shared.metrics),
        &mut section,
    )?;
    // Before its first turn can be.
    model.record(SISLM_RECORD_LOAD, &session.link.who(), &shared.recorder);
    reservation.fulfil(model);
    Ok(())
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
    require(request.flags & !SISLM_UNLOAD_FORCE == 0 && request.pad == 0)?;
    let force = request.flags & SISLM_UNLOAD_FORCE != 0;
    let shared = session.shared();
    let model = shared.registry.remove(Name::new(request.name)?, force)?;
    model.record(SISLM_RECORD_UNLOAD, &session.link.who(), &shared.recorder);
    Ok(())
}

#[inline(never)]
pub(super) fn progress(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Progress = argument.read()?;
    let name = Name::new(request.name)?;
    (request.done, request.total) = session.shared().registry.progress(name)?;
    argument.write(&request)
}

#[inline(never)]
pub(super) fn model(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    let mut request: uapi::Model = argument.read()?;
    require(request.flags == 0)?;
    let registry = &session.shared().registry;
    let model = match Name::optional(request.name)? {
        Some(name) => registry.get(name)?,
        None => registry.at(request.index)?,
    };
    // What others do is none of the caller's business.
    let own = (!is_administrator(file)).then_some(&**session.link.user());
    model.describe(&mut request, own);
    argument.write(&request)
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
    let model = session.shared().registry.get(Name::new(request.name)?)?;
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
