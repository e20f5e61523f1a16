// SPDX-License-Identifier: GPL-2.0
//! Loading a model file: read, hashed and packed in one pass, in file order.
//!
//! The bytes that are parsed are those that are hashed and packed: nothing is read twice. While the
//! loading task reads a piece, the workers hash and pack the one before; then it helps them.

use crate::{
    limits::Limits,
    models::{loaded::Loaded, metadata::Metadata, shelf::LoadProgress, source::Source},
    sys::{
        errno::{EOPNOTSUPP, ESTALE},
        load::{Load, LoadError, LoadLimits, LoadPlan, LoadRead, Refusal, READ_BYTES_MAX},
        memory::{ensure_available, Memory, Owner},
        model::ModelMemory,
        piece::Piece,
        task,
        uapi::{
            SISLM_LOAD_ARCHITECTURE, SISLM_LOAD_LIMIT, SISLM_LOAD_SPLIT, SISLM_LOAD_TENSOR_TYPE,
            SISLM_LOAD_TENSOR_UNKNOWN, SISLM_LOAD_TOKENIZER, SISLM_LOAD_TRUNCATED,
            SISLM_LOAD_UNSUPPORTED, SISLM_LOAD_VECTOR_TYPE, SISLM_LOAD_VERSION,
            SISLM_NOTE_METADATA,
        },
        Progress,
    }, //
};
use kernel::{
    prelude::*,
    sync::{atomic::Relaxed, Arc},
    time::{Instant, Monotonic}, //
};

/// First part of the file that is read to parse the header.
const PREFIX_BYTES: u64 = 1 << 16;

/// Those who may help with a piece.
pub(crate) trait Helpers {
    /// Offers a piece to them, unless they have one of another load.
    fn share(&self, piece: &Arc<Piece>);

    /// Ends [`Helpers::share`].
    fn unshare(&self, piece: &Arc<Piece>);
}

/// Time spent in the parts of a load, nanoseconds; parts may run at the same time.
#[derive(Default)]
pub(crate) struct LoadTimes {
    /// In the digest.
    pub(crate) digest: u64,
    /// In packing, by all tasks together.
    pub(crate) pack: u64,
    /// In reading.
    pub(crate) read: u64,
}

/// Runs `body` and adds its time to `total`.
pub(crate) fn timed<R>(total: &mut u64, body: impl FnOnce() -> R) -> R {
    let start = Instant::<Monotonic>::now();
    let result = body();
    let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(0);
    *total = total.saturating_add(elapsed);
    result
}

/// A refusal by the module itself.
fn refusal(reason: u32, detail: u64) -> LoadError {
    LoadError::Refused(Refusal {
        reason,
        kind: 0,
        detail,
        subject: [0; 64],
        value: [0; 32],
    })
}

/// The errno of a refusal.
pub(crate) fn refusal_errno(reason: u32) -> Error {
    match reason {
        SISLM_LOAD_LIMIT => EFBIG,
        SISLM_LOAD_VERSION
        | SISLM_LOAD_ARCHITECTURE
        | SISLM_LOAD_TOKENIZER
        | SISLM_LOAD_TENSOR_TYPE
        | SISLM_LOAD_UNSUPPORTED
        | SISLM_LOAD_SPLIT
        | SISLM_LOAD_TENSOR_UNKNOWN
        | SISLM_LOAD_VECTOR_TYPE => EOPNOTSUPP(),
        _ => EINVAL,
    }
}

/// The beginning of the file: as much as parsing the header needs, read once.
struct Prefix<'a> {
    file: &'a Source,
    bytes: Memory,
    size: u64,
    most: u64,
}

impl<'a> Prefix<'a> {
    fn new(
        file: &'a Source,
        size: u64,
        most: u64,
        times: &mut LoadTimes,
    ) -> Result<Self, LoadError> {
        let first = size.min(PREFIX_BYTES);
        if first == 0 {
            return Err(refusal(SISLM_LOAD_TRUNCATED, 0));
        }
        let mut bytes = Memory::sized(first, Owner::Model)?;
        read_all(file, 0, &mut bytes, times)?;
        Ok(Self {
            file,
            bytes,
            size,
            most,
        })
    }

