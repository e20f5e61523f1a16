// SPDX-License-Identifier: GPL-2.0
//! The memory of a model: a list of segments, shared and read-only once the model is sealed.

use crate::abi::Segment;

/// A position in the arena.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the segment.
    pub segment: u32,
    /// Byte in it.
    pub offset: u32,
}

/// A view of the segments of a model.
#[derive(Clone, Copy)]
pub struct Arena<'a> {
    // INVARIANT: each segment is `bytes` bytes of initialized memory at `base`, alive for 'a.
    segments: &'a [Segment],
}

impl<'a> Arena<'a> {
    /// Views `count` segments.
    ///
    /// # Safety
    ///
    /// `segments` points at `count` segments, each of which describes initialized memory; all of it
    /// stays for `'a`. Bytes are written through a [`Writer`] only, and not while they are read.
    pub unsafe fn new(segments: *const Segment, count: u32) -> Arena<'a> {
        // SAFETY: The caller's promise.
        let segments = unsafe { core::slice::from_raw_parts(segments, count as usize) };
        Arena { segments }
    }

    /// `length` bytes at `place`; `None` when they are not within one segment.
    #[inline]
    pub fn bytes(self, place: Place, length: usize) -> Option<&'a [u8]> {
        let first = self.first(place, length)?;
        // SAFETY: Within a live segment, as `first` checked; not written while it is read.
        Some(unsafe { core::slice::from_raw_parts(first, length) })
    }

    /// Address of `length` bytes at `place`, when they are within one segment.
    #[inline]
    fn first(self, place: Place, length: usize) -> Option<*mut u8> {
        let segment = self.segments.get(place.segment as usize)?;
        let end = (place.offset as usize).checked_add(length)?;
        (end <= segment.bytes).then(|| segment.base.wrapping_add(place.offset as usize))
    }
}

/// A view of the segments of a model in the making, for one task's share of it.
pub struct Writer<'a> {
    // INVARIANT: nobody else refers to the bytes this writer is asked for.
    arena: Arena<'a>,
}

impl<'a> Writer<'a> {
    /// Writes to `arena`.
    ///
    /// # Safety
    ///
    /// While the writer lives, nobody else refers to the bytes it is asked for.
    pub unsafe fn new(arena: Arena<'a>) -> Writer<'a> {
        Writer { arena }
    }

    /// `length` bytes at `place`; `None` when they are not within one segment.
    pub fn bytes(&mut self, place: Place, length: usize) -> Option<&mut [u8]> {
        let first = self.arena.first(place, length)?;
        // SAFETY: Within a live segment, as `first` checked; by the invariant nobody else's, and
        // `&mut self` keeps the results of this writer apart.
        Some(unsafe { core::slice::from_raw_parts_mut(first, length) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_within_a_segment() {
        let mut memory = [[1u8; 8], [2u8; 8]];
        let [a, b] = &mut memory;
        let segments = [a, b].map(|m| Segment {
            base: m.as_mut_ptr(),
            bytes: 8,
        });
        // SAFETY: Two live segments, not written here.
        let arena = unsafe { Arena::new(segments.as_ptr(), 2) };
        let at = |segment, offset| Place { segment, offset };
        assert_eq!(arena.bytes(at(1, 4), 4), Some(&[2u8; 4][..]));
        assert_eq!(arena.bytes(at(0, 4), 5), None);
        assert_eq!(arena.bytes(at(2, 0), 0), None);
        assert_eq!(arena.bytes(at(0, 4), usize::MAX), None);
    }
}
