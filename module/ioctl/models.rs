// SPDX-License-Identifier: GPL-2.0
//! LOAD, UNLOAD, PROGRESS, MODEL, METADATA, VOCABULARY.

use super::require;
use crate::{
    models::{
        loader::{self, timed, LoadTimes},
        model::{Model, Name},
        source::Source,
    },
    session::Session,
    sys::{
        load::LoadError,
        neon::Section,
        node::is_administrator,
        task,
        text::{self, TOKEN_BYTES_MAX},
        uapi::{self, SISLM_LOAD_OK, SISLM_TOKENIZE_CONTROL, SISLM_UNLOAD_FORCE},
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
    let file = Source::open(request)?;
    request.total = file.size();
    let reservation = shared.registry.reserve(name, request.total)?;
    let mut times = LoadTimes::default();
    let mut all = 0;
    let loaded = timed(&mut all, || {
        let (limits, scheduler) = (&shared.limits, &shared.scheduler);
        loader::load(
            &file,
            limits,
            &**scheduler,
            &reservation.progress,
            &mut times,
        )
    });
    request.done = reservation.progress.done.load(Relaxed);
    request.digest_ns = times.digest;
    request.pack_ns = times.pack;
    request.read_ns = times.read;
    request.load_ns = all;
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(LoadError::Errno(error)) => return Err(error),
        Err(LoadError::Short(_)) => return Err(EINVAL),
        Err(LoadError::Refused(refusal)) => {
            request.reason = refusal.reason;
            request.detail = refusal.detail;
            request.detail_type = refusal.kind;
            request.subject = refusal.subject;
            request.value = refusal.value;
            return Err(loader::refusal_errno(refusal.reason));
        }
    };
    let mut section = Section::new()?;
    let model = Model::new(
        name,
        loaded,
        &shared.limits,
        &shared.quota,
        &shared.statistics,
        &mut section,
    )?;
    reservation.fulfil(model);
    Ok(())
}

#[inline(never)]
pub(super) fn unload(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    if !is_administrator(file) {
        return Err(EPERM);
    }
    let request: uapi::Unload = argument.read()?;
    require(request.flags & !SISLM_UNLOAD_FORCE == 0 && request.pad == 0)?;
    let force = request.flags & SISLM_UNLOAD_FORCE != 0;
    let registry = &session.shared().registry;
    registry.remove(Name::new(request.name)?, force)
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
    let content = model.content()?;
    let text = content.metadata.get(key)?;
    // CAST: At most SISLM_METADATA_MAX.
    request.length = text.len() as u32;
    let fits = request.length <= request.capacity;
    if fits {
        user::write_array(request.text, 0, text)?;
    }
    argument.write(&request)?;
    if fits {
        Ok(())
    } else {
        Err(ENOSPC)
    }
}

#[inline(never)]
pub(super) fn vocabulary(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Vocabulary = argument.read()?;
    require(request.flags == 0 && request.pad == 0)?;
    let model = session.shared().registry.get(Name::new(request.name)?)?;
    let content = model.content()?;
    let mut section = Section::new()?;
    let mut bytes = Wiped::zeroed(TOKEN_BYTES_MAX)?;
    request.count = model.facts.vocabulary;
    request.text_length = 0;
    let has_room = request.count <= request.capacity;
    for id in 0..request.count {
        task::relax();
        // The vocabulary bounds it: no other signal than death ends it.
        task::interrupted_by_death()?;
        let flags = SISLM_TOKENIZE_CONTROL;
        let length = text::detokenize(&mut section, &content.memory, id, flags, &mut bytes)?;
        let start = request.text_length;
        // CAST: At most TOKEN_BYTES_MAX.
        let end = start.checked_add(length as u32).ok_or(EOVERFLOW)?;
        request.text_length = end;
        if has_room && end <= request.text_capacity {
            let kind = text::kind(&mut section, &content.memory, id)?;
            let text = bytes.get(..length).ok_or(EINVAL)?;
            user::write_array(request.types, id.into(), &[kind])?;
            user::write_array(request.ends, id.into(), &[end])?;
            user::write_array(request.text, start.into(), text)?;
        }
    }
    argument.write(&request)?;
    if has_room && request.text_length <= request.text_capacity {
        Ok(())
    } else {
        Err(ENOSPC)
    }
}
