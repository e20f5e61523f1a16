// SPDX-License-Identifier: GPL-2.0
//! Files with the bytes of a loaded model's.
//!
//! The memory that a model is packed into would be taken before its digest is known. So files of the same sizes as a
//! loaded model's are hashed first, into nothing: what is alike needs no second copy, and all others are not read twice.

use crate::{
    models::{
        loader::{pause, read_all, timed, LoadTimes},
        model::Model,
        registry::Registry,
        shelf::LoadProgress,
        source::Source,
    },
    sys::{
        digest::{Sha256, DIGEST_BYTES},
        load::{LoadError, READ_BYTES_MAX},
        memory::{Memory, Owner},
        uapi::SISLM_ADAPTERS_MAX,
    },
};
use kernel::{
    prelude::*,
    sync::{atomic::Relaxed, Arc}, //
};

/// Most files of a model.
const FILES: usize = SISLM_ADAPTERS_MAX as usize + 1;

/// The loaded model of the same files, a model's and its adapters'; none when there is none.
#[inline(never)]
pub(crate) fn find<'a>(
    registry: &Registry,
    files: impl Iterator<Item = &'a Source> + Clone,
    progress: &LoadProgress,
    times: &mut LoadTimes,
) -> Result<Option<Arc<Model>>, LoadError> {
    let sizes = |model: &Model| {
        let found = model.files().map(|(bytes, _)| bytes);
        found.eq(files.clone().map(Source::size))
    };
    if registry.like(sizes).is_none() {
        return Ok(None);
    }
    let mut digests = [[0; DIGEST_BYTES]; FILES];
    let mut count = 0usize;
    for (to, file) in digests.iter_mut().zip(files.clone()) {
        *to = digest(file, progress, times)?;
        count = count.saturating_add(1);
    }
    let digests = digests.get(..count).unwrap_or(&[]);
    let same = |model: &Model| model.files().map(|(_, digest)| digest).eq(digests);
    let found = registry.like(same);
    if found.is_none() {
        // It is read from its beginning.
        progress.done.store(0, Relaxed);
    }
    Ok(found)
}

/// SHA-256 of a file. A signal ends it with `ERESTARTSYS`.
fn digest(
    file: &Source,
    progress: &LoadProgress,
    times: &mut LoadTimes,
) -> Result<[u8; DIGEST_BYTES], LoadError> {
    let size = file.size();
    let mut buffer = Memory::sized(size.min(READ_BYTES_MAX as u64), Owner::Model)?;
    let mut hash = Sha256::new();
    let mut offset = 0u64;
    while offset < size {
        pause()?;
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let piece = buffer.get_mut(..most).ok_or(EINVAL)?;
        read_all(file, offset, piece, times)?;
        timed(&mut times.digest, || hash.update(piece));
        offset = offset.saturating_add(most as u64);
        let before = progress.done.load(Relaxed);
        let all = before.saturating_add(most as u64);
        progress.done.store(all, Relaxed);
    }
    Ok(hash.finish())
}
