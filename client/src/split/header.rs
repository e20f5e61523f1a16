// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header of one part: its keys as bytes, and its tensors with their places.

use std::io::{self, ErrorKind, Read};

/// Alignment of tensors where a file does not say.
const ALIGNMENT: u64 = 32;
/// Largest alignment of tensors.
const ALIGNMENT_MAX: u64 = 1 << 24;
/// Most bytes of a header, as the module's parameter `header_max_mb` can be set at most.
const HEADER_BYTES_MAX: u64 = 1 << 30;
/// Metadata types of GGUF: a string, an array.
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// A tensor: its name, extents and type as bytes, and its place in the part's data.
pub(super) struct Tensor {
    pub(super) description: Vec<u8>,
    pub(super) offset: u64,
}

/// What a header says.
#[derive(Default)]
pub(super) struct Header {
    /// The keys but those of `split.`, as they are in the file.
    pub(super) pairs: Vec<u8>,
    pub(super) pair_count: u64,
    pub(super) tensors: Vec<Tensor>,
    /// `split.no`, `split.count`, `split.tensors.count`; what is not there is None.
    pub(super) split: [Option<u64>; 3],
    pub(super) alignment: u64,
    /// Where the data of the tensors begins.
    pub(super) data: u64,
}

impl Header {
    /// Reads it from the start of a file; `InvalidData` or `UnexpectedEof` for what is no sound header.
    pub(super) fn read(file: impl Read) -> io::Result<Self> {
        let mut source = Source {
            file: file.take(HEADER_BYTES_MAX),
            taken: 0,
        };
        if source.bytes(4)? != b"GGUF" || !(2..=3).contains(&source.u32()?) {
            return Err(ErrorKind::InvalidData.into());
        }
        let (tensors, pairs) = (source.u64()?, source.u64()?);
        let mut header = Self {
            alignment: ALIGNMENT,
            ..Self::default()
        };
        for _ in 0..pairs {
            header.pair(&mut source)?;
        }
        for _ in 0..tensors {
            header.tensor(&mut source)?;
        }
        if !header.alignment.is_power_of_two() || header.alignment > ALIGNMENT_MAX {
            return Err(ErrorKind::InvalidData.into());
        }
        header.data = source.taken.next_multiple_of(header.alignment);
        Ok(header)
    }

    fn pair(&mut self, source: &mut Source<impl Read>) -> io::Result<()> {
        let mut pair = source.string()?;
        let key = pair.get(8..).unwrap_or_default().to_vec();
        let kind = source.u32()?;
        pair.extend(kind.to_le_bytes());
        let value = source.value(kind)?;
        match key.as_slice() {
            b"split.no" => self.split[0] = integer(&value),
            b"split.count" => self.split[1] = integer(&value),
            b"split.tensors.count" => self.split[2] = integer(&value),
            _ => {
                if key == b"general.alignment" {
                    self.alignment = integer(&value).ok_or(ErrorKind::InvalidData)?;
                }
                pair.extend(value);
                self.pairs.extend(pair);
                self.pair_count += 1;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, source: &mut Source<impl Read>) -> io::Result<()> {
        let mut description = source.string()?;
        let extents = source.u32()?;
        description.extend(extents.to_le_bytes());
        // The extents, and the type.
        description.extend(source.bytes(u64::from(extents) * 8 + 4)?);
        let offset = source.u64()?;
        self.tensors.push(Tensor {
            description,
            offset,
        });
        Ok(())
    }
}

/// A number of 1 to 8 bytes, little-endian.
fn integer(value: &[u8]) -> Option<u64> {
    let mut bytes = [0; 8];
    bytes.get_mut(..value.len())?.copy_from_slice(value);
    Some(u64::from_le_bytes(bytes))
}

/// The rest of a file that is read in order. Memory is taken for bytes that are there only.
struct Source<R> {
    file: io::Take<R>,
    taken: u64,
}

impl<R: Read> Source<R> {
    fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.file.by_ref().take(count).read_to_end(&mut bytes)? as u64;
        self.taken += read;
        if read == count {
            Ok(bytes)
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }

    fn u32(&mut self) -> io::Result<u32> {
        let bytes = self.bytes(4)?;
        let bytes = bytes.first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn u64(&mut self) -> io::Result<u64> {
        let bytes = self.bytes(8)?;
        let bytes = bytes.first_chunk().ok_or(ErrorKind::UnexpectedEof)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// A string with its length before it.
    fn string(&mut self) -> io::Result<Vec<u8>> {
        let length = self.u64()?;
        let mut string = length.to_le_bytes().to_vec();
        string.extend(self.bytes(length)?);
        Ok(string)
    }

    /// The bytes of a metadata value.
    fn value(&mut self, kind: u32) -> io::Result<Vec<u8>> {
        match kind {
            STRING => self.string(),
            ARRAY => {
                let (element, count) = (self.u32()?, self.u64()?);
                let mut array = element.to_le_bytes().to_vec();
                array.extend(count.to_le_bytes());
                if element == STRING {
                    for _ in 0..count {
                        array.extend(self.string()?);
                    }
                } else {
                    let bytes = count.checked_mul(size_of(element)?);
                    array.extend(self.bytes(bytes.ok_or(ErrorKind::InvalidData)?)?);
                }
                Ok(array)
            }
            _ => self.bytes(size_of(kind)?),
        }
    }
}

/// Bytes of a number of type `kind`.
fn size_of(kind: u32) -> io::Result<u64> {
    match kind {
        0 | 1 | 7 => Ok(1),
        2 | 3 => Ok(2),
        4..=6 => Ok(4),
        10..=12 => Ok(8),
        _ => Err(ErrorKind::InvalidData.into()),
    }
}
