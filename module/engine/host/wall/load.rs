// SPDX-License-Identifier: GPL-2.0
//! Loads a model: the header as a growing prefix, then the file in order, hashed and packed.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use sislm_engine::abi::{
    ADAPTERS_MAX, DONE, Facts, Header, Limits, Plan, READ_BYTES_MAX, Read, Refusal, Segment,
};

use super::memory::Memory;
use super::model::Model;
use super::status::{Fault, done, explain, no_refusal};
use super::*;
use crate::adapter::Adapter;
use crate::source::Source;

/// Bytes of the first prefix; doubled until the header is in it.
const PREFIX_BYTES: u64 = 64 << 10;

/// How a model is loaded.
pub struct Loader {
    /// `SISLM_SIMD_*` the weights are packed for.
    pub simd: u32,
    /// Most positions of a context.
    pub context: u32,
    /// Tasks that pack.
    pub threads: u32,
    /// Units of work of one call of a resumable function.
    pub budget: u32,
    /// Bytes of a segment of the arena.
    pub segment_bytes: u32,
}

impl Loader {
    /// Loads the model at `path` with adapters and their scales.
    pub fn load(&self, path: &Path, adapters: &[Adapter]) -> Result<Model> {
        ensure!(
            adapters.len() <= ADAPTERS_MAX,
            "a model has at most {ADAPTERS_MAX} adapters"
        );
        let mut model = self.load_one(path, None)?;
        for (index, adapter) in adapters.iter().enumerate() {
            let name = || format!("the adapter {}", adapter.path.display());
            let loaded = self.load_one(&adapter.path, Some(&model));
            model.adapters.push(loaded.with_context(name)?);
            model.scales[index] = adapter.scale;
        }
        Ok(model)
    }

    /// Loads the file at `path`: an adapter of `base` where there is one.
    fn load_one(&self, path: &Path, base: Option<&Model>) -> Result<Model> {
        let file = Source::open(path)?;
        let file_bytes = file.bytes();
        let limits = Limits {
            file_bytes,
            model_bytes: u64::MAX,
            context: self.context,
            simd: self.simd,
            segment_bytes: self.segment_bytes,
            pad: 0,
        };
        let mut prefix = Prefix {
            file: &file,
            file_bytes,
            memory: Memory::new(0)?,
        };
        prefix.grow(24)?;
        let of = base.map_or(std::ptr::null(), Model::base);
        let load = self.begin(&mut prefix, &limits, of)?;
        let plan = self.header(&mut prefix, &load)?;
        let chat_template = string(&load, &mut prefix.memory, b"tokenizer.chat_template")?;

        let memory = Memory::new(plan.model_bytes)?;
        let arena = segments(plan.arena_bytes, self.segment_bytes)?;
        let table: Box<[Segment]> = arena
            .iter()
            .map(|part| Segment {
                base: part.base(),
                bytes: part.len(),
            })
            .collect();
        let vocabulary = Memory::new(plan.vocabulary_bytes)?;
        // SAFETY: All blocks are aligned, zeroed, of the planned sizes, and outlive the model.
        done(unsafe {
            sislm_engine_load_attach(
                load.base(),
                memory.base(),
                memory.len(),
                table.as_ptr(),
                u32::try_from(table.len())?,
                vocabulary.base(),
                vocabulary.len(),
            )
        })?;
        if base.is_none() {
            self.vocabulary(&prefix, &load)?;
        }
        let digest = self.pack(&file, file_bytes, &load)?;
        // SAFETY: All-zero bytes are a valid `Facts`.
        let mut facts: Facts = unsafe { std::mem::zeroed() };
        self.until_done(|refusal| {
            // SAFETY: All pieces were packed; the pointers are to live locals.
            unsafe { sislm_engine_load_finish(load.base(), self.budget, &mut facts, refusal) }
        })?;
        Ok(Model {
            memory,
            _arena: arena,
            _segments: table,
            _vocabulary: vocabulary,
            facts,
            plan,
            digest,
            file_bytes,
            chat_template,
            adapters: Vec::new(),
            scales: [0; ADAPTERS_MAX],
        })
    }

