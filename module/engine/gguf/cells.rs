// SPDX-License-Identifier: GPL-2.0
//! Numbers in memory that is handed in as bytes: little-endian, of any alignment.

/// A little-endian `u32`.
pub(crate) type Cell = [u8; 4];

/// The whole cells of `bytes`.
pub(crate) fn cells(bytes: &[u8]) -> &[Cell] {
    bytes.as_chunks().0
}

/// The whole cells of `bytes`, to be written.
pub(crate) fn cells_mut(bytes: &mut [u8]) -> &mut [Cell] {
    bytes.as_chunks_mut().0
}

/// Cell `index`, or `None` past the end.
pub(crate) fn get(cells: &[Cell], index: usize) -> Option<u32> {
    cells.get(index).map(|&cell| u32::from_le_bytes(cell))
}

/// Writes cell `index`; `None` past the end.
pub(crate) fn set(cells: &mut [Cell], index: usize, value: u32) -> Option<()> {
    *cells.get_mut(index)? = value.to_le_bytes();
    Some(())
}

/// Cuts `bytes` off the front of `rest`, as cells; `None` when there are fewer.
pub(crate) fn take<'a>(rest: &mut &'a [u8], bytes: u64) -> Option<&'a [u8]> {
    let (front, back) = rest.split_at_checked(usize::try_from(bytes).ok()?)?;
    *rest = back;
    Some(front)
}

/// As [`take`], to be written.
pub(crate) fn take_mut<'a>(rest: &mut &'a mut [u8], bytes: u64) -> Option<&'a mut [u8]> {
    let bytes = usize::try_from(bytes).ok()?;
    let (front, back) = core::mem::take(rest).split_at_mut_checked(bytes)?;
    *rest = back;
    Some(front)
}
