// SPDX-License-Identifier: GPL-2.0
//! A loaded model: its facts, and text to ids and back.

use anyhow::{Context, Result, ensure};
use sislm_engine::abi::{ADAPTERS_MAX, Facts, Plan, Segment, TOKEN_BYTES_MAX};

use super::memory::Memory;
use super::status::{done, finish};
use super::*;

/// `SISLM_TOKENIZE_BOS` of the device's interface.
const BOS: u32 = 1 << 0;
/// `SISLM_TOKENIZE_CONTROL`.
const CONTROL: u32 = 1 << 1;

/// A model; read-only.
pub struct Model {
    pub(super) memory: Memory,
    pub(super) _arena: Vec<Memory>,
    // INVARIANT: describes `_arena`.
    pub(super) _segments: Box<[Segment]>,
    pub(super) _vocabulary: Memory,
    /// What the header says.
    pub facts: Facts,
    /// Its memory by part.
    pub plan: Plan,
    /// SHA-256 of the file.
    pub digest: [u8; 32],
    /// Size of the file.
    pub file_bytes: u64,
    /// `tokenizer.chat_template` of the file.
    pub chat_template: Option<Vec<u8>>,
    /// Its adapters, each loaded as a model is.
    pub(super) adapters: Vec<Model>,
    /// What they are multiplied by, millionths.
    pub(super) scales: [i32; ADAPTERS_MAX],
}

// SAFETY: The segments point into memory the model owns, which is read-only once it is loaded.
unsafe impl Sync for Model {}
// SAFETY: As above.
unsafe impl Send for Model {}

impl Model {
    pub(super) fn base(&self) -> *const u8 {
        self.memory.base()
    }

    /// Its adapters, for the engine.
    pub(super) fn adapters(&self) -> Vec<*const u8> {
        self.adapters.iter().map(Model::base).collect()
    }

    /// SHA-256 of the files of its adapters; zeroes behind the last.
    pub fn adapter_digests(&self) -> [[u8; 32]; ADAPTERS_MAX] {
        let mut digests = [[0; 32]; ADAPTERS_MAX];
        for (digest, adapter) in digests.iter_mut().zip(&self.adapters) {
            *digest = adapter.digest;
        }
        digests
    }

    /// What they are multiplied by, millionths; zeroes behind the last.
    pub fn scales(&self) -> [i32; ADAPTERS_MAX] {
        self.scales
    }

    /// Refuses a model without a head, which has hidden states alone.
    pub fn ensure_head(&self) -> Result<()> {
        ensure!(
            self.facts.passes == 1,
            "the model has no head: it makes embeddings (sislm-host embed)"
        );
        Ok(())
    }

    /// Ids of a text; as at position 0 with `first`.
    pub fn tokenize(
        &self,
        text: &[u8],
        first: bool,
        control: bool,
        budget: u32,
    ) -> Result<Vec<u32>> {
        let mut size = 0;
        // SAFETY: The model is sealed; `size` is a live local.
        done(unsafe { sislm_engine_tokenize_size(self.base(), text.len(), &mut size) })
            .context("the text is too long")?;
        let work = Memory::new(size)?;
        let flags = if first { BOS } else { 0 } | if control { CONTROL } else { 0 };
        // SAFETY: Zeroed memory of the size asked for; the text lives to the end of this function.
        done(unsafe {
            sislm_engine_tokenize_begin(
                work.base(),
                work.len(),
                self.base(),
                text.as_ptr(),
                text.len(),
                std::ptr::null(),
                0,
                flags,
            )
        })?;
        // SAFETY: The workspace was begun.
        finish(|| unsafe { sislm_engine_tokenize_run(work.base(), budget) })?;
        let (mut ids, mut count) = (std::ptr::null(), 0);
        // SAFETY: It ran to its end.
        done(unsafe { sislm_engine_tokenize_ids(work.base(), &mut ids, &mut count) })?;
        if count == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: `count` ids in the workspace, which is still there.
        Ok(unsafe { std::slice::from_raw_parts(ids, count as usize) }.to_vec())
    }

    /// Whether a token ends a turn.
    pub fn ends(&self, id: u32) -> Result<bool> {
        let (mut kind, mut ends) = (0, 0);
        // SAFETY: The model is sealed; the others are live locals.
        done(unsafe { sislm_engine_token(self.base(), id, &mut kind, &mut ends) })?;
        Ok(ends != 0)
    }

    /// Bytes of one id; the space prefix is removed with `first`.
    pub fn detokenize(&self, id: u32, first: bool) -> Result<Vec<u8>> {
        let mut text = vec![0; TOKEN_BYTES_MAX];
        let mut length = 0;
        // SAFETY: `text` is as long as said.
        done(unsafe {
            sislm_engine_detokenize(
                self.base(),
                id,
                if first { BOS } else { 0 },
                text.as_mut_ptr(),
                text.len(),
                &mut length,
            )
        })
        .with_context(|| format!("no text for id {id}"))?;
        text.truncate(length as usize);
        Ok(text)
    }
}