    /// Reads on until it holds at least `need` bytes: at least twice as many as before.
    fn grow(&mut self, need: u64, times: &mut LoadTimes) -> Result<(), LoadError> {
        let held = self.bytes.len() as u64;
        if need > self.size || held >= self.size {
            return Err(refusal(SISLM_LOAD_TRUNCATED, need));
        }
        if need > self.most {
            return Err(refusal(SISLM_LOAD_LIMIT, need));
        }
        let larger = need
            .max(held.saturating_mul(2))
            .min(self.size)
            .min(self.most);
        ensure_available(larger)?;
        let mut bytes = Memory::sized(larger, Owner::Model)?;
        let (old, new) = bytes.split_at_mut_checked(self.bytes.len()).ok_or(EINVAL)?;
        old.copy_from_slice(&self.bytes);
        read_all(self.file, held, new, times)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Fills `piece` with the file from `offset`: what is held is not read again.
    fn read(&self, offset: u64, piece: &mut [u8], times: &mut LoadTimes) -> Result<(), LoadError> {
        let held = usize::try_from(offset)
            .ok()
            .and_then(|start| self.bytes.get(start..))
            .unwrap_or(&[]);
        let held = held.get(..piece.len()).unwrap_or(held);
        let (from_held, from_file) = piece.split_at_mut_checked(held.len()).ok_or(EINVAL)?;
        from_held.copy_from_slice(held);
        let rest = offset.saturating_add(held.len() as u64);
        read_all(self.file, rest, from_file, times)
    }
}

/// Fills `buffer` from the file; `ESTALE` when it has become shorter.
pub(super) fn read_all(
    file: &Source,
    offset: u64,
    buffer: &mut [u8],
    times: &mut LoadTimes,
) -> Result<(), LoadError> {
    for (index, part) in buffer.chunks_mut(READ_BYTES_MAX).enumerate() {
        interrupted()?;
        let start = (index as u64).saturating_mul(READ_BYTES_MAX as u64);
        let offset = offset.saturating_add(start);
        if timed(&mut times.read, || file.read(offset, part))? != part.len() {
            return Err(ESTALE().into());
        }
    }
    Ok(())
}

/// Between two sections.
pub(super) fn pause() -> Result {
    task::relax();
    interrupted()
}

/// `ERESTARTSYS` when a signal waits: a load that was only stopped or frozen begins again.
fn interrupted() -> Result {
    task::interrupted().map_err(|_| ERESTARTSYS)
}

fn parse(load: &mut Load, prefix: &mut Prefix<'_>, times: &mut LoadTimes) -> Result<(), LoadError> {
    loop {
        match load.header(&prefix.bytes) {
            Ok(Progress::Done) => return Ok(()),
            Ok(Progress::More) => {}
            Err(LoadError::Short(need)) => prefix.grow(need, times)?,
            Err(error) => return Err(error),
        }
        pause()?;
    }
}

/// Reads a piece, which has to begin where the last one ended.
fn fill(
    load: &mut Load,
    prefix: &Prefix<'_>,
    read: &LoadRead,
    end: u64,
    times: &mut LoadTimes,
) -> Result<(), LoadError> {
    // In file order without gaps, or the digest would be of something else.
    if read.offset != end {
        return Err(EIO.into());
    }
    let piece = load.buffer()?.get_mut(..read.bytes as usize).ok_or(EIO)?;
    prefix.read(read.offset, piece, times)
}

/// Reads, hashes and packs the file of `size` bytes from its first to its last.
fn pack(
    load: &mut Load,
    prefix: &Prefix<'_>,
    size: u64,
    helpers: &impl Helpers,
    progress: &LoadProgress,
    times: &mut LoadTimes,
) -> Result<(), LoadError> {
    let mut done = 0u64;
    let mut read = load.next()?;
    fill(load, prefix, &read, done, times)?;
    while read.bytes != 0 {
        pause()?;
        let following = load.next()?;
        let piece = load.publish(read)?;
        helpers.share(&piece);
        done = done.saturating_add(u64::from(read.bytes));
        let filled = fill(load, prefix, &following, done, times);
        while load.work(&piece) {
            if pause().is_err() {
                piece.withdraw();
            }
        }
        let packed = piece.wait();
        helpers.unshare(&piece);
        let (digest_ns, pack_ns) = piece.times();
        times.digest = times.digest.saturating_add(digest_ns);
        times.pack = times.pack.saturating_add(pack_ns);
        // What is wrong with this piece comes before what is wrong with the next.
        packed?;
        let before = progress.done.load(Relaxed);
        let all = before.saturating_add(u64::from(read.bytes));
        progress.done.store(all, Relaxed);
        filled?;
        read = following;
    }
    if done != size {
        return Err(EIO.into());
    }
    Ok(())
}

/// A loaded model that an adapter is for.
#[derive(Clone, Copy)]
pub(crate) struct Base<'a> {
    /// It.
    pub(crate) memory: &'a Arc<ModelMemory>,
    /// Bytes that it holds with the adapters before.
    pub(crate) bytes: u64,
}