    /// Builds the vocabulary tables.
    fn vocabulary(&self, prefix: &Prefix<'_>, load: &Memory) -> Result<()> {
        self.until_done(|refusal| {
            // SAFETY: The prefix holds the header; `load` is exclusive to this call.
            unsafe {
                sislm_engine_load_vocabulary(
                    load.base(),
                    prefix.memory.base(),
                    prefix.memory.len(),
                    self.budget,
                    refusal,
                )
            }
        })
    }

    /// Checks the first bytes and makes the load state.
    fn begin(&self, prefix: &mut Prefix<'_>, limits: &Limits, base: *const u8) -> Result<Memory> {
        let mut size = 0;
        prefix.until_long_enough(|memory, header, refusal| {
            // SAFETY: The prefix is `len` bytes; the others are live locals.
            unsafe {
                sislm_engine_load_size(memory.base(), memory.len(), header, &mut size, refusal)
            }
        })?;
        let load = Memory::new(size)?;
        // SAFETY: Zeroed memory of the size asked for; the prefix is `len` bytes; a model outlives its adapters.
        done(unsafe {
            sislm_engine_load_begin(
                load.base(),
                load.len(),
                limits,
                prefix.memory.base(),
                prefix.memory.len(),
                base,
            )
        })?;
        Ok(load)
    }

    /// Parses the header and plans the memory.
    fn header(&self, prefix: &mut Prefix<'_>, load: &Memory) -> Result<Plan> {
        prefix.until_long_enough(|memory, header, refusal| {
            // SAFETY: `load` was begun; the prefix is the file from its start.
            unsafe {
                sislm_engine_load_header(
                    load.base(),
                    memory.base(),
                    memory.len(),
                    self.budget,
                    header,
                    refusal,
                )
            }
        })?;
        let mut plan = Plan {
            model_bytes: 0,
            arena_bytes: 0,
            weight_bytes: 0,
            vocabulary_bytes: 0,
            item_bytes: 0,
        };
        self.until_done(|refusal| {
            // SAFETY: The header was parsed from this prefix.
            unsafe {
                sislm_engine_load_plan(
                    load.base(),
                    prefix.memory.base(),
                    prefix.memory.len(),
                    &mut plan,
                    refusal,
                )
            }
        })?;
        Ok(plan)
    }

    /// Reads, hashes and packs the file in order; its SHA-256.
    fn pack(&self, file: &Source, file_bytes: u64, load: &Memory) -> Result<[u8; 32]> {
        let mut hash = Sha256::new();
        let mut hashed = 0;
        loop {
            let mut read = Read {
                offset: 0,
                bytes: 0,
                chunks: 0,
            };
            // SAFETY: `load` is attached and exclusive to this call.
            done(unsafe { sislm_engine_load_next(load.base(), &mut read) })?;
            if read.bytes == 0 {
                break;
            }
            ensure!(
                read.offset == hashed,
                "the engine leaves a gap at {hashed} of the file"
            );
            ensure!(
                read.bytes as usize <= READ_BYTES_MAX,
                "the engine asks for more than a read may have"
            );
            // A block of its own size, so that a sanitizer sees an access past its end.
            let mut piece = Memory::new(u64::from(read.bytes))?;
            file.read(read.offset, piece.bytes_mut())
                .context("the file ends early")?;
            hash.update(&*piece.bytes_mut());
            hashed += u64::from(read.bytes);
            self.pack_chunks(load, &piece, &read)?;
        }
        ensure!(
            hashed == file_bytes,
            "the engine left out the end of the file"
        );
        Ok(hash.finalize().into())
    }

