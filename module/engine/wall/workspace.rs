// SPDX-License-Identifier: GPL-2.0
//! The workspace of sampling and scoring.

use core::mem::{MaybeUninit, size_of};

use crate::abi::{ALIGN, Bias, DONE, MORE, Samplers, TOKEN_BYTES_MAX, fault};
use crate::sampling::{Candidate, Fault, Memory, Progress, Sampler, Score};

use super::model::loaded;
use crate::memory::pod::{Pod, cast_mut};

// SAFETY: A transparent u64, every value of which is a candidate.
unsafe impl Pod for Candidate {}

/// Bytes of the header of the workspace.
const HEADER: usize = size_of::<Header>().next_multiple_of(ALIGN);

/// Which machine a workspace holds.
pub(super) const SAMPLER: u32 = 1;
/// As above.
pub(super) const SCORE: u32 = 2;

/// Start of the workspace; behind it the window (context u32), DRY's matches (context u64) and the
/// candidates (vocabulary).
#[repr(C)]
pub(super) struct Header {
    /// [`SAMPLER`], [`SCORE`], or 0 for none: zeroed memory.
    machine: u32,
    /// Candidates asked for.
    pub top: u32,
    window: usize,
    /// Of the row.
    pub logits: *const f32,
    /// Their number.
    pub vocabulary: usize,
    work_bytes: usize,
    /// What a draw was begun with.
    pub draw: DrawnFrom,
    /// Room for the text of a token.
    text: [u8; TOKEN_BYTES_MAX],
    /// There when `machine` says so.
    pub sampler: MaybeUninit<Sampler>,
    /// As above.
    pub score: MaybeUninit<Score>,
}

/// What the calls of a draw refer to: it lives to the end of the draw.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct DrawnFrom {
    /// The sealed model.
    pub model: *const u8,
    /// The samplers.
    pub samplers: *const Samplers,
    /// The biases.
    pub biases: *const Bias,
    /// Their number.
    pub bias_count: usize,
    /// The tokens of the context.
    pub history: *const u32,
    /// Their number.
    pub count: usize,
    /// A bit for each token that may be drawn, or null for all.
    pub allowed: *const u32,
}

/// Vocabulary and longest context of a model.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// Token ids.
    pub vocabulary: usize,
    /// Positions.
    pub context: usize,
}

impl Shape {
    /// Of a model; `None` when its load is not finished.
    ///
    /// # Safety
    ///
    /// `model` is a model's memory.
    pub(super) unsafe fn of(model: *const u8) -> Option<Shape> {
        if model.is_null() {
            return None;
        }
        // SAFETY: The caller's promise.
        let shape = unsafe { &loaded(model)?.model.shape };
        Some(Shape {
            vocabulary: shape.vocabulary as usize,
            context: shape.context as usize,
        })
    }

    fn window_bytes(self) -> Option<usize> {
        self.context.checked_mul(4)?.checked_next_multiple_of(ALIGN)
    }

    fn matches_bytes(self) -> Option<usize> {
        self.context.checked_mul(8)?.checked_next_multiple_of(ALIGN)
    }

    /// Bytes of a workspace.
    pub(super) fn bytes(self) -> Option<usize> {
        let candidates = self.vocabulary.checked_mul(size_of::<Candidate>())?;
        HEADER
            .checked_add(self.window_bytes()?)?
            .checked_add(self.matches_bytes()?)?
            .checked_add(candidates)
    }
}

/// A workspace, cut.
pub(super) struct Work<'a> {
    /// Which machine, and the machine.
    pub header: &'a mut Header,
    /// Tokens looked back at.
    pub window: &'a mut [u32],
    /// Repetitions found by DRY.
    pub matches: &'a mut [u64],
    /// One per token of the vocabulary.
    pub candidates: &'a mut [Candidate],
}

