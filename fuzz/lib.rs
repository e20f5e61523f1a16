// SPDX-License-Identifier: GPL-2.0
//! What the fuzz targets share: models loaded from bytes, through the same functions and in the same
//! order as sislm-host and the module.

#[allow(dead_code)] // What sislm-host uses besides.
#[path = "../module/engine/host/adapter.rs"]
mod adapter;
pub mod chat;
#[allow(dead_code)] // What sislm-host uses besides.
#[path = "../module/engine/host/source.rs"]
mod source;
#[allow(dead_code)] // What the client uses besides.
#[path = "../client/src/split/mod.rs"]
mod split;
#[allow(dead_code)] // What sislm-host uses besides.
#[path = "../module/engine/host/wall/mod.rs"]
pub mod wall;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use adapter::Adapter;
use anyhow::Result;
use source::Source;
use wall::{Fault, Loader, Model, Sequence, Step, Team, Token};

/// Numbers that follow from a seed, for what an input need not say itself.
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number (xorshift64).
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        ((self.number() >> 11) % u64::from(end)) as u32
    }
}

/// Loads a file's bytes with so much work in a call, into segments of so many bytes.
pub fn load(data: &[u8], budget: u32, segment_bytes: u32) -> Result<Model> {
    // In memory: each process has one of its own.
    static FILE: LazyLock<PathBuf> =
        LazyLock::new(|| PathBuf::from(format!("/dev/shm/sislm-fuzz-{}", std::process::id())));
    fs::write(&*FILE, data)?;
    let model = loader(budget, segment_bytes).load(&FILE, &[]);
    fs::remove_file(&*FILE)?;
    model
}

/// Loads a model in parts, as [`load`] does; with it all of its bytes, in one. Of what is no part of a model that is the first
/// one.
pub fn load_parts(parts: &[&[u8]], budget: u32) -> Result<(Result<Model>, Vec<u8>)> {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = format!("/dev/shm/sislm-fuzz-parts-{}", std::process::id());
        fs::create_dir_all(&folder).expect("a folder in memory");
        folder.into()
    });
    let path = |number| FOLDER.join(format!("model-{number:05}-of-{:05}.gguf", parts.len()));
    for (number, part) in (1..).zip(parts) {
        fs::write(path(number), part)?;
    }
    let source = Source::open(&path(1))?;
    let mut whole = vec![0; source.bytes() as usize];
    source.read(0, &mut whole)?;
    Ok((loader(budget, 1 << 20).load(&path(1), &[]), whole))
}

/// Loads a model of the repository with an adapter's bytes, as [`load`] does.
pub fn load_adapter(data: &[u8], budget: u32, segment_bytes: u32) -> Result<Model> {
    static FILE: LazyLock<PathBuf> =
        LazyLock::new(|| PathBuf::from(format!("/dev/shm/sislm-fuzz-lora-{}", std::process::id())));
    fs::write(&*FILE, data)?;
    let adapter = Adapter {
        path: FILE.clone(),
        scale: 700_000,
    };
    let base = folder().join("malformed/sound.gguf");
    let model = loader(budget, segment_bytes).load(&base, &[adapter]);
    fs::remove_file(&*FILE)?;
    model
}

fn loader(budget: u32, segment_bytes: u32) -> Loader {
    Loader {
        simd: 1,
        context: 4096,
        threads: 1,
        budget,
        segment_bytes,
    }
}

/// The models of the repository.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../test_models"))
}

/// Logits, where the model has a head, and hidden states of tokens as bits, all in one step or each in
/// its own.
pub fn outputs(model: &Model, ids: &[u32], kv_type: u32, together: bool) -> String {
    let (count, passes) = (ids.len() as u32, model.facts.passes);
    let mut step = Step::new(model, count, 1, count, kv_type).expect("a step");
    let sequence = Sequence::new(kv_type, &step, count).expect("blocks");
    let mut team = Team::new(1);
    let tokens: Vec<Token<'_>> = (0..)
        .zip(ids)
        .map(|(position, &id)| Token {
            sequence: &sequence,
            position,
            id,
            logits: passes == 1,
            hidden_state: Some(if passes == 1 { position } else { count - 1 }),
        })
        .collect();
    let mut said = String::new();
    for pass in 0..passes {
        for batch in tokens.chunks(if together { ids.len() } else { 1 }) {
            step.pass(&mut team, batch, pass).expect("a pass");
            if pass + 1 < passes {
                continue;
            }
            for row in 0..batch.len() {
                if passes == 1 {
                    say(&mut said, step.logits(row));
                }
                say(&mut said, step.hidden_state(row));
            }
        }
    }
    said
}

/// Writes the bits of a row, or why there is none.
fn say(said: &mut String, row: Result<&[f32], Fault>) {
    match row {
        Ok(values) => {
            for value in values {
                write!(said, "{:08x}", value.to_bits()).expect("memory");
            }
        }
        Err(fault) => write!(said, "{fault:?}").expect("memory"),
    }
}

/// The models of the repository whose vocabularies and shapes differ.
pub fn models() -> &'static [Model] {
    static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
        [
            "random-llama-q4_0",
            "random-gpt2-q8_0",
            "kernel-docs-7m-q4_0",
            "bert-unigram",
        ]
        .map(|name| {
            let file = fs::read(folder().join(format!("{name}.gguf"))).expect("a model");
            load(&file, 1 << 20, 32 << 20).expect("a sound model")
        })
        .into()
    });
    &MODELS
}
