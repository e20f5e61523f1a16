// SPDX-License-Identifier: GPL-2.0
//! Reading the tensors in file order, and packing what was read.

use crate::abi::READ_BYTES_MAX;
use crate::abi::Read;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::Layer;
use crate::model::Model;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::model::plan;
use crate::model::plan::Contents;
use crate::model::plan::Destination;
use crate::model::plan::Piece;
use crate::model::plan::Tensor;
use crate::model::vector::Vector;
use crate::simd::format::Error;
use crate::simd::format::Format;
use crate::simd::pieces::pieces;
use crate::wall::arena::Writer;
use crate::wall::pod;

/// Bytes of the file that a chunk packs, about.
const CHUNK_BYTES: usize = 64 << 10;

/// Where reading stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Reader {
    /// Offset of the next read.
    offset: u64,
    /// The tensor it is in or before, in file order.
    tensor: u32,
    /// The piece of the tensor.
    piece: u32,
    /// Row of the piece.
    row: u32,
}

/// What the piece last read is.
#[derive(Clone, Copy)]
pub struct Current {
    /// Its tensor.
    tensor: Tensor,
    /// Where it goes.
    destination: Destination,
    /// First row of the destination.
    row: u32,
    /// First row of the tensor.
    tensor_row: u32,
    /// Rows (of a vector: values).
    rows: u32,
    /// Rows of each chunk but the last, a multiple of 16.
    chunk_rows: u32,
}

impl Reader {
    /// The next read, and what it holds if it holds weights; a read of 0 bytes at the end of the
    /// file. `None` when the model and its plan do not fit together.
    pub fn next(
        &mut self,
        file_bytes: u64,
        tensors: &[Tensor],
        model: &mut Model,
        layers: &mut [Layer],
    ) -> Option<(Read, Option<Current>)> {
        let tensor = tensors.get(self.tensor as usize);
        let start = tensor.map_or(file_bytes, |tensor| tensor.offset);
        if tensor.is_none() || self.offset < start {
            let bytes = start.checked_sub(self.offset)?.min(READ_BYTES_MAX as u64) as u32;
            let read = Read {
                offset: self.offset,
                bytes,
                chunks: 0,
            };
            self.offset += u64::from(bytes);
            return Some((read, None));
        }
        let tensor = *tensor?;
        let piece = plan::piece(model, layers, &tensor, self.piece)?;
        let current = self.cut(&tensor, &piece)?;
        let bytes = (current.rows as usize).checked_mul(current.row_bytes()?)?;
        let read = Read {
            offset: self.offset,
            bytes: u32::try_from(bytes)
                .ok()
                .filter(|_| bytes <= READ_BYTES_MAX)?,
            chunks: current
                .rows
                .checked_next_multiple_of(current.chunk_rows)?
                .checked_div(current.chunk_rows)?,
        };
        self.offset = self.offset.checked_add(bytes as u64)?;
        self.row = self.row.checked_add(current.rows)?;
        if self.row == piece.rows {
            (self.row, self.piece) = (0, self.piece + 1);
        }
        if self.piece == plan::piece_count(tensor.role.part) {
            (self.piece, self.tensor) = (0, self.tensor + 1);
        }
        Some((read, Some(current)))
    }

    /// Whether the whole file was read.
    pub fn is_done(&self, file_bytes: u64, tensors: &[Tensor]) -> bool {
        self.offset == file_bytes && self.tensor as usize == tensors.len()
    }

    /// The part of `piece` that the next read takes.
    fn cut(&self, tensor: &Tensor, piece: &Piece) -> Option<Current> {
        let left = piece.rows.checked_sub(self.row)?;
        let whole = Current {
            tensor: *tensor,
            destination: piece.destination,
            row: self.row,
            tensor_row: piece.first.checked_add(self.row)?,
            rows: left,
            chunk_rows: left.max(1),
        };
        if matches!(piece.destination, Destination::Vector(_)) {
            return Some(whole);
        }
        let row_bytes = tensor.row_bytes()?;
        let groups = |bytes: usize| {
            let rows = u32::try_from(bytes.checked_div(row_bytes)?).ok()?;
            Some((rows - rows % GROUP_ROWS).max(GROUP_ROWS))
        };
        let rows = left.min(groups(READ_BYTES_MAX)?);
        Some(Current {
            rows,
            chunk_rows: groups(CHUNK_BYTES)?,
            ..whole
        })
    }
}

