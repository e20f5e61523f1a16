// SPDX-License-Identifier: GPL-2.0
//! The header's parser: a resumable machine over the part of the file that is in memory.

use super::metadata::Strings;
use super::order::{Layout, Sort, Walk};
use super::table::{TableMut, table_bytes};
use super::value::Value;
use super::{Cursor, Kind, Metadata, Reason, Refusal, Stop, TensorInfo, Tensors};

/// Bytes of the fixed part: magic, version, number of tensors, number of metadata keys.
pub const FIXED_BYTES: usize = 24;
/// Most metadata keys.
const KEYS_MAX: u64 = 4096;
/// Most tensors.
const TENSORS_MAX: u64 = 8192;
/// Longest metadata key, in bytes.
const KEY_BYTES_MAX: u64 = 256;
/// Alignment of tensors where the file does not say.
const ALIGNMENT: u32 = 32;

/// How far a machine came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Finished.
    Done,
    /// The budget is used up.
    More,
    /// The part of the file in memory is too short.
    Short {
        /// Bytes from the start of the file that are needed at least.
        need: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Keys,
    /// Walks over the elements of an array of strings.
    Elements { strings: Strings, left: u32 },
    Tensors,
    Sorting(Sort),
    Placing(Walk),
    Finished,
}

/// The machine. It holds positions and values, no references.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    file_bytes: u64,
    /// Offset of the next item.
    at: usize,
    keys: u32,
    tensors: u32,
    /// Items of the present kind that are done.
    done: u32,
    stage: Stage,
    metadata: Metadata,
    data: u64,
}

impl Parser {
    /// Reads the fixed part, [`FIXED_BYTES`] long. `None` when `prefix` is shorter than it.
    pub fn new(prefix: &[u8], file_bytes: u64) -> Option<Result<Self, Refusal>> {
        match Self::read_fixed(prefix, file_bytes) {
            Ok(parser) => Some(Ok(parser)),
            Err(Stop::Short(_)) => None,
            Err(Stop::Refused(refusal)) => Some(Err(refusal)),
        }
    }

    fn read_fixed(prefix: &[u8], file_bytes: u64) -> Result<Self, Stop> {
        let mut cursor = Cursor::new(prefix, 0, file_bytes);
        if cursor.array()? != *b"GGUF" {
            return Err(Refusal::new(Reason::NotGguf, 0, b"").into());
        }
        let version = cursor.u32()?;
        if !matches!(version, 2 | 3) {
            return Err(Refusal::new(Reason::Version, u64::from(version), b"").into());
        }
        let tensors = capped(cursor.u64()?, TENSORS_MAX, b"tensors")?;
        let keys = capped(cursor.u64()?, KEYS_MAX, b"metadata keys")?;
        Ok(Self {
            file_bytes,
            at: cursor.at(),
            keys,
            tensors,
            done: 0,
            stage: Stage::Keys,
            metadata: Metadata::default(),
            data: 0,
        })
    }

    /// Bytes of the table that [`Parser::run`] fills.
    pub fn table_bytes(&self) -> u64 {
        table_bytes(self.keys, self.tensors)
    }

    /// Goes on with about `budget` items (keys, array elements, tensors). `prefix` is the file
    /// from its start, `table` is the same memory in each call, zeroed before the first.
    ///
    /// # Errors
    /// The refusal; the machine must not be run again.
    pub fn run(
        &mut self,
        prefix: &[u8],
        table: &mut [u8],
        budget: u32,
    ) -> Result<Progress, Refusal> {
        let small = Refusal::new(Reason::Limit, self.table_bytes(), b"tensor table");
        let mut table = TableMut::new(table, self.keys, self.tensors).ok_or(small)?;
        for _ in 0..budget {
            match self.step(prefix, &mut table) {
                Ok(()) if matches!(self.stage, Stage::Finished) => return Ok(Progress::Done),
                Ok(()) => {}
                Err(Stop::Short(need)) => return Ok(Progress::Short { need }),
                Err(Stop::Refused(refusal)) => return Err(refusal),
            }
        }
        Ok(Progress::More)
    }

    /// The metadata; complete after [`Progress::Done`].
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors, after [`Progress::Done`]; `None` when `table` is not the table.
    pub fn tensors<'a>(&self, table: &'a [u8]) -> Option<Tensors<'a>> {
        Tensors::new(table, self.keys, self.tensors)
    }

    /// Bytes of the header, without padding; after [`Progress::Done`].
    pub fn header_bytes(&self) -> u64 {
        self.at as u64
    }

    /// Offset of the data section; after [`Progress::Done`].
    pub fn data_offset(&self) -> u64 {
        self.data
    }

    /// Does one item, wholly or not at all.
    fn step(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        match self.stage {
            Stage::Keys if self.done == self.keys => {
                self.done = 0;
                self.stage = Stage::Tensors;
            }
            Stage::Keys => self.read_key(prefix, table)?,
            Stage::Elements { strings, left: 0 } => {
                self.metadata.close(strings, self.at);
                self.stage = Stage::Keys;
            }
            Stage::Elements { strings, left } => {
                let mut cursor = self.cursor(prefix);
                cursor.string()?;
                self.at = cursor.at();
                self.stage = Stage::Elements { strings, left: left - 1 };
            }
            Stage::Tensors if self.done == self.tensors => {
                let mask = u64::from(self.alignment()) - 1;
                self.data = (self.at as u64 + mask) & !mask;
                self.stage = Stage::Sorting(Sort::new(self.tensors));
            }
            Stage::Tensors => self.read_tensor(prefix, table)?,
            Stage::Sorting(ref mut sort) => {
                if sort.step(table) {
                    self.stage = Stage::Placing(Walk::new(self.data));
                }
            }
            Stage::Placing(mut walk) => {
                let layout = Layout {
                    data: self.data,
                    alignment: self.alignment(),
                    file_bytes: self.file_bytes,
                };
                let finished = walk.step(table, layout, prefix)?;
                self.stage = if finished { Stage::Finished } else { Stage::Placing(walk) };
            }
            Stage::Finished => {}
        }
        Ok(())
    }

    fn read_key(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        let start = self.at;
        let mut cursor = self.cursor(prefix);
        let length = cursor.u64()?;
        if length > KEY_BYTES_MAX {
            return Err(Refusal::new(Reason::Count, length, b"key").into());
        }
        let key = cursor.bytes(length)?;
        let value = Value::read(&mut cursor, key)?;
        table.add_key(prefix, key, start as u32)?;
        self.metadata.keep(key, value, prefix)?;
        self.at = cursor.at();
        self.done += 1;
        if let Value::Array(array) = value
            && array.kind == Kind::String
        {
            self.stage = Stage::Elements { strings: Metadata::strings(key), left: array.count };
        }
        Ok(())
    }

    fn read_tensor(&mut self, prefix: &[u8], table: &mut TableMut<'_>) -> Result<(), Stop> {
        let mut cursor = self.cursor(prefix);
        let info = TensorInfo::read(&mut cursor)?;
        table.add_tensor(prefix, self.done, &info)?;
        self.at = cursor.at();
        self.done += 1;
        Ok(())
    }

    fn cursor<'a>(&self, prefix: &'a [u8]) -> Cursor<'a> {
        Cursor::new(prefix, self.at, self.file_bytes)
    }

    fn alignment(&self) -> u32 {
        self.metadata.alignment.unwrap_or(ALIGNMENT)
    }
}

fn capped(count: u64, most: u64, what: &[u8]) -> Result<u32, Refusal> {
    if count > most {
        return Err(Refusal::new(Reason::Count, count, what));
    }
    Ok(count as u32)
}
