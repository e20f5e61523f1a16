// SPDX-License-Identifier: GPL-2.0
//! What the fuzz targets share: models loaded from bytes, through the same functions and in the same
//! order as sislm-host and the module.

#[allow(dead_code)] // What sislm-host uses besides.
#[path = "../module/engine/host/source.rs"]
mod source;
#[allow(dead_code)] // What the client uses besides.
#[path = "../client/src/split/mod.rs"]
mod split;
#[allow(dead_code)] // What sislm-host uses besides.
#[path = "../module/engine/host/wall/mod.rs"]
pub mod wall;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::Result;
use wall::{Loader, Model};

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
    let loader = Loader {
        simd: 1,
        context: 4096,
        threads: 1,
        budget,
        segment_bytes,
    };
    let model = loader.load(&FILE);
    fs::remove_file(&*FILE)?;
    model
}

/// The models of the repository whose vocabularies and shapes differ.
pub fn models() -> &'static [Model] {
    static MODELS: LazyLock<Vec<Model>> = LazyLock::new(|| {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../test_models"));
        [
            "random-llama-q4_0",
            "random-gpt2-q8_0",
            "kernel-docs-7m-q4_0",
        ]
        .map(|name| {
            let file = fs::read(folder.join(format!("{name}.gguf"))).expect("a model");
            load(&file, 1 << 20, 32 << 20).expect("a sound model")
        })
        .into()
    });
    &MODELS
}
