// SPDX-License-Identifier: GPL-2.0
//! Text to ids and back.

use super::{
    memory::{Memory, Owner},
    model::{engine_pointer, ModelMemory},
    neon::Section,
    uapi::Literal,
    wall::{self, status, Progress},
};
use core::slice;
use kernel::{prelude::*, sync::Arc};

pub(crate) use super::wall::TOKEN_BYTES_MAX;

const _: () = assert!(size_of::<Literal>() == size_of::<wall::Literal>());

/// Units of work of one section.
const BUDGET: u32 = 1024;

/// A text being turned into ids.
pub(crate) struct Tokenizer<'a> {
    work: Memory,
    _text: &'a [u8],
    _literal: &'a [Literal],
    _model: Arc<ModelMemory>,
}

impl<'a> Tokenizer<'a> {
    /// Begins with `text`; `flags` are `SISLM_TOKENIZE_*`, `literal` as in TOKENIZE.
    pub(crate) fn begin(
        section: &mut Section,
        model: &Arc<ModelMemory>,
        text: &'a [u8],
        literal: &'a [Literal],
        flags: u32,
    ) -> Result<Self> {
        let mut size = 0;
        let pointer = engine_pointer(model);
        let code = section.enter(|_| {
            // SAFETY: The model is sealed.
            unsafe { wall::sislm_engine_tokenize_size(pointer, text.len(), &mut size) }
        });
        status(code)?;
        let work = Memory::sized(size, Owner::Session)?;
        let code = section.enter(|_| {
            // SAFETY: Zeroed memory of the size asked for; text and literals, which are the wall's
            // field by field, are borrowed and the model kept by the value made below.
            unsafe {
                wall::sislm_engine_tokenize_begin(
                    work.base(),
                    work.len(),
                    pointer,
                    text.as_ptr(),
                    text.len(),
                    literal.as_ptr().cast(),
                    literal.len(),
                    flags,
                )
            }
        });
        status(code)?;
        Ok(Self {
            work,
            _text: text,
            _literal: literal,
            _model: model.clone(),
        })
    }

    /// Does some of it.
    pub(crate) fn run(&mut self, section: &mut Section) -> Result<Progress> {
        let work = self.work.base();
        let code = section.enter(|_| {
            // SAFETY: The workspace was begun.
            unsafe { wall::sislm_engine_tokenize_run(work, BUDGET) }
        });
        Ok(status(code)?)
    }

    /// The ids, after [`Progress::Done`].
    pub(crate) fn ids(&self, section: &mut Section) -> Result<&[u32]> {
        let (mut ids, mut count): (*const u32, u32) = (core::ptr::null(), 0);
        let work = self.work.base();
        let code = section.enter(|_| {
            // SAFETY: The workspace was begun.
            unsafe { wall::sislm_engine_tokenize_ids(work, &mut ids, &mut count) }
        });
        status(code)?;
        if count == 0 {
            return Ok(&[]);
        }
        // SAFETY: The engine gives `count` ids within the workspace, which `self` owns.
        Ok(unsafe { slice::from_raw_parts(ids, count as usize) })
    }
}

/// Puts the bytes of token `id` into `text`, [`TOKEN_BYTES_MAX`] bytes long; how many. `flags` as in the wall.
pub(crate) fn detokenize(
    section: &mut Section,
    model: &ModelMemory,
    id: u32,
    flags: u32,
    text: &mut [u8],
) -> Result<usize> {
    let mut length = 0;
    let code = section.enter(|_| {
        // SAFETY: The model is sealed; `text` is writable for its length.
        unsafe {
            wall::sislm_engine_detokenize(
                engine_pointer(model),
                id,
                flags,
                text.as_mut_ptr(),
                text.len(),
                &mut length,
            )
        }
    });
    status(code)?;
    Ok((length as usize).min(text.len()))
}

/// What token `id` of the model is, `SISLM_TOKEN_*`, and whether it ends a turn.
fn token(section: &mut Section, model: &ModelMemory, id: u32) -> Result<(u32, bool)> {
    let (mut kind, mut ends) = (0, 0);
    let code = section.enter(|_| {
        // SAFETY: The model is sealed; the others are places of our own.
        unsafe { wall::sislm_engine_token(engine_pointer(model), id, &mut kind, &mut ends) }
    });
    status(code)?;
    Ok((kind, ends != 0))
}

/// Whether token `id` of the model ends a turn.
pub(crate) fn ends(section: &mut Section, model: &ModelMemory, id: u32) -> Result<bool> {
    Ok(token(section, model, id)?.1)
}

/// What token `id` of the model is: `SISLM_TOKEN_*`.
pub(crate) fn kind(section: &mut Section, model: &ModelMemory, id: u32) -> Result<u8> {
    let (kind, _) = token(section, model, id)?;
    // CAST: At most SISLM_TOKEN_BYTE.
    Ok(kind as u8)
}
