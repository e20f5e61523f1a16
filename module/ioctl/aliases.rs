// SPDX-License-Identifier: GPL-2.0
//! ALIAS.

use super::require;
use crate::{
    models::{
        draw::Draw,
        name::{Name, Wanted},
    },
    records::recorder::Recorder,
    session::Session,
    sys::{
        node::is_administrator,
        uapi::{self, SISLM_ALIAS_SET, SISLM_RECORD_ALIAS, SISLM_WEIGHT_MAX, TARGETS},
        user::{bytes_of, Argument},
    }, //
};
use kernel::{fs::File, prelude::*, sync::Arc};

#[inline(never)]
pub(super) fn alias(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    // On the heap: with what it is set to it is larger than a stack should hold.
    let mut request: KBox<uapi::Alias> = argument.read_boxed()?;
    require(request.flags & !SISLM_ALIAS_SET == 0 && request.pinned == 0)?;
    let name = Name::optional(request.name)?;
    if request.flags & SISLM_ALIAS_SET != 0 {
        if !is_administrator(file) {
            return Err(EPERM);
        }
        let name = name.ok_or(EINVAL)?;
        set(session, name, &request)?;
        // What followed no version is gone.
        match session
            .shared()
            .registry
            .tell_alias(Some(name), &mut request)
        {
            Err(ENOENT) => tell_none(&mut request),
            told => told?,
        }
    } else {
        session.shared().registry.tell_alias(name, &mut request)?;
    }
    argument.write(&*request)
}

/// Sets `name` to what is asked for.
#[inline(never)]
fn set(session: &Arc<Session>, name: Name, request: &uapi::Alias) -> Result {
    let count = request.count as usize;
    let (given, rest) = request.targets.split_at_checked(count).ok_or(EINVAL)?;
    for unused in rest {
        require(bytes_of(unused).iter().all(|byte| *byte == 0))?;
    }
    let mut targets = KVec::with_capacity(TARGETS, GFP_KERNEL)?;
    for target in given {
        let wanted = Wanted::new(target.name)?;
        let is_weight = (1..=SISLM_WEIGHT_MAX).contains(&target.weight);
        require(wanted.version.is_some() && is_weight && target.pad == 0)?;
        let mut others = targets.iter();
        require(others.all(|(other, _)| *other != wanted))?;
        targets.push((wanted, target.weight), GFP_KERNEL)?;
    }
    let shared = session.shared();
    let (loads, draw) = shared.registry.set_alias(name, &targets)?;
    record(session, loads, draw, &shared.recorder);
    Ok(())
}

/// Makes the record of the change.
#[inline(never)]
fn record(session: &Arc<Session>, loads: [u64; TARGETS], draw: Draw, recorder: &Recorder) {
    let mut record = uapi::Record {
        kind: SISLM_RECORD_ALIAS,
        generation: draw.generation,
        weights: draw.weights,
        ..Default::default()
    };
    let places = record.commitment.chunks_exact_mut(size_of::<u64>());
    for (to, load) in places.zip(loads) {
        to.copy_from_slice(&load.to_le_bytes());
    }
    session.link.who().sign(&mut record);
    recorder.record(&mut record, |_| {});
}

/// The answer for a name that means nothing.
fn tell_none(request: &mut uapi::Alias) {
    request.generation = 0;
    request.count = 0;
    request.targets = Default::default();
}
