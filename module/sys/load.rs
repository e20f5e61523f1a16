// SPDX-License-Identifier: GPL-2.0
//! Loading: the engine's load machine with the memory it works in.

use super::{
    memory::{Memory, Owner},
    model::{Facts, ModelMemory},
    neon::Section,
    wall::{self, status, Fault, Header, Limits, Plan, Progress, Read},
};
use core::mem::MaybeUninit;
use kernel::{error::Error, prelude::*};

pub(crate) use super::wall::{Plan as LoadPlan, Read as LoadRead, Refusal, READ_BYTES_MAX};

/// Items of the header, entries of the vocabulary or so handled in one section.
const BUDGET: u32 = 256;

/// Why a load ends early.
pub(crate) enum LoadError {
    /// Something went wrong here.
    Errno(Error),
    /// The engine refuses the model.
    Refused(Refusal),
    /// The header is longer: so many bytes from the start of the file are needed at least.
    Short(u64),
}

impl From<Error> for LoadError {
    fn from(error: Error) -> Self {
        Self::Errno(error)
    }
}

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
}

fn no_refusal() -> Refusal {
    Refusal {
        reason: 0,
        pad: 0,
        detail: 0,
        subject: [0; 64],
    }
}

/// A load in progress.
pub(crate) struct Load {
    state: Memory,
    model: Option<ModelMemory>,
    scratch: Option<Memory>,
    section: Section,
}

impl Load {
    /// Begins with the first bytes of the file.
    pub(crate) fn begin(limits: &LoadLimits, prefix: &[u8]) -> Result<Self, LoadError> {
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
        };
        let code = section.enter(|_| {
            // SAFETY: `state` is zeroed memory of the size the engine asked for.
            unsafe {
                wall::sislm_engine_load_begin(
                    state.base(),
                    state.len(),
                    &limits,
                    prefix.as_ptr(),
                    prefix.len(),
                )
            }
        });
        check(code, &header, &refusal)?;
        Ok(Self {
            state,
            model: None,
            scratch: None,
            section,
        })
    }

    /// Parses some of the header. `prefix` is the file from its start, at least as long as before.
    pub(crate) fn header(&mut self, prefix: &[u8]) -> Result<Progress, LoadError> {
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

    /// What the model needs, once the header is parsed.
    pub(crate) fn plan(&mut self, prefix: &[u8]) -> Result<Plan, LoadError> {
        let mut refusal = no_refusal();
        let mut plan = Plan {
            model_bytes: 0,
            arena_bytes: 0,
            weight_bytes: 0,
            vocabulary_bytes: 0,
            scratch_bytes: 0,
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
        let model = ModelMemory::new(plan, pause)?;
        let scratch = Memory::sized(plan.scratch_bytes, Owner::Model)?;
        let (descriptor, descriptor_bytes) = model.descriptor();
        let table = model.table();
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
                    scratch.base(),
                    scratch.len(),
                )
            }
        });
        check(code, &Header { need: 0 }, &no_refusal())?;
        self.model = Some(model);
        self.scratch = Some(scratch);
        Ok(())
    }

    /// Builds some of the vocabulary tables.
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
        let progress = check(code, &Header { need: 0 }, &refusal)?;
        if progress == Progress::Done {
            self.scratch = None;
        }
        Ok(progress)
    }

    /// The next piece of the file, in file order and without gaps; 0 bytes at the end.
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

    /// Packs one chunk of the piece last asked for.
    pub(crate) fn pack(&mut self, data: &[u8], chunk: u32) -> Result<(), LoadError> {
        self.attached()?;
        let mut refusal = no_refusal();
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `vocabulary`; `data` is the piece.
            unsafe {
                wall::sislm_engine_load_pack(state, data.as_ptr(), data.len(), chunk, &mut refusal)
            }
        });
        check(code, &Header { need: 0 }, &refusal).map(|_| ())
    }

    /// Seals the model.
    pub(crate) fn finish(mut self) -> Result<(ModelMemory, Facts), LoadError> {
        self.attached()?;
        let mut refusal = no_refusal();
        // SAFETY: Integers: zeroes are a value.
        let mut facts: Facts = unsafe { MaybeUninit::zeroed().assume_init() };
        let state = self.state.base();
        let code = self.section.enter(|_| {
            // SAFETY: As in `vocabulary`.
            unsafe { wall::sislm_engine_load_finish(state, &mut facts, &mut refusal) }
        });
        check(code, &Header { need: 0 }, &refusal)?;
        Ok((self.model.ok_or(EINVAL)?, facts))
    }

    /// Bytes held by the load itself, the model included.
    pub(crate) fn bytes(&self) -> u64 {
        let model = self.model.as_ref().map_or(0, ModelMemory::bytes);
        let scratch = self.scratch.as_ref().map_or(0, Memory::len);
        model
            .saturating_add(scratch as u64)
            .saturating_add(self.state.len() as u64)
    }

    fn attached(&self) -> Result {
        self.model.as_ref().map(|_| ()).ok_or(EINVAL)
    }
}

fn check(code: i32, header: &Header, refusal: &Refusal) -> Result<Progress, LoadError> {
    status(code).map_err(|fault| match fault {
        Fault::Refused => LoadError::Refused(*refusal),
        Fault::Short => LoadError::Short(header.need),
        other => LoadError::Errno(other.into()),
    })
}
