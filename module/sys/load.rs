// SPDX-License-Identifier: GPL-2.0
//! Loading: the engine's load machine with the memory it works in.

use super::{
    memory::{Memory, Owner},
    model::{engine_pointer, Facts, ModelMemory},
    neon::Section,
    piece::{Piece, Source},
    refusal::{check, no_refusal},
    wall::{self, Header, Limits, Plan, Progress, Read, Text},
};
use core::{mem::MaybeUninit, slice};
use kernel::{error::Error, prelude::*, sync::Arc};

pub(crate) use super::refusal::LoadError;
pub(crate) use super::wall::{Plan as LoadPlan, Read as LoadRead, Refusal, READ_BYTES_MAX};

/// Items of the header, entries of the vocabulary or so handled in one section.
const BUDGET: u32 = 256;

/// What a model must keep to.
pub(crate) struct LoadLimits {
    /// Size of the file.
    pub(crate) file_bytes: u64,
    /// Most bytes of the packed model.
    pub(crate) model_bytes: u64,
    /// Most positions.
    pub(crate) context: u32,
    /// `SISLM_SIMD_*`.
    pub(crate) simd: u32,
    /// Bytes of a segment of the arena.
    pub(crate) segment_bytes: u32,
}

/// A load in progress.
///
/// Its calls are not inlined: the frame of who loads would hold what all of them need.
///
/// # Invariants
///
/// All pieces but `piece` are over, and the first buffer is not that of `piece`.
pub(crate) struct Load {
    state: Arc<Memory>,
    segment_bytes: usize,
    /// Of an adapter the model that it is for.
    _base: Option<Arc<ModelMemory>>,
    model: Option<Arc<ModelMemory>>,
    source: Option<Arc<Source>>,
    /// One that can be filled, and that of the last piece.
    buffers: Option<[Arc<Memory>; 2]>,
    piece: Option<Arc<Piece>>,
    /// Those of the completed model.
    facts: Option<Facts>,
    section: Section,
}

impl Load {
    /// Begins with the first bytes of the file, which is a model or an adapter of `base`. On the heap: the stack of a load is deep.
    #[inline(never)]
    pub(crate) fn begin(
        limits: &LoadLimits,
        prefix: &[u8],
        base: Option<&Arc<ModelMemory>>,
    ) -> Result<KBox<Self>, LoadError> {
        let mut section = Section::new()?;
        let (mut header, mut refusal, mut size) = (Header { need: 0 }, no_refusal(), 0u64);
        let code = section.enter(|_| {
            // SAFETY: `prefix` is readable for its length, the rest are places of our own.
            unsafe {
                wall::sislm_engine_load_size(
                    prefix.as_ptr(),
                    prefix.len(),
                    &mut header,
                    &mut size,
                    &mut refusal,
                )
            }
        });
        check(code, &header, &refusal)?;
        let state = Memory::sized(size, Owner::Model)?;
        let limits = Limits {
            file_bytes: limits.file_bytes,
            model_bytes: limits.model_bytes,
            context: limits.context,
            simd: limits.simd,
            segment_bytes: limits.segment_bytes,
            pad: 0,
        };
        let code = section.enter(|_| {
            // SAFETY: `state` is zeroed memory of the size the engine asked for; the value made below keeps
            // the model.
            unsafe {
                wall::sislm_engine_load_begin(
                    state.base(),
                    state.len(),
                    &limits,
                    prefix.as_ptr(),
                    prefix.len(),
                    base.map_or(core::ptr::null(), |base| engine_pointer(base)),
                )
            }
        });
        check(code, &header, &refusal)?;
        // INVARIANT: No piece.
        let load = Self {
            state: Arc::new(state, GFP_KERNEL).map_err(Error::from)?,
            segment_bytes: limits.segment_bytes as usize,
            _base: base.cloned(),
            model: None,
            source: None,
            buffers: None,
            piece: None,
            facts: None,
            section,
        };
        Ok(KBox::new(load, GFP_KERNEL).map_err(Error::from)?)
    }