    /// Packs one piece on all threads.
    fn pack_chunks(&self, load: &Memory, data: &Memory, read: &Read) -> Result<()> {
        let next = AtomicU32::new(0);
        let failure = Mutex::new(None::<(u32, Fault, Refusal)>);
        let work = || {
            loop {
                let chunk = next.fetch_add(1, Ordering::Relaxed);
                if chunk >= read.chunks {
                    break;
                }
                let mut refusal = no_refusal();
                // SAFETY: The piece last asked for; each chunk is packed once.
                let status = unsafe {
                    sislm_engine_load_pack(
                        load.base(),
                        data.base(),
                        read.bytes as usize,
                        read.offset,
                        chunk,
                        &mut refusal,
                    )
                };
                if let Err(fault) = done(status) {
                    let mut first = failure.lock().expect("no task panics");
                    if first.as_ref().is_none_or(|(other, ..)| chunk < *other) {
                        *first = Some((chunk, fault, refusal));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.threads.min(read.chunks) {
                scope.spawn(work);
            }
            work();
        });
        match failure.into_inner().expect("no task panics") {
            Some((_, fault, refusal)) => Err(explain(fault, &refusal)),
            None => Ok(()),
        }
    }

    fn until_done(&self, mut call: impl FnMut(&mut Refusal) -> i32) -> Result<()> {
        let mut refusal = no_refusal();
        loop {
            match done(call(&mut refusal)) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(fault) => return Err(explain(fault, &refusal)),
            }
        }
    }
}

/// The string of metadata key `key`.
fn string(load: &Memory, prefix: &mut Memory, key: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut text = Text::NONE;
    // SAFETY: The header was parsed from this prefix; the others are live.
    done(unsafe {
        let (base, bytes) = (prefix.base(), prefix.len());
        sislm_engine_load_string(load.base(), base, bytes, key.as_ptr(), key.len(), &mut text)
    })?;
    if text.offset == 0 {
        return Ok(None);
    }
    let rest = prefix.bytes_mut().get(usize::try_from(text.offset)?..);
    let length = usize::try_from(text.bytes)?;
    let string = rest.and_then(|rest| rest.get(..length));
    Ok(Some(string.context("a string past the header")?.to_vec()))
}

/// The beginning of the file in memory.
struct Prefix<'a> {
    file: &'a Source,
    file_bytes: u64,
    memory: Memory,
}

impl Prefix<'_> {
    /// Reads at least `need` bytes, or all there is.
    fn grow(&mut self, need: u64) -> Result<()> {
        let have = self.memory.len() as u64;
        let bytes = need.max(have * 2).max(PREFIX_BYTES).min(self.file_bytes);
        let mut memory = Memory::new(bytes)?;
        self.file.read(0, memory.bytes_mut())?;
        self.memory = memory;
        Ok(())
    }

    /// Calls until done, with a longer prefix whenever the engine asks for one.
    fn until_long_enough(
        &mut self,
        mut call: impl FnMut(&Memory, &mut Header, &mut Refusal) -> i32,
    ) -> Result<()> {
        loop {
            let (mut header, mut refusal) = (Header { need: 0 }, no_refusal());
            let status = call(&self.memory, &mut header, &mut refusal);
            match done(status) {
                Ok(_) if status == DONE => return Ok(()),
                Ok(_) => {}
                Err(Fault::Short) if header.need > self.file_bytes => {
                    bail!("the file ends inside its header: {} bytes", self.file_bytes)
                }
                Err(Fault::Short) => self.grow(header.need)?,
                Err(fault) => return Err(explain(fault, &refusal)),
            }
        }
    }
}

/// The arena: segments of equal size, the last cut to size.
fn segments(bytes: u64, segment_bytes: u32) -> Result<Vec<Memory>> {
    let whole = u64::from(segment_bytes);
    (0..bytes.div_ceil(whole))
        .map(|i| Memory::new((bytes - i * whole).min(whole)))
        .collect()
}
