// SPDX-License-Identifier: MIT OR Apache-2.0
//! Split models: parts named `NAME-00001-of-0000N.gguf`, which are one model.
//!
//! The first part has the keys, each part some of the tensors. One header is made of all: the keys without
//! `split.*`, and the tensors in the order of the parts. Behind it follows the data of each part, as it is in
//! its file. This is the file that the parts were split from, where llama.cpp's tools wrote it.

mod error;
mod file_name;
mod header;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

pub use error::{SplitError, SplitReason};
use file_name::PartPath;
use header::Header;

/// Most parts of a model.
const PARTS_MAX: u32 = 256;

/// A model in parts.
#[derive(Debug)]
pub(crate) struct Split {
    /// The header of the whole, up to the data of the tensors.
    pub header: Vec<u8>,
    /// Where the data is, in order.
    pub parts: Vec<Part>,
}

/// A range of a file.
#[derive(Debug)]
pub(crate) struct Part {
    /// The file, open for reading.
    pub file: File,
    /// The first byte of the range.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
}

impl Split {
    /// The model that the file at `path` is a part of, whichever; None when it is a whole model, or shows to be
    /// no model at all.
    ///
    /// # Errors
    ///
    /// A part is missing, damaged, or of another model.
    pub(crate) fn find(path: &Path) -> Result<Option<Self>, SplitError> {
        let Some(names) = PartPath::new(path) else {
            return Ok(None);
        };
        let says = |part: &Opened| part.header.split[1].is_some_and(|count| count > 1);
        if !Opened::new(path).is_ok_and(|part| says(&part)) {
            return Ok(None);
        }
        let first = names.of(1);
        if names.count > PARTS_MAX {
            return Err(fault(&first, SplitReason::Count(PARTS_MAX)));
        }
        let mut parts = Vec::new();
        for number in 1..=names.count {
            let path = names.of(number);
            let part = Opened::new(&path).map_err(|reason| fault(&path, reason))?;
            let wanted = [u64::from(number - 1), u64::from(names.count)].map(Some);
            if part.header.split[..2] != wanted {
                let count = names.count;
                return Err(fault(&path, SplitReason::Foreign { number, count }));
            }
            parts.push(part);
        }
        Self::join(parts, &names).map(Some)
    }

    fn join(parts: Vec<Opened>, names: &PartPath<'_>) -> Result<Self, SplitError> {
        let found = parts
            .iter()
            .map(|part| part.header.tensors.len() as u64)
            .sum();
        let first = parts.first().map(|part| &part.header);
        let wanted = first.and_then(|header| header.split[2]).unwrap_or(found);
        let alignment = first.map_or(1, |header| header.alignment);
        if found != wanted {
            let reason = SplitReason::Tensors { found, wanted };
            return Err(fault(&names.of(1), reason));
        }
        let mut header = b"GGUF\x03\0\0\0".to_vec();
        header.extend(found.to_le_bytes());
        header.extend(first.map_or(0, |header| header.pair_count).to_le_bytes());
        header.extend(first.map_or(&[][..], |header| &header.pairs));
        let mut end = 0u64;
        for (number, part) in (1..).zip(&parts) {
            let path = || names.of(number);
            if part.header.alignment != alignment {
                return Err(fault(&path(), SplitReason::Alignment));
            }
            for tensor in &part.header.tensors {
                let offset = end.checked_add(tensor.offset);
                let offset = offset.ok_or_else(|| fault(&path(), SplitReason::Damaged))?;
                header.extend(&tensor.description);
                header.extend(offset.to_le_bytes());
            }
            end = end.saturating_add(part.data_bytes());
            // The next part's data has to begin where tensors may.
            if !end.is_multiple_of(alignment) && number < names.count {
                return Err(fault(&path(), SplitReason::Damaged));
            }
        }
        let padding = (header.len() as u64).next_multiple_of(alignment);
        header.resize(usize::try_from(padding).unwrap_or(usize::MAX), 0);
        let parts = parts.into_iter().map(Opened::data).collect();
        Ok(Self { header, parts })
    }
}

/// What the name of a part has before its number; None for other names, and where that is nothing.
pub fn name(path: &Path) -> Option<&OsStr> {
    Some(PartPath::new(path)?.name).filter(|name| !name.is_empty())
}

fn fault(path: &Path, reason: SplitReason) -> SplitError {
    let path = path.to_owned();
    SplitError { path, reason }
}

/// A part, open.
struct Opened {
    file: File,
    bytes: u64,
    header: Header,
}

impl Opened {
    fn new(path: &Path) -> Result<Self, SplitReason> {
        let file = File::open(path).map_err(SplitReason::Read)?;
        let bytes = file.metadata().map_err(SplitReason::Read)?.len();
        let header = Header::read(BufReader::new(&file)).map_err(|error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => SplitReason::Damaged,
            _ => SplitReason::Read(error),
        })?;
        if header.data > bytes && !header.tensors.is_empty() {
            return Err(SplitReason::Damaged);
        }
        Ok(Self {
            file,
            bytes,
            header,
        })
    }

    /// A part that has keys alone may end before its padding.
    fn data_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.header.data)
    }

    fn data(self) -> Part {
        Part {
            offset: self.header.data.min(self.bytes),
            bytes: self.data_bytes(),
            file: self.file,
        }
    }
}

#[cfg(test)]
mod tests;
