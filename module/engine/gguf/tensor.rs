// SPDX-License-Identifier: GPL-2.0
//! Tensor infos: name, type, shape and place of each tensor.

use super::{Cursor, Reason, Refusal, Span, Stop};
use crate::simd::format::Format;

/// Longest name of a tensor, in bytes (the specification's).
const NAME_MAX: u64 = 64;
/// Most dimensions of a tensor (the specification's).
const DIMENSIONS_MAX: u32 = 4;

/// One tensor of a file.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, in the header.
    pub name: Span,
    /// Its GGUF type number.
    pub kind: u32,
    /// Elements along each dimension, the contiguous one first; 1 beyond the last.
    pub dims: [u64; 4],
    /// Offset of its first byte, from the start of the file.
    pub offset: u64,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Weights per block and bytes per block of a GGUF type; `None` for types not known here.
pub fn type_size(kind: u32) -> Option<(u64, u64)> {
    let format = Format::from_number(kind)?;
    Some((format.block() as u64, format.file_block_bytes() as u64))
}

impl TensorInfo {
    /// Bytes of an entry in the table.
    pub(crate) const BYTES: usize = 64;

    /// Reads the next info. Its offset is still relative to the file's data section.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        let length = cursor.u64()?;
        if length > NAME_MAX {
            return Err(Refusal::new(Reason::Count, length, b"tensor name").into());
        }
        let at = cursor.at();
        let name = cursor.bytes(length)?;
        let count = cursor.u32()?;
        if !matches!(count, 1..=DIMENSIONS_MAX) {
            return Err(Refusal::new(Reason::Count, u64::from(count), name).into());
        }
        let mut dims = [1; 4];
        for dim in dims.iter_mut().take(count as usize) {
            *dim = cursor.u64()?;
        }
        let kind = cursor.u32()?;
        let offset = cursor.u64()?;
        let bytes = size(kind, dims, name)?;
        Ok(Self {
            name: Span::new(at, length),
            kind,
            dims,
            offset,
            bytes,
        })
    }

    /// The entry of the table.
    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let mut entry = [0; Self::BYTES];
        let words = [
            u64::from(self.name.offset) | u64::from(self.name.length) << 32,
            u64::from(self.kind),
            self.dims[0],
            self.dims[1],
            self.dims[2],
            self.dims[3],
            self.offset,
            self.bytes,
        ];
        for (to, word) in entry.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        entry
    }

    /// The info of an entry of the table.
    pub(crate) fn decode(entry: &[u8; Self::BYTES]) -> Self {
        let mut words = [0; 8];
        for (to, &word) in words.iter_mut().zip(entry.as_chunks::<8>().0) {
            *to = u64::from_le_bytes(word);
        }
        let [name, kind, d0, d1, d2, d3, offset, bytes] = words;
        // CAST: Both halves of a word, and the type as it was put in.
        #[expect(clippy::cast_possible_truncation)]
        let (start, length, kind) = (name as u32, (name >> 32) as u32, kind as u32);
        Self {
            name: Span {
                offset: start,
                length,
            },
            kind,
            dims: [d0, d1, d2, d3],
            offset,
            bytes,
        }
    }
}

/// Bytes of a tensor.
fn size(kind: u32, dims: [u64; 4], name: &[u8]) -> Result<u64, Refusal> {
    let (block, block_bytes) =
        type_size(kind).ok_or(Refusal::new(Reason::TensorType, u64::from(kind), name))?;
    let [columns, rows @ ..] = dims;
    // The weights of a block are a power of two, so a mask is a remainder.
    if dims.contains(&0) || columns & (block - 1) != 0 {
        return Err(Refusal::new(Reason::TensorShape, columns, name));
    }
    let blocks = columns >> block.trailing_zeros();
    let bytes = rows
        .iter()
        .try_fold(blocks, |product, &rows| product.checked_mul(rows))
        .and_then(|blocks| blocks.checked_mul(block_bytes));
    bytes.ok_or(Refusal::new(Reason::Count, columns, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_keeps_its_info() {
        let info = TensorInfo {
            name: Span {
                offset: 0x0102_0304,
                length: 9,
            },
            kind: 14,
            dims: [256, u64::MAX, 3, 4],
            offset: 1 << 40,
            bytes: 77,
        };
        assert_eq!(TensorInfo::decode(&info.encode()), info);
    }

    #[test]
    fn sizes_are_checked() {
        let refusal = |reason, detail| Err(Refusal::new(reason, detail, b"t"));
        assert_eq!(size(0, [3, 5, 1, 1], b"t"), Ok(60));
        assert_eq!(size(2, [64, 3, 1, 1], b"t"), Ok(108));
        assert_eq!(size(14, [512, 2, 1, 1], b"t"), Ok(840));
        assert_eq!(
            size(2, [172, 3, 1, 1], b"t"),
            refusal(Reason::TensorShape, 172)
        );
        assert_eq!(size(0, [3, 0, 1, 1], b"t"), refusal(Reason::TensorShape, 3));
        assert_eq!(
            size(99, [32, 1, 1, 1], b"t"),
            refusal(Reason::TensorType, 99)
        );
        assert_eq!(
            size(0, [1 << 40, 1 << 40, 1, 1], b"t"),
            refusal(Reason::Count, 1 << 40)
        );
        assert_eq!(
            size(0, [1 << 62, 1, 1, 1], b"t"),
            refusal(Reason::Count, 1 << 62)
        );
    }
}