impl Current {
    /// Bytes of a row in the file; of a vector: of a value.
    fn row_bytes(&self) -> Option<usize> {
        match self.tensor.contents {
            Contents::Matrix(_) => self.tensor.row_bytes(),
            Contents::Vector(element) => Some(element.bytes()),
        }
    }

    /// Packs chunk `chunk` of the read, whose bytes are `data`, into the arena; `Ok(None)` when
    /// they do not fit together.
    ///
    /// # Errors
    ///
    /// A weight or scale that is not finite.
    pub fn pack(
        &self,
        data: &[u8],
        chunk: u32,
        memory: &mut Writer<'_>,
    ) -> Result<Option<()>, Refusal> {
        let Some((first, rows)) = self.chunk(chunk, data) else {
            return Ok(None);
        };
        match self.destination {
            Destination::Matrix(matrix) => self.pack_matrix(&matrix, first, rows, memory),
            Destination::Vector(vector) => self.pack_vector(&vector, rows, memory),
        }
    }

    /// First row, counted from the read's, and bytes of chunk `chunk`.
    fn chunk<'a>(&self, chunk: u32, data: &'a [u8]) -> Option<(u32, &'a [u8])> {
        let row_bytes = self.row_bytes()?;
        let first = chunk.checked_mul(self.chunk_rows)?;
        let rows = self.rows.checked_sub(first)?.min(self.chunk_rows);
        let start = (first as usize).checked_mul(row_bytes)?;
        let length = (rows as usize).checked_mul(row_bytes)?;
        Some((first, data.get(start..)?.get(..length)?))
    }

    /// Packs whole groups; the last one of a matrix may be short.
    fn pack_matrix(
        &self,
        matrix: &Matrix,
        first: u32,
        rows: &[u8],
        memory: &mut Writer<'_>,
    ) -> Result<Option<()>, Refusal> {
        let Some(row_bytes) = self.row_bytes() else {
            return Ok(None);
        };
        let group_bytes = row_bytes.saturating_mul(GROUP_ROWS as usize);
        let whole = pieces(rows, group_bytes);
        let count = rows.len().checked_div(group_bytes).unwrap_or(0);
        let rest = rows
            .get(count.saturating_mul(group_bytes)..)
            .filter(|rest| !rest.is_empty());
        for (index, rows) in whole.chain(rest).enumerate() {
            let offset = first + index as u32 * GROUP_ROWS;
            let group = (self.row + offset) / GROUP_ROWS;
            let Some((place, _)) = matrix.groups.place(group) else {
                return Ok(None);
            };
            let Some(out) = memory.bytes(place, matrix.groups.item_bytes() as usize) else {
                return Ok(None);
            };
            match matrix.format.pack(rows, matrix.columns as usize, out) {
                Ok(()) => {}
                Err(Error::Shape) => return Ok(None),
                Err(Error::NotFinite { block }) => {
                    return Err(self.not_finite(self.tensor_row + offset, block as u64));
                }
            }
        }
        Ok(Some(()))
    }

    /// Widens the values of a vector.
    fn pack_vector(
        &self,
        vector: &Vector,
        values: &[u8],
        memory: &mut Writer<'_>,
    ) -> Result<Option<()>, Refusal> {
        let Some((place, _)) = vector.items().place(0) else {
            return Ok(None);
        };
        let out = memory.bytes(place, vector.items().item_bytes() as usize);
        let Some(out) = out.and_then(pod::cast_mut::<f32>) else {
            return Ok(None);
        };
        let Contents::Vector(element) = self.tensor.contents else {
            return Ok(None);
        };
        match element.widen(values, out) {
            None => Ok(Some(())),
            Some(index) => Err(self.not_finite(0, u64::from(self.tensor_row) + index as u64)),
        }
    }

    /// The refusal of block `block`, counted from the start of row `row` of the tensor.
    fn not_finite(&self, row: u32, block: u64) -> Refusal {
        let block_of = |format: Format| core::num::NonZero::new(format.block());
        let width = match self.tensor.contents {
            Contents::Matrix(format) => block_of(format),
            Contents::Vector(_) => None,
        };
        let blocks = width.map_or(0, |width| self.tensor.columns as usize / width) as u64;
        let block = u64::from(row).saturating_mul(blocks).saturating_add(block);
        let mut refusal = Refusal::new(Reason::NotFinite, block, b"");
        self.tensor.role.write(&mut refusal.subject);
        refusal
    }
}
