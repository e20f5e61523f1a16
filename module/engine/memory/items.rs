// SPDX-License-Identifier: GPL-2.0
//! Items of equal size in the arena, none of which crosses a segment.

use crate::memory::arena::Arena;
use crate::memory::arena::Place;

/// A sequence of items: consecutive within a segment, going on at the start of the next one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// The first item.
    first: Place,
    /// Bytes of an item; 0 in an empty sequence only.
    bytes: u32,
    /// Number of items.
    count: u32,
    /// Items in the first segment.
    head: u32,
    /// Items in each of the following segments.
    full: u32,
}

impl Items {
    /// No items.
    pub const NONE: Items = Items {
        first: Place {
            segment: 0,
            offset: 0,
        },
        bytes: 0,
        count: 0,
        head: 0,
        full: 0,
    };

    /// Number of items.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of an item.
    pub fn item_bytes(&self) -> u32 {
        self.bytes
    }

    /// Where `item` is and how many items follow in its segment, itself included.
    #[inline]
    pub fn place(&self, item: u32) -> Option<(Place, u32)> {
        let left = self.count.checked_sub(item).filter(|&left| left > 0)?;
        let Some(past) = item.checked_sub(self.head) else {
            let offset = self
                .first
                .offset
                .wrapping_add(item.wrapping_mul(self.bytes));
            let place = Place {
                segment: self.first.segment,
                offset,
            };
            return Some((place, left.min(self.head.wrapping_sub(item))));
        };
        let segment = past.checked_div(self.full)?;
        let index = past.checked_rem(self.full)?;
        let segment = self.first.segment.wrapping_add(1).wrapping_add(segment);
        let place = Place {
            segment,
            offset: index.wrapping_mul(self.bytes),
        };
        Some((place, left.min(self.full.wrapping_sub(index))))
    }

    /// The bytes of up to `most` items from `item` on, as many as are consecutive, and their
    /// number; `None` past the end.
    #[inline]
    pub fn run<'a>(&self, arena: Arena<'a>, item: u32, most: u32) -> Option<(&'a [u8], u32)> {
        let (place, count) = self.place(item)?;
        let count = count.min(most);
        let bytes = arena.bytes(place, count as usize * self.bytes as usize)?;
        Some((bytes, count))
    }
}

/// Gives out the arena from its start, one use after the other.
#[derive(Clone, Copy)]
pub struct Layout {
    /// Bytes of a segment.
    segment: u32,
    /// Bytes of the largest item.
    largest: u32,
    /// Bytes given out, whole segments included.
    used: u64,
}

/// Alignment of each use.
const ALIGN: u64 = crate::abi::ALIGN as u64;

impl Layout {
    /// Nothing given out of segments of `segment` bytes.
    pub const fn new(segment: u32) -> Layout {
        Layout {
            segment,
            largest: 0,
            used: 0,
        }
    }

    /// Bytes of the largest item.
    pub fn largest(&self) -> u32 {
        self.largest
    }

    /// Bytes given out.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Room for `count` items of `bytes` bytes; `None` when an item is larger than a segment or
    /// the arena larger than 2^32 segments.
    pub fn items(&mut self, bytes: usize, count: u32) -> Option<Items> {
        let size = u32::try_from(bytes)
            .ok()
            .filter(|&size| size <= self.segment)?;
        let full = self.segment.checked_div(size)?;
        let whole = u64::from(self.segment);
        let mut start = self.used.checked_next_multiple_of(ALIGN)?;
        let room = whole.checked_sub(start.checked_rem(whole)?)?;
        if room < u64::from(size) {
            start = start.checked_add(room)?;
        }
        let segment = u32::try_from(start.checked_div(whole)?).ok()?;
        let offset = u32::try_from(start.checked_rem(whole)?).ok()?;
        let head = self.segment.checked_sub(offset)?.checked_div(size)?;
        let head = head.min(count);
        let items = Items {
            first: Place { segment, offset },
            bytes: size,
            count,
            head,
            full,
        };
        self.largest = self.largest.max(size);
        self.used = match count.checked_sub(1) {
            None => start,
            Some(last) => {
                let (place, _) = items.place(last)?;
                let segments = u64::from(place.segment).checked_mul(whole)?;
                segments.checked_add(u64::from(place.offset) + u64::from(size))?
            }
        };
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT_BYTES: usize = 1 << 20;

    fn layout() -> Layout {
        Layout::new(SEGMENT_BYTES as u32)
    }

    #[test]
    fn items_never_cross_a_segment() {
        let mut layout = layout();
        let half = SEGMENT_BYTES / 2;
        assert_eq!(layout.items(100, 1).unwrap().place(0).unwrap().0.offset, 0);
        let items = layout.items(half - 64, 6).unwrap();
        let mut places = Vec::new();
        let mut item = 0;
        while let Some((place, run)) = items.place(item) {
            places.push((place.segment, place.offset as usize, run));
            item += 1;
        }
        let at = half - 64;
        assert_eq!(
            places,
            [
                (0, 128, 2),
                (0, half + 64, 1),
                (1, 0, 2),
                (1, at, 1),
                (2, 0, 2),
                (2, at, 1)
            ]
        );
        assert_eq!(layout.used(), 2 * SEGMENT_BYTES as u64 + 2 * at as u64);
    }

    #[test]
    fn an_item_larger_than_a_segment_has_no_place() {
        assert_eq!(layout().items(SEGMENT_BYTES + 1, 1), None);
        assert_eq!(layout().items(0, 1), None);
        let whole = layout().items(SEGMENT_BYTES, 2).unwrap();
        assert_eq!(
            whole.place(1).unwrap().0,
            Place {
                segment: 1,
                offset: 0
            }
        );
        assert_eq!(whole.place(2), None);
    }
}
