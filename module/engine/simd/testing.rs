// SPDX-License-Identifier: GPL-2.0
//! For the tests of this folder: buffers that end at a guard page, and a seeded generator.

use std::ops::{Deref, DerefMut};
use std::ptr;

/// A slice whose end is the end of accessible memory: reading past it faults.
pub(super) struct Guarded<T: Copy> {
    map: *mut u8,
    mapped: usize,
    start: *mut T,
    length: usize,
}

impl<T: Copy> Guarded<T> {
    /// `length` values of zero bytes.
    pub(super) fn zeroed(length: usize) -> Self {
        const PAGE: usize = 65536;
        let bytes = length * size_of::<T>();
        let mapped = bytes.next_multiple_of(PAGE) + PAGE;
        let (access, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new private mapping, whose last page is then closed; the slice lies before it
        // and is aligned, because pages and sizes are multiples of the alignment.
        unsafe {
            let map = libc::mmap(ptr::null_mut(), mapped, access, kind, -1, 0);
            assert_ne!(map, libc::MAP_FAILED);
            let map = map.cast::<u8>();
            assert_eq!(
                libc::mprotect(map.add(mapped - PAGE).cast(), PAGE, libc::PROT_NONE),
                0
            );
            let start = map.add(mapped - PAGE - bytes).cast();
            Guarded {
                map,
                mapped,
                start,
                length,
            }
        }
    }

    /// A copy of `values`.
    pub(super) fn copy(values: &[T]) -> Self {
        let mut copy = Self::zeroed(values.len());
        copy.copy_from_slice(values);
        copy
    }
}

impl<T: Copy> Deref for Guarded<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `zeroed` made `length` values there; zero bytes are a value of the numbers used.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

impl<T: Copy> DerefMut for Guarded<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl<T: Copy> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `zeroed`.
        unsafe { libc::munmap(self.map.cast(), self.mapped) };
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A finite f32 of either sign, its magnitude from 2^-8 to 8, mostly.
    pub(super) fn float(&mut self) -> f32 {
        let bits = self.next();
        let exponent = 119 + (bits >> 32) as u32 % 11;
        f32::from_bits((bits as u32 & 0x807f_ffff) | exponent << 23)
    }
}
