// SPDX-License-Identifier: GPL-2.0
//! The bytes of a model: a file, or a header and the data of parts.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::split::{Part, Split};

/// A model to load.
pub struct Source {
    /// Of a split model; else empty.
    header: Vec<u8>,
    parts: Vec<Part>,
}

impl Source {
    /// The model in the file at `path`, with the other parts where it is a part of a split model.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(Split { header, parts }) = Split::find(path)? {
            return Ok(Self { header, parts });
        }
        let context = || format!("cannot open the model {}", path.display());
        let file = File::open(path).with_context(context)?;
        let bytes = file.metadata().with_context(context)?.len();
        let whole = Part {
            file,
            offset: 0,
            bytes,
        };
        Ok(Self {
            header: Vec::new(),
            parts: vec![whole],
        })
    }

    /// Bytes of all of it.
    pub fn bytes(&self) -> u64 {
        let data: u64 = self.parts.iter().map(|part| part.bytes).sum();
        data + self.header.len() as u64
    }

    /// Fills `buffer` from `offset` on.
    pub fn read(&self, offset: u64, mut buffer: &mut [u8]) -> Result<()> {
        let held = usize::try_from(offset)
            .ok()
            .and_then(|start| self.header.get(start..))
            .unwrap_or_default();
        let (from_header, rest) = buffer.split_at_mut(held.len().min(buffer.len()));
        from_header.copy_from_slice(&held[..from_header.len()]);
        buffer = rest;
        let mut within =
            (offset + from_header.len() as u64).saturating_sub(self.header.len() as u64);
        for part in &self.parts {
            let left = part.bytes.saturating_sub(within);
            let count = usize::try_from(left)?.min(buffer.len());
            let (piece, rest) = buffer.split_at_mut(count);
            part.file.read_exact_at(piece, part.offset + within)?;
            buffer = rest;
            within = within.saturating_sub(part.bytes);
        }
        ensure!(buffer.is_empty(), "the file ends early");
        Ok(())
    }
}
