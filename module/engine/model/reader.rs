// SPDX-License-Identifier: GPL-2.0
//! Reading the tensors in file order, and packing what was read.

use crate::abi::READ_BYTES_MAX;
use crate::abi::Read;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::memory::arena::Writer;
use crate::memory::pod;
use crate::model::architecture::Architecture;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShape;
use crate::model::made::Made;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::model::order::Order;
use crate::model::plan;
use crate::model::plan::Contents;
use crate::model::plan::Piece;
use crate::model::plan::Tensor;
use crate::model::vector::Element;
use crate::simd::format::Error;
use crate::simd::format::Format;

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
    /// The architecture, which names the tensor.
    architecture: &'static Architecture,
    /// Its tensor.
    tensor: Tensor,
    /// The matrix or vector it goes to.
    destination: Matrix,
    /// In which order.
    order: Order,
    /// Its group that the first row of the piece goes to.
    group: u32,
    /// First row of the piece.
    row: u32,
    /// First row of the tensor.
    tensor_row: u32,
    /// Rows (of a vector: values).
    rows: u32,
    /// Rows of each chunk but the last, a multiple of the order's unit.
    chunk_rows: u32,
}

impl Reader {
    /// The next read, and what it holds if it holds weights; a read of 0 bytes at the end of the
    /// file. `None` when the model and its plan do not fit together.
    pub fn next(
        &mut self,
        file_bytes: u64,
        tensors: &[Tensor],
        model: &Hyperparameters,
        layers: &[LayerShape],
        made: &mut Made<'_>,
    ) -> Option<(Read, Option<Current>)> {
        let tensor = tensors.get(self.tensor as usize);
        let start = tensor.map_or(file_bytes, |tensor| tensor.offset);
        if tensor.is_none() || self.offset < start {
            // CAST: At most READ_BYTES_MAX.
            #[expect(clippy::cast_possible_truncation)]
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
        let layer = layers.get(usize::from(tensor.role.layer))?;
        let place = |part| made.place(&tensor, part).copied();
        let piece = plan::piece(&tensor, self.piece, model, layer, place)?;
        let current = self.cut(model.architecture, &tensor, &piece)?;
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
        if self.piece == plan::piece_count(&tensor) {
            (self.piece, self.tensor) = (0, self.tensor + 1);
        }
        Some((read, Some(current)))
    }

    /// Whether the whole file was read.
    pub fn is_done(&self, file_bytes: u64, tensors: &[Tensor]) -> bool {
        self.offset == file_bytes && self.tensor as usize == tensors.len()
    }

    /// The part of `piece` that the next read takes.
    fn cut(
        &self,
        architecture: &'static Architecture,
        tensor: &Tensor,
        piece: &Piece,
    ) -> Option<Current> {
        let left = piece.rows.checked_sub(self.row)?;
        let whole = Current {
            architecture,
            tensor: *tensor,
            destination: piece.destination,
            order: piece.order,
            group: piece.group,
            row: self.row,
            tensor_row: piece.first.checked_add(self.row)?,
            rows: left,
            chunk_rows: left.max(1),
        };
        if matches!(tensor.contents, Contents::Vector(_)) {
            return Some(whole);
        }
        let row_bytes = tensor.row_bytes()?;
        let unit = piece.order.unit();
        let groups = |bytes: usize| {
            let rows = u32::try_from(bytes.checked_div(row_bytes)?).ok()?;
            Some((rows - rows.checked_rem(unit)?).max(unit))
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
        match self.tensor.contents {
            Contents::Matrix(_) => self.pack_matrix(first, rows, memory),
            Contents::Vector(element) => self.pack_vector(element, rows, memory),
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
        first: u32,
        rows: &[u8],
        memory: &mut Writer<'_>,
    ) -> Result<Option<()>, Refusal> {
        let matrix = &self.destination;
        let (Some(row_bytes), columns) = (self.row_bytes(), matrix.columns as usize) else {
            return Ok(None);
        };
        // CAST: At most READ_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let count = rows.len().checked_div(row_bytes).unwrap_or(0) as u32;
        for start in (0..count).step_by(GROUP_ROWS as usize) {
            // CAST: A lane of a group.
            #[expect(clippy::cast_possible_truncation)]
            let number = |lane: usize| start + lane as u32;
            let source = |lane: usize| self.order.source(number(lane));
            let row = |lane: usize| {
                let row = (number(lane) < count).then(|| source(lane) as usize)?;
                rows.get(row.checked_mul(row_bytes)?..)?.get(..row_bytes)
            };
            let rows = core::array::from_fn(|lane| row(lane).unwrap_or_default());
            let group = self.group + (self.row + first + start) / GROUP_ROWS;
            let Some((place, _)) = matrix.groups.place(group) else {
                return Ok(None);
            };
            let Some(out) = memory.bytes(place, matrix.groups.item_bytes() as usize) else {
                return Ok(None);
            };
            match matrix.format.pack_rows(&rows, columns, out) {
                Ok(()) => {}
                Err(Error::Shape) => return Ok(None),
                Err(Error::NotFinite { block }) => {
                    let blocks = self.blocks().max(1);
                    let row = self.tensor_row + first + source(block / blocks);
                    return Err(self.not_finite(row, block % blocks));
                }
            }
        }
        Ok(Some(()))
    }

    /// Widens the values of a vector.
    fn pack_vector(
        &self,
        element: Element,
        values: &[u8],
        memory: &mut Writer<'_>,
    ) -> Result<Option<()>, Refusal> {
        let items = &self.destination.groups;
        let Some((place, _)) = items.place(0) else {
            return Ok(None);
        };
        let out = memory.bytes(place, items.item_bytes() as usize);
        let Some(out) = out.and_then(pod::cast_mut::<f32>) else {
            return Ok(None);
        };
        match element.widen(values, self.order, out) {
            None => Ok(Some(())),
            Some(index) => Err(self.not_finite(0, self.tensor_row as usize + index)),
        }
    }

    /// Blocks of a row in the file; 0 for a vector.
    fn blocks(&self) -> usize {
        let block_of = |format: Format| core::num::NonZero::new(format.block());
        let width = match self.tensor.contents {
            Contents::Matrix(format) => block_of(format),
            Contents::Vector(_) => None,
        };
        width.map_or(0, |width| self.tensor.columns as usize / width)
    }

    /// The refusal of block `block` of row `row` of the tensor; of a vector: of value `block`.
    fn not_finite(&self, row: u32, block: usize) -> Refusal {
        let first = u64::from(row).saturating_mul(self.blocks() as u64);
        let block = first.saturating_add(block as u64);
        let mut refusal = Refusal::new(Reason::NotFinite, block, b"");
        self.tensor
            .role
            .write(self.architecture, &mut refusal.subject);
        refusal
    }
}
