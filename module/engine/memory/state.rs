// SPDX-License-Identifier: GPL-2.0
//! The state of a sequence that a model carries from position to position, in two versions: a pass
//! reads one and writes the other, so it can be done again.
//!
//! The state is a header, then the versions. The header has the number of positions that each
//! version has seen; zeroed memory has seen none.

use crate::abi::ALIGN;
use crate::abi::Row;

/// Start of a state.
#[repr(C)]
struct Header {
    /// Positions that each version has seen.
    positions: [u32; 2],
}

/// Bytes before the versions.
const HEADER: usize = size_of::<Header>().next_multiple_of(ALIGN);
/// Positions of a version that holds nothing.
const NEVER: u32 = u32::MAX;

/// The versions that a pass uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The one it goes on from; `None` from the first position on.
    pub before: Option<u32>,
    /// The one it makes.
    pub after: u32,
}

/// Bytes of a version with `values` values.
fn version_bytes(values: u32) -> usize {
    (values as usize * size_of::<f32>()).next_multiple_of(ALIGN)
}

/// Bytes of a state with `values` values; 0 without any.
pub fn bytes(values: u32) -> u64 {
    match values {
        0 => 0,
        _ => (HEADER + 2 * version_bytes(values)) as u64,
    }
}

impl Versions {
    /// Those of a pass over `count` positions from that of `first` on; the state is said to have seen
    /// them. `None` when no version has seen all before.
    ///
    /// # Safety
    ///
    /// The row's state is one of these functions, and nobody else refers to its header.
    pub unsafe fn begin(first: &Row, count: u32) -> Option<Versions> {
        // SAFETY: The caller's promise.
        let header = unsafe { first.state.cast::<Header>().as_mut()? };
        let end = first.position.checked_add(count)?;
        if first.position == 0 {
            header.positions = [end, NEVER];
            return Some(Versions {
                before: None,
                after: 0,
            });
        }
        let [one, other] = &mut header.positions;
        let (before, after, place) = if *one == first.position {
            (0, 1, other)
        } else if *other == first.position {
            (1, 0, one)
        } else {
            return None;
        };
        *place = end;
        Some(Versions {
            before: Some(before),
            after,
        })
    }
}

/// `count` values of a version of the row's state, which has `values`, from value `first` on; `None`
/// past its end.
///
/// # Safety
///
/// The row's state is one of these functions; who calls holds to the rules of aliasing.
pub unsafe fn place(
    row: &Row,
    values: u32,
    version: u32,
    first: usize,
    count: usize,
) -> Option<*mut f32> {
    let end = first.checked_add(count)?;
    if row.state.is_null() || version > 1 || end > values as usize {
        return None;
    }
    let start = HEADER + version as usize * version_bytes(values);
    // SAFETY: Within the state, by the caller's promise and the checks.
    Some(unsafe { row.state.add(start).cast::<f32>().add(first) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_goes_on_from_the_positions_before_and_can_be_done_again() {
        let mut memory = vec![0u64; bytes(3) as usize / 8];
        let mut row = Row {
            blocks: core::ptr::null(),
            state: memory.as_mut_ptr().cast(),
            position: 0,
            token: 0,
            kv_type: 0,
            flags: 0,
            last: 0,
            pad: 0,
            scales: [0; 4],
        };
        let mut begin = |position, count| {
            row.position = position;
            // SAFETY: A zeroed state.
            let versions = unsafe { Versions::begin(&row, count) };
            versions.map(|versions| (versions.before, versions.after))
        };
        assert_eq!(begin(5, 1), None, "nothing has been seen");
        assert_eq!(begin(0, 4), Some((None, 0)));
        assert_eq!(begin(0, 4), Some((None, 0)));
        assert_eq!(begin(4, 2), Some((Some(0), 1)));
        assert_eq!(begin(4, 2), Some((Some(0), 1)));
        assert_eq!(begin(6, 1), Some((Some(1), 0)));
        assert_eq!(begin(4, 1), None, "written over");
        assert_eq!(begin(0, 7), Some((None, 0)));
        assert_eq!(begin(6, 1), None, "of the sequence before");
        assert_eq!(begin(7, 1), Some((Some(0), 1)));
    }

    #[test]
    fn versions_lie_apart_in_the_state() {
        let mut memory = vec![0u64; bytes(20) as usize / 8];
        let row = Row {
            blocks: core::ptr::null(),
            state: memory.as_mut_ptr().cast(),
            position: 0,
            token: 0,
            kv_type: 0,
            flags: 0,
            last: 0,
            pad: 0,
            scales: [0; 4],
        };
        // SAFETY: A zeroed state.
        let offset = |version, first, count| unsafe {
            let place = place(&row, 20, version, first, count)?;
            Some(place.addr() - row.state.addr())
        };
        assert_eq!(offset(0, 0, 20), Some(64));
        assert_eq!(offset(1, 4, 16), Some(64 + 128 + 16));
        assert_eq!(offset(1, 4, 17), None);
        assert_eq!(offset(2, 0, 1), None);
        assert_eq!(bytes(20), 64 + 256);
        assert_eq!(bytes(0), 0);
    }
}