impl<'a> Work<'a> {
    /// Cuts a workspace for a shape; `None` when it is too short.
    ///
    /// # Safety
    ///
    /// `work` points at `bytes` initialized bytes, exclusive to the caller for `'a`, zeroed or left
    /// by these functions.
    pub(super) unsafe fn new(work: *mut u8, bytes: usize, shape: Shape) -> Option<Self> {
        let needed = shape.bytes()?;
        if work.is_null() || !work.addr().is_multiple_of(ALIGN) || bytes < needed {
            return None;
        }
        // SAFETY: Long enough and aligned; any bytes are a valid `Header`; the two do not overlap.
        let (header, rest) = unsafe {
            let rest = core::slice::from_raw_parts_mut(work.wrapping_add(HEADER), needed - HEADER);
            (&mut *work.cast::<Header>(), rest)
        };
        let (window, rest) = rest.split_at_mut_checked(shape.window_bytes()?)?;
        let (matches, rest) = rest.split_at_mut_checked(shape.matches_bytes()?)?;
        Some(Self {
            header,
            window: cast_mut(window)?,
            matches: cast_mut(matches)?,
            candidates: cast_mut(rest)?,
        })
    }

    /// Cuts a workspace that was begun.
    ///
    /// # Safety
    ///
    /// As [`Work::new`], with a workspace `new` has seen.
    pub(super) unsafe fn again(work: *mut u8, machine: u32) -> Option<Self> {
        if work.is_null() || !work.addr().is_multiple_of(ALIGN) {
            return None;
        }
        // SAFETY: The caller's promise.
        let header = unsafe { &*work.cast::<Header>() };
        if header.machine != machine {
            return None;
        }
        let shape = Shape {
            vocabulary: header.vocabulary,
            context: header.window,
        };
        let bytes = header.work_bytes;
        // SAFETY: The caller's promise; the borrow above has ended.
        unsafe { Self::new(work, bytes, shape) }
    }

    /// The machine that draws, when one was begun, and its memory.
    ///
    /// # Safety
    ///
    /// `sampler` was written.
    pub(super) unsafe fn sampler(&mut self) -> (&mut Sampler, Memory<'_>) {
        let Header { sampler, text, .. } = &mut *self.header;
        let memory = Memory {
            window: self.window,
            matches: self.matches,
            candidates: self.candidates,
            text,
        };
        // SAFETY: The caller's promise.
        (unsafe { sampler.assume_init_mut() }, memory)
    }

    /// The memory of a machine that is to draw.
    pub(super) fn memory(&mut self) -> Memory<'_> {
        Memory {
            window: self.window,
            matches: self.matches,
            candidates: self.candidates,
            text: &mut self.header.text,
        }
    }

    /// Notes what was begun.
    pub(super) fn begun(
        &mut self,
        machine: u32,
        shape: Shape,
        logits: *const u8,
        work_bytes: usize,
    ) {
        self.header.machine = machine;
        self.header.logits = logits.cast();
        self.header.vocabulary = shape.vocabulary;
        self.header.window = shape.context;
        self.header.work_bytes = work_bytes;
    }
}

/// A list of the caller's, such as the logits of a model; `None` for one that is not there.
///
/// # Safety
///
/// `first` points at `count` values that live and do not change for `'a`, or is null.
pub(super) unsafe fn list<'a, T>(first: *const T, count: usize) -> Option<&'a [T]> {
    if count == 0 {
        return Some(&[]);
    }
    if first.is_null() || !first.is_aligned() {
        return None;
    }
    // SAFETY: The caller's promise.
    Some(unsafe { core::slice::from_raw_parts(first, count) })
}

/// What a machine says, as a status of the wall.
pub(super) fn status(result: Result<Progress, Fault>) -> i32 {
    match result {
        Ok(Progress::Done) => DONE,
        Ok(Progress::More) => MORE,
        Err(Fault::Numeric) => fault::NUMERIC,
        Err(Fault::Argument) => fault::ARGUMENT,
    }
}
