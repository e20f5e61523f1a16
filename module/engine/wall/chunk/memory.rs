// SPDX-License-Identifier: GPL-2.0
//! The memory of a step, as its chunks see it.

use core::ops::Range;
use core::slice;

use crate::memory::columns::Columns;
use crate::memory::pod::Pod;
use crate::model::matrix::GROUP_ROWS;
use crate::step::places::Place;
use crate::step::places::Places;

/// A worker slot.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// Its first byte in the step.
    start: usize,
}

/// The memory of a step.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    // INVARIANT: `base` begins a step with these places, alive and initialized for 'a.
    base: *mut u8,
    pub(super) places: &'a Places,
}

impl<'a> Memory<'a> {
    /// The memory of a step.
    ///
    /// # Safety
    ///
    /// `base` begins a step with these places, alive and initialized for `'a`.
    pub(super) unsafe fn new(base: *mut u8, places: &'a Places) -> Memory<'a> {
        // INVARIANT: The caller's promise.
        Memory { base, places }
    }

    /// All of a part.
    ///
    /// # Safety
    ///
    /// Nobody writes it for `'a`.
    #[inline(always)]
    pub(super) unsafe fn read<T: Pod>(&self, place: Place) -> &'a [T] {
        // SAFETY: Within the step and aligned to 64, by the invariant; the caller's promise.
        unsafe {
            let first = self.base.add(place.offset).cast_const().cast();
            slice::from_raw_parts(first, place.bytes / size_of::<T>())
        }
    }

    /// `count` values of a part from value `first` on; `None` past its end.
    ///
    /// # Safety
    ///
    /// Nobody else refers to them for `'a`.
    pub(super) unsafe fn write<T: Pod>(
        &self,
        place: Place,
        first: usize,
        count: usize,
    ) -> Option<&'a mut [T]> {
        let end = first.checked_add(count)?.checked_mul(size_of::<T>())?;
        if end > place.bytes {
            return None;
        }
        // SAFETY: Within the part and aligned, by the invariant; the caller's promise.
        Some(unsafe {
            let values = self.base.add(place.offset).cast::<T>();
            slice::from_raw_parts_mut(values.add(first), count)
        })
    }

    /// Slot `index`; `None` past the last.
    pub(super) fn slot(&self, index: u32) -> Option<Slot> {
        let index = index as usize;
        let place = self.places.slot;
        let start = place.offset + index * place.bytes;
        (index < self.places.slots).then_some(Slot { start })
    }

    /// All of a part of a slot.
    ///
    /// # Safety
    ///
    /// Nobody else refers to this part of the slot for `'a`.
    #[inline(always)]
    pub(super) unsafe fn own<T: Pod>(&self, slot: Slot, part: Place) -> &'a mut [T] {
        let offset = slot.start + part.offset;
        // SAFETY: The parts of a slot do not overlap; the caller's promise.
        unsafe { self.whole(Place { offset, ..part }) }
    }

    /// All of a part, for writing.
    ///
    /// # Safety
    ///
    /// Nobody else refers to it for `'a`.
    #[inline(always)]
    unsafe fn whole<T: Pod>(&self, place: Place) -> &'a mut [T] {
        // SAFETY: Within the step and aligned to 64, by the invariant; the caller's promise.
        unsafe {
            let first = self.base.add(place.offset).cast();
            slice::from_raw_parts_mut(first, place.bytes / size_of::<T>())
        }
    }

    /// Columns of a part that the outputs of `groups` go to.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these columns for `'a`.
    pub(super) unsafe fn columns(
        &self,
        place: Place,
        stride: usize,
        groups: &Range<u32>,
    ) -> Columns<'a> {
        let column = |group: u32| group as usize * GROUP_ROWS as usize;
        let range = column(groups.start)..column(groups.end);
        // SAFETY: The caller's promise.
        unsafe { self.strip(place, stride, range) }
    }

    /// Columns `range` of a part.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these columns for `'a`.
    pub(super) unsafe fn strip(
        &self,
        place: Place,
        stride: usize,
        range: Range<usize>,
    ) -> Columns<'a> {
        let rows = (place.bytes / size_of::<f32>())
            .checked_div(stride)
            .unwrap_or(0);
        // SAFETY: Within the part and aligned, by the invariant; the caller's promise.
        unsafe { Columns::new(self.base.add(place.offset).cast(), rows, stride, range) }
    }
}

/// First row and number of rows of `count` tiles of `each` rows from tile `first` on, of `rows` rows.
pub(super) fn tiles(first: u32, count: u32, rows: usize, each: usize) -> Option<(usize, usize)> {
    let first = first as usize * each;
    let count = count as usize * each;
    Some((first, rows.checked_sub(first)?.min(count)))
}
