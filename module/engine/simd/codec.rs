// SPDX-License-Identifier: GPL-2.0
//! What a weight format provides: how the file stores its weights, and which layout memory has.

use super::finite::Finite;
use super::group::GROUP_ROWS;
use super::layout::Layout;
use super::pieces::pieces_mut;
use super::plain::{Plain, clear, zeroed};
use crate::math::half::f16_to_f32;

/// Blocks of a row that are packed together.
pub(super) const RUN: usize = 8;

/// A packed block of the codec `T`.
pub(super) type GroupOf<T> = <<T as Codec>::Layout as Layout>::Group;
/// A decoded block of the codec `T`.
pub(super) type RowOf<T> = <<T as Codec>::Layout as Layout>::Row;

/// One weight format.
pub(super) trait Codec: Sized {
    /// Blocks of the layout in one of the file.
    const PARTS: usize = 1;
    /// A block of one row in the file.
    type File: Plain;
    /// How memory stores it.
    type Layout: Layout;
    /// The numbers of a block in the file that must be finite.
    const FINITE: &'static [Finite];

    /// Decodes layout block `part` of a block of the file; this is the definition of the format.
    /// `None` when a scale or weight is not finite. `row` is that of the part before, or zeros.
    fn decode(file: &Self::File, part: usize, row: &mut RowOf<Self>) -> Option<()>;

    /// Packs a block of the file of 16 rows, of which missing ones become zeros, into the groups of
    /// its parts; `Err` has the first row whose scale or weight is not finite.
    fn interleave(
        rows: &[Option<&Self::File>; GROUP_ROWS],
        groups: &mut [GroupOf<Self>],
    ) -> Result<(), usize> {
        interleave::<Self>(rows, groups)
    }

    /// [`Codec::interleave`] of [`RUN`] blocks; `Err` has the first block, and in it the first row,
    /// whose scale or weight is not finite.
    fn interleave_run(
        rows: &[Option<&[Self::File; RUN]>; GROUP_ROWS],
        groups: &mut [GroupOf<Self>],
    ) -> Result<(), (usize, usize)> {
        let blocks = pieces_mut(groups, Self::PARTS).enumerate();
        // Most groups lack no row: then no block asks for each.
        let Some(rows) = whole(rows) else {
            for (block, groups) in blocks {
                let rows = rows.map(|row| row.map(|row| &row[block % RUN]));
                Self::interleave(&rows, groups).map_err(|row| (block, row))?;
            }
            return Ok(());
        };
        for (block, groups) in blocks {
            let rows = rows.map(|row| Some(&row[block % RUN]));
            Self::interleave(&rows, groups).map_err(|row| (block, row))?;
        }
        Ok(())
    }
}

/// The rows, unless one is missing.
fn whole<T>(rows: &[Option<T>; GROUP_ROWS]) -> Option<[T; GROUP_ROWS]>
where
    T: Copy,
{
    let first = rows[0]?;
    let all = rows.iter().all(Option::is_some);
    all.then(|| rows.map(|row| row.unwrap_or(first)))
}

/// Packs by decoding one row after the other: what every packer must equal.
pub(super) fn interleave<T: Codec>(
    rows: &[Option<&T::File>; GROUP_ROWS],
    groups: &mut [GroupOf<T>],
) -> Result<(), usize> {
    let mut decoded: RowOf<T> = zeroed();
    groups.iter_mut().for_each(clear);
    for (lane, file) in rows.iter().enumerate() {
        let Some(file) = file else { continue };
        for (part, group) in groups.iter_mut().enumerate() {
            T::decode(file, part, &mut decoded).ok_or(lane)?;
            T::Layout::put(group, lane, &decoded);
        }
    }
    Ok(())
}

/// The binary16 scale, unless it is infinite or a NaN.
pub(super) fn finite_f16(scale: [u8; 2]) -> Option<[u8; 2]> {
    (u16::from_le_bytes(scale) & 0x7c00 != 0x7c00).then_some(scale)
}

/// The binary16 scale as f32, unless it is infinite or a NaN.
pub(super) fn finite(scale: [u8; 2]) -> Option<f32> {
    finite_f16(scale).map(|scale| f16_to_f32(u16::from_le_bytes(scale)))
}

/// The lower nibbles of `bytes`, then the upper ones.
pub(super) fn nibbles(bytes: &[u8], out: &mut [i8]) {
    let (low, high) = out.split_at_mut_checked(bytes.len()).unwrap_or_default();
    for (byte, (low, high)) in bytes.iter().zip(low.iter_mut().zip(high)) {
        (*low, *high) = ((byte & 15).cast_signed(), (byte >> 4).cast_signed());
    }
}

/// Adds 16 to the quanta whose bits in `bits` are set, the first in the lowest bit.
pub(super) fn fifth_bits(bits: u32, quanta: &mut [i8; 32]) {
    for (k, quantum) in quanta.iter_mut().enumerate() {
        *quantum |= ((bits >> k & 1) as i8) << 4;
    }
}