    /// Parses some of the header. `prefix` is the file from its start, at least as long as before.
    #[inline(never)]
    pub(crate) fn header(&mut self, prefix: &[u8]) -> Result<Progress, LoadError> {
        self.idle()?;
        let (mut header, mut refusal) = (Header { need: 0 }, no_refusal());
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: `state` was begun; `prefix` is readable for its length.
            unsafe {
                wall::sislm_engine_load_header(
                    state,
                    prefix.as_ptr(),
                    prefix.len(),
                    BUDGET,
                    &mut header,
                    &mut refusal,
                )
            }
        });
        check(code, &header, &refusal)
    }

    /// The string of metadata key `key`, once the header is parsed.
    pub(crate) fn string<'a>(
        &mut self,
        prefix: &'a [u8],
        key: &[u8],
    ) -> Result<Option<&'a [u8]>, LoadError> {
        self.idle()?;
        let mut text = Text::NONE;
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `header`; `key` is readable for its length.
            unsafe {
                wall::sislm_engine_load_string(
                    state,
                    prefix.as_ptr(),
                    prefix.len(),
                    key.as_ptr(),
                    key.len(),
                    &mut text,
                )
            }
        });
        check(code, &Header { need: 0 }, &no_refusal())?;
        if text.offset == 0 {
            return Ok(None);
        }
        let start = usize::try_from(text.offset).map_err(|_| EINVAL)?;
        let bytes = usize::try_from(text.bytes).map_err(|_| EINVAL)?;
        let string = prefix.get(start..).and_then(|rest| rest.get(..bytes));
        Ok(Some(string.ok_or(EINVAL)?))
    }

    /// What the model needs, once the header is parsed.
    pub(crate) fn plan(&mut self, prefix: &[u8]) -> Result<Plan, LoadError> {
        self.idle()?;
        let mut refusal = no_refusal();
        let mut plan = Plan {
            model_bytes: 0,
            arena_bytes: 0,
            weight_bytes: 0,
            vocabulary_bytes: 0,
            item_bytes: 0,
        };
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `header`.
            unsafe {
                wall::sislm_engine_load_plan(
                    state,
                    prefix.as_ptr(),
                    prefix.len(),
                    &mut plan,
                    &mut refusal,
                )
            }
        });
        check(code, &Header { need: 0 }, &refusal)?;
        Ok(plan)
    }

    /// Takes the memory of `plan` and lays the model out in it.
    pub(crate) fn attach(
        &mut self,
        plan: &Plan,
        pause: impl FnMut() -> Result,
    ) -> Result<(), LoadError> {
        self.idle()?;
        let model = ModelMemory::new(plan, self.segment_bytes, pause)?;
        let (descriptor, descriptor_bytes) = model.descriptor();
        let table = model.table();
        let (vocabulary, vocabulary_bytes) = model.vocabulary();
        let count = u32::try_from(table.len()).map_err(|_| EFBIG)?;
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: All zeroed memory of the sizes asked for; the table and the segments live as
            // long as the descriptor, in `model`.
            unsafe {
                wall::sislm_engine_load_attach(
                    state,
                    descriptor,
                    descriptor_bytes,
                    table.as_ptr(),
                    count,
                    vocabulary,
                    vocabulary_bytes,
                )
            }
        });
        check(code, &Header { need: 0 }, &no_refusal())?;
        self.model = Some(Arc::new(model, GFP_KERNEL).map_err(Error::from)?);
        Ok(())
    }

    /// Builds some of the vocabulary tables.
    #[inline(never)]
    pub(crate) fn vocabulary(&mut self, prefix: &[u8]) -> Result<Progress, LoadError> {
        self.attached()?;
        let mut refusal = no_refusal();
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: The load is attached to memory that `self` owns.
            unsafe {
                wall::sislm_engine_load_vocabulary(
                    state,
                    prefix.as_ptr(),
                    prefix.len(),
                    BUDGET,
                    &mut refusal,
                )
            }
        });
        check(code, &Header { need: 0 }, &refusal)
    }

    /// Takes two buffers of `bytes` for pieces.
    pub(crate) fn take_buffers(&mut self, bytes: usize) -> Result {
        self.idle()?;
        let model = self.model.clone().ok_or(EINVAL)?;
        let buffer = || Ok::<_, Error>(Arc::new(Memory::new(bytes, Owner::Model)?, GFP_KERNEL)?);
        self.buffers = Some([buffer()?, buffer()?]);
        self.source = Some(Source::new(self.state.clone(), model)?);
        Ok(())
    }

    /// The buffer that the next piece is read into.
    pub(crate) fn buffer(&mut self) -> Result<&mut [u8]> {
        let [buffer, _] = self.buffers.as_ref().ok_or(EINVAL)?;
        // SAFETY: By the invariant the pieces that refer to it are over; borrowed from `self`, so that
        // none is made meanwhile.
        Ok(unsafe { slice::from_raw_parts_mut(buffer.base(), buffer.len()) })
    }

    /// Lets `read`, which was read into the buffer, be hashed and packed. `EBUSY` unless the piece
    /// before is over.
    pub(crate) fn publish(&mut self, read: Read) -> Result<Arc<Piece>, LoadError> {
        self.idle()?;
        let source = self.source.clone().ok_or(EINVAL)?;
        let buffers = self.buffers.as_mut().ok_or(EINVAL)?;
        buffers.swap(0, 1);
        let [_, buffer] = buffers;
        // SAFETY: The engine is called with the state only when the piece is over: `idle` sees to it.
        let piece = unsafe { Piece::new(source, buffer.clone(), read)? };
        // INVARIANT: The piece before is over, and the buffers are swapped.
        self.piece = Some(piece.clone());
        Ok(piece)
    }

    /// The next piece of the file, in file order and without gaps; 0 bytes at the end. It may be
    /// asked for before the one before is published. `EBUSY` while a piece is not over.
    pub(crate) fn next(&mut self) -> Result<Read, LoadError> {
        self.attached()?;
        let mut read = Read {
            offset: 0,
            bytes: 0,
            chunks: 0,
        };
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `vocabulary`.
            unsafe { wall::sislm_engine_load_next(state, &mut read) }
        });
        check(code, &Header { need: 0 }, &no_refusal())?;
        Ok(read)
    }

    /// Does one part of a piece in this task's own section; false when none is free.
    pub(crate) fn work(&mut self, piece: &Piece) -> bool {
        piece.work(&mut self.section)
    }

    /// Makes some of the tables of rotations once all pieces are over, and seals the model.
    #[inline(never)]
    pub(crate) fn complete(&mut self) -> Result<Progress, LoadError> {
        self.attached()?;
        let mut refusal = no_refusal();
        // SAFETY: Integers: zeroes are a value.
        let mut facts: Facts = unsafe { MaybeUninit::zeroed().assume_init() };
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `vocabulary`.
            unsafe { wall::sislm_engine_load_finish(state, BUDGET, &mut facts, &mut refusal) }
        });
        let progress = check(code, &Header { need: 0 }, &refusal)?;
        if progress == Progress::Done {
            self.facts = Some(facts);
        }
        Ok(progress)
    }

    /// The completed model, its facts and the digest of the file.
    pub(crate) fn finish(self) -> Result<(Arc<ModelMemory>, Facts, [u8; 32])> {
        let digest = self.source.ok_or(EINVAL)?.digest()?;
        let facts = self.facts.ok_or(EINVAL)?;
        Ok((self.model.ok_or(EINVAL)?, facts, digest))
    }

    /// Bytes held by the load itself, the model included.
    pub(crate) fn bytes(&self) -> u64 {
        let model = self.model.as_ref().map_or(0, |model| model.bytes());
        let buffers = self.buffers.iter().flatten();
        let buffers = buffers.fold(0usize, |sum, buffer| sum.saturating_add(buffer.len()));
        model
            .saturating_add(buffers as u64)
            .saturating_add(self.state.len() as u64)
    }

    fn attached(&self) -> Result {
        self.idle()?;
        self.model.as_ref().map(|_| ()).ok_or(EINVAL)
    }

    /// `EBUSY` while a piece is not over.
    fn idle(&self) -> Result {
        match &self.piece {
            Some(piece) if !piece.is_over() => Err(EBUSY),
            _ => Ok(()),
        }
    }
}
