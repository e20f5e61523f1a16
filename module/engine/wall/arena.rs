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
    /// stays for `'a`. Bytes are written through [`Arena::bytes_mut`] only, before they are read.
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

    /// As [`Arena::bytes`], for writing.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these bytes while the result lives.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn bytes_mut(self, place: Place, length: usize) -> Option<&'a mut [u8]> {
        let first = self.first(place, length)?;
        // SAFETY: Within a live segment, as `first` checked; exclusive by the caller's promise.
        Some(unsafe { core::slice::from_raw_parts_mut(first, length) })
    }

    /// Address of `length` bytes at `place`, when they are within one segment.
    #[inline]
    fn first(self, place: Place, length: usize) -> Option<*mut u8> {
        let segment = self.segments.get(place.segment as usize)?;
        let end = (place.offset as usize).checked_add(length)?;
        (end <= segment.bytes).then(|| segment.base.wrapping_add(place.offset as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_within_a_segment() {
        let mut memory = [[1u8; 8], [2u8; 8]];
        let [a, b] = &mut memory;
        let segments = [a, b].map(|m| Segment { base: m.as_mut_ptr(), bytes: 8 });
        // SAFETY: Two live segments, not written here.
        let arena = unsafe { Arena::new(segments.as_ptr(), 2) };
        let at = |segment, offset| Place { segment, offset };
        assert_eq!(arena.bytes(at(1, 4), 4), Some(&[2u8; 4][..]));
        assert_eq!(arena.bytes(at(0, 4), 5), None);
        assert_eq!(arena.bytes(at(2, 0), 0), None);
        assert_eq!(arena.bytes(at(0, 4), usize::MAX), None);
    }
}
