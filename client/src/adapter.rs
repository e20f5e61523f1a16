// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adapters (LoRA): files that are loaded with a model, and what a loaded model has.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;

use crate::name::text_of;
use crate::source::SourceError;
use crate::uapi::sislm_adapter_file;
use crate::Digest;

/// An adapter of a loaded model; the members are those of `struct sislm_adapter`.
pub use crate::uapi::sislm_adapter as Adapter;

impl Adapter {
    /// `general.name` of its file; empty when there is none.
    pub fn title(&self) -> String {
        text_of(&self.title)
    }

    /// SHA-256 of its file.
    pub fn digest(&self) -> Digest {
        Digest(self.digest)
    }
}

/// An adapter to load with a model.
#[derive(Debug)]
pub struct AdapterFile {
    file: File,
    scale: i32,
}

impl AdapterFile {
    /// The file at `path`, multiplied by `scale` millionths where a session does not say.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`]
    pub fn open(path: impl AsRef<Path>, scale: i32) -> Result<Self, SourceError> {
        let path = path.as_ref();
        match File::open(path) {
            Ok(file) => Ok(Self { file, scale }),
            Err(error) => Err(SourceError::Open {
                path: path.to_owned(),
                error,
            }),
        }
    }

    /// Its bytes; 0 when they cannot be known.
    pub fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// It, as LOAD takes it.
    pub(crate) fn raw(&self) -> sislm_adapter_file {
        sislm_adapter_file {
            fd: self.file.as_raw_fd(),
            scale: self.scale,
        }
    }
}
