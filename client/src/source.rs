// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model to load: a file, or the parts of a split model.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use nix::sys::memfd::{memfd_create, MFdFlags};

use crate::split::{Part, Split, SplitError};
use crate::uapi::sislm_part;
use crate::Digest;

/// The bytes of a model, in one file or in ranges of several.
#[derive(Debug)]
pub struct Source {
    /// The whole model, or a header in memory.
    beginning: File,
    /// What follows it.
    parts: Vec<Part>,
    bytes: u64,
}

/// Why a model is not there to be loaded.
#[derive(Debug)]
pub enum SourceError {
    /// The file cannot be opened.
    Open {
        /// Its path.
        path: PathBuf,
        /// What opening it gave.
        error: io::Error,
    },
    /// Its parts do not go together.
    Split(SplitError),
    /// The header of a split model does not fit into memory.
    Memory(io::Error),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { path, error } => write!(f, "cannot open {}: {error}", path.display()),
            Self::Split(error) => error.fmt(f),
            Self::Memory(error) => write!(
                f,
                "the header of the split model cannot be held in memory ({error}); free some memory and try again"
            ),
        }
    }
}

impl std::error::Error for SourceError {}

impl Source {
    /// The model in the file at `path`, with the other parts where it is a part of a split model.
    ///
    /// # Errors
    ///
    /// [`SourceError`]
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SourceError> {
        let path = path.as_ref();
        match Split::find(path).map_err(SourceError::Split)? {
            Some(split) => Self::of_split(split).map_err(SourceError::Memory),
            None => File::open(path)
                .and_then(Self::of_file)
                .map_err(|error| SourceError::Open {
                    path: path.to_owned(),
                    error,
                }),
        }
    }

    /// The model in `file`, which is open for reading.
    ///
    /// # Errors
    ///
    /// The size of `file` cannot be read.
    pub fn of_file(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self {
            beginning: file,
            parts: Vec::new(),
            bytes,
        })
    }

    fn of_split(split: Split) -> io::Result<Self> {
        let memory = memfd_create(c"sislm-header", MFdFlags::MFD_CLOEXEC)?;
        let mut beginning = File::from(memory);
        beginning.write_all(&split.header)?;
        let data: u64 = split.parts.iter().map(|part| part.bytes).sum();
        Ok(Self {
            beginning,
            bytes: data.saturating_add(split.header.len() as u64),
            parts: split.parts,
        })
    }

    /// Bytes of the model, all parts together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest that the model gets when it is loaded.
    ///
    /// # Errors
    ///
    /// What reading a file gives.
    pub fn digest(&self) -> io::Result<Digest> {
        let mut file = &self.beginning;
        file.rewind()?;
        let ranges = self.parts.iter().map(|part| {
            let mut file = &part.file;
            file.seek(SeekFrom::Start(part.offset))?;
            Ok(file.take(part.bytes))
        });
        Digest::of(file, ranges)
    }

    /// The file that the model begins with.
    pub(crate) fn beginning(&self) -> &File {
        &self.beginning
    }

    /// All files that hold a part of the model.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        let parts = self.parts.iter().map(|part| &part.file);
        std::iter::once(&self.beginning).chain(parts)
    }

    /// What follows the beginning, as LOAD takes it.
    pub(crate) fn parts(&self) -> Vec<sislm_part> {
        let part = |part: &Part| sislm_part {
            fd: part.file.as_raw_fd(),
            pad: 0,
            offset: part.offset,
            bytes: part.bytes,
        };
        self.parts.iter().map(part).collect()
    }
}