/// Loads `file`, a model or an adapter of `base`. A signal ends it with `ERESTARTSYS`.
pub(crate) fn load(
    file: &Source,
    limits: &Limits,
    helpers: &impl Helpers,
    progress: &LoadProgress,
    times: &mut LoadTimes,
    base: Option<Base<'_>>,
) -> Result<KBox<Loaded>, LoadError> {
    let size = file.size();
    let held = base.map_or(0, |base| base.bytes);
    let mut prefix = Prefix::new(file, size, limits.header_bytes, times)?;
    let keep = LoadLimits {
        file_bytes: size,
        model_bytes: limits.model_bytes.saturating_sub(held),
        context: limits.context,
        simd: limits.simd,
        segment_bytes: limits.segment_bytes,
    };
    let mut load = loop {
        match Load::begin(&keep, &prefix.bytes, base.map(|base| base.memory)) {
            Err(LoadError::Short(need)) => prefix.grow(need, times)?,
            other => break other?,
        }
    };
    parse(&mut load, &mut prefix, times)?;
    let plan: LoadPlan = load.plan(&prefix.bytes)?;
    let metadata = Metadata::new(|key| load.string(&prefix.bytes, key))?;
    let packed = plan
        .arena_bytes
        .saturating_add(metadata.bytes())
        .saturating_add(plan.vocabulary_bytes)
        .saturating_add(plan.model_bytes);
    if packed > keep.model_bytes {
        return Err(refusal(SISLM_LOAD_LIMIT, packed));
    }
    // CAST: At most READ_BYTES_MAX.
    let buffer_bytes = size.min(READ_BYTES_MAX as u64) as usize;
    let buffers = (buffer_bytes as u64).saturating_mul(2);
    ensure_available(packed.saturating_add(buffers))?;
    load.attach(&plan, interrupted)?;
    // An adapter has none.
    while base.is_none() && load.vocabulary(&prefix.bytes)? == Progress::More {
        pause()?;
    }
    load.take_buffers(buffer_bytes)?;
    let peak_bytes = load
        .bytes()
        .saturating_add(prefix.bytes.len() as u64)
        .saturating_add(metadata.bytes())
        .saturating_add(held);
    pack(&mut load, &prefix, size, helpers, progress, times)?;
    while load.complete()? == Progress::More {
        pause()?;
    }
    finish(load, &plan, metadata, size, peak_bytes)
}

/// What the load found out. Apart from the load, whose stack is deep.
#[inline(never)]
fn finish(
    load: KBox<Load>,
    plan: &LoadPlan,
    metadata: KBox<Metadata>,
    file_bytes: u64,
    peak_bytes: u64,
) -> Result<KBox<Loaded>, LoadError> {
    let (memory, mut facts, digest) = KBox::into_inner(load).finish()?;
    if metadata.is_incomplete() {
        facts.notes |= SISLM_NOTE_METADATA;
    }
    let loaded = Loaded {
        memory,
        facts,
        digest,
        file_bytes,
        weight_bytes: plan.weight_bytes,
        vocabulary_bytes: plan.vocabulary_bytes,
        descriptor_bytes: plan.model_bytes.saturating_add(metadata.bytes()),
        metadata,
        peak_bytes,
    };
    Ok(KBox::new(loaded, GFP_KERNEL).map_err(Error::from)?)
}
