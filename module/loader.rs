// SPDX-License-Identifier: GPL-2.0
//! Loading a model file: read, hashed and packed in one pass, in file order.
//!
//! The bytes that are parsed are those that are hashed and packed: nothing is read twice.

use crate::{
    limits::Limits,
    model::Loaded,
    registry::LoadProgress,
    sys::{
        digest::Sha256,
        errno::{EOPNOTSUPP, ESTALE},
        file::ModelFile,
        load::{Load, LoadError, LoadLimits, LoadPlan, LoadRead, Refusal, READ_BYTES_MAX},
        memory::{ensure_available, Memory, Owner},
        task,
        uapi::{
            SISLM_LOAD_ARCHITECTURE, SISLM_LOAD_LIMIT, SISLM_LOAD_TENSOR_TYPE,
            SISLM_LOAD_TOKENIZER, SISLM_LOAD_TRUNCATED, SISLM_LOAD_VERSION,
        },
        Progress,
    },
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    time::{Instant, Monotonic}, //
};

/// First part of the file that is read to parse the header.
const PREFIX_BYTES: u64 = 1 << 16;

/// Time spent in the parts of a load, nanoseconds.
#[derive(Default)]
pub(crate) struct LoadTimes {
    /// In the digest.
    pub(crate) digest: u64,
    /// In packing.
    pub(crate) pack: u64,
    /// In reading.
    pub(crate) read: u64,
}

/// Runs `body` and adds its time to `total`.
fn timed<R>(total: &mut u64, body: impl FnOnce() -> R) -> R {
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
        pad: 0,
        detail,
        subject: [0; 64],
    })
}

/// The errno of a refusal.
pub(crate) fn refusal_errno(reason: u32) -> Error {
    match reason {
        SISLM_LOAD_LIMIT => EFBIG,
        SISLM_LOAD_VERSION
        | SISLM_LOAD_ARCHITECTURE
        | SISLM_LOAD_TOKENIZER
        | SISLM_LOAD_TENSOR_TYPE => EOPNOTSUPP(),
        _ => EINVAL,
    }
}

/// The beginning of the file: as much as parsing the header needs, read once.
struct Prefix<'a> {
    file: &'a ModelFile,
    bytes: Memory,
    size: u64,
    most: u64,
}

impl<'a> Prefix<'a> {
    fn new(
        file: &'a ModelFile,
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
fn read_all(
    file: &ModelFile,
    offset: u64,
    buffer: &mut [u8],
    times: &mut LoadTimes,
) -> Result<(), LoadError> {
    for (index, part) in buffer.chunks_mut(READ_BYTES_MAX).enumerate() {
        task::interrupted()?;
        let start = (index as u64).saturating_mul(READ_BYTES_MAX as u64);
        let offset = offset.saturating_add(start);
        if timed(&mut times.read, || file.read(offset, part))? != part.len() {
            return Err(ESTALE().into());
        }
    }
    Ok(())
}

/// Between two sections.
fn pause() -> Result {
    task::relax();
    task::interrupted()
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

/// Reads, hashes and packs the file from its first byte to its last.
fn pack(
    load: &mut Load,
    prefix: &Prefix<'_>,
    progress: &LoadProgress,
    times: &mut LoadTimes,
) -> Result<[u8; 32], LoadError> {
    let mut buffer = Memory::new(READ_BYTES_MAX, Owner::Model)?;
    let mut digest = Sha256::new();
    let mut done = 0u64;
    loop {
        pause()?;
        let LoadRead {
            offset,
            bytes,
            chunks,
        } = load.next()?;
        if bytes == 0 {
            break;
        }
        // In file order without gaps, or the digest would be of something else.
        if offset != done {
            return Err(EIO.into());
        }
        let piece = buffer.get_mut(..bytes as usize).ok_or(EIO)?;
        prefix.read(offset, piece, times)?;
        timed(&mut times.digest, || digest.update(piece));
        for chunk in 0..chunks {
            timed(&mut times.pack, || load.pack(piece, chunk))?;
            pause()?;
        }
        done = done.saturating_add(u64::from(bytes));
        progress.done.store(done, Relaxed);
    }
    if done != progress.total {
        return Err(EIO.into());
    }
    Ok(digest.finish())
}

/// Loads `file`. A signal ends it with `EINTR`.
pub(crate) fn load(
    file: &ModelFile,
    limits: &Limits,
    progress: &LoadProgress,
    times: &mut LoadTimes,
) -> Result<Loaded, LoadError> {
    let size = progress.total;
    let mut prefix = Prefix::new(file, size, limits.header_bytes, times)?;
    let keep = LoadLimits {
        file_bytes: size,
        model_bytes: limits.model_bytes,
        context: limits.context,
        simd: limits.simd,
    };
    let mut load = loop {
        match Load::begin(&keep, &prefix.bytes) {
            Err(LoadError::Short(need)) => prefix.grow(need, times)?,
            other => break other?,
        }
    };
    parse(&mut load, &mut prefix, times)?;
    let plan: LoadPlan = load.plan(&prefix.bytes)?;
    let packed = plan.arena_bytes.saturating_add(plan.model_bytes);
    if packed > limits.model_bytes {
        return Err(refusal(SISLM_LOAD_LIMIT, packed));
    }
    let beside = plan.scratch_bytes.saturating_add(READ_BYTES_MAX as u64);
    ensure_available(packed.saturating_add(beside))?;
    load.attach(&plan, task::interrupted)?;
    let with_scratch = load.bytes().saturating_add(prefix.bytes.len() as u64);
    while load.vocabulary(&prefix.bytes)? == Progress::More {
        pause()?;
    }
    let with_buffer = load
        .bytes()
        .saturating_add(prefix.bytes.len() as u64)
        .saturating_add(READ_BYTES_MAX as u64);
    let digest = pack(&mut load, &prefix, progress, times)?;
    let (memory, facts) = load.finish()?;
    Ok(Loaded {
        memory,
        facts,
        digest,
        file_bytes: size,
        weight_bytes: plan.weight_bytes,
        vocabulary_bytes: plan.vocabulary_bytes,
        descriptor_bytes: plan.model_bytes,
        peak_bytes: with_scratch.max(with_buffer),
    })
}
