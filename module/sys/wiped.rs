// SPDX-License-Identifier: GPL-2.0
//! What a user wrote, was answered or alone may know: wiped when freed.

use super::{bindings as sys, uapi::Plain};
use core::ops::{Deref, DerefMut};
use kernel::prelude::*;

/// Values in memory charged to the caller. It never grows, which would leave a copy behind.
pub(crate) struct Wiped<T: Plain>(KVVec<T>);

impl<T: Plain> Wiped<T> {
    /// Empty, without memory.
    pub(crate) const fn new() -> Self {
        Self(KVVec::new())
    }

    /// Empty, with room for `capacity` values.
    pub(crate) fn with_capacity(capacity: usize) -> Result<Self> {
        Ok(Self(KVVec::with_capacity(capacity, GFP_KERNEL_ACCOUNT)?))
    }

    /// Of `count` zeroes.
    pub(crate) fn zeroed(count: usize) -> Result<Self> {
        Ok(Self(KVVec::from_elem(
            T::default(),
            count,
            GFP_KERNEL_ACCOUNT,
        )?))
    }

    /// Appends `value`; `ENOSPC` without room.
    pub(crate) fn push(&mut self, value: T) -> Result {
        self.0.push_within_capacity(value).map_err(|_| ENOSPC)
    }

    /// Appends `values`; `ENOSPC`, and nothing is taken, without room for all.
    pub(crate) fn extend(&mut self, values: &[T]) -> Result {
        if values.len() > self.0.capacity().saturating_sub(self.0.len()) {
            return Err(ENOSPC);
        }
        // Within the capacity: nothing is allocated.
        Ok(self.0.extend_from_slice(values, GFP_KERNEL_ACCOUNT)?)
    }

    /// Forgets all values, and wipes them.
    pub(crate) fn wipe(&mut self) {
        self.0.truncate(0);
        self.clear_memory();
    }

    fn clear_memory(&mut self) {
        // What was there once may lie past the present end.
        let bytes = self.0.capacity().saturating_mul(size_of::<T>());
        // SAFETY: Writable for its capacity, which is an allocation and so no larger than `isize`;
        // nothing is written to the dangling pointer of an empty one.
        unsafe { sys::sislm_memzero(self.0.as_mut_ptr().cast(), bytes) };
    }

    /// Keeps the first `count` values.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.0.truncate(count);
    }
}

impl<T: Plain> Deref for Wiped<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Plain> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Plain> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.clear_memory();
    }
}

/// A few bytes, in whatever holds them.
#[derive(Clone)]
pub(crate) struct Secret<const BYTES: usize>([u8; BYTES]);

impl<const BYTES: usize> Secret<BYTES> {
    /// These.
    pub(crate) const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// A copy of them.
    pub(crate) fn bytes(&self) -> [u8; BYTES] {
        self.0
    }
}

impl<const BYTES: usize> Drop for Secret<BYTES> {
    fn drop(&mut self) {
        // SAFETY: An array of bytes of our own.
        unsafe { sys::sislm_memzero(self.0.as_mut_ptr().cast(), BYTES) };
    }
}

#[kunit_tests(sislm_wiped)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_no_more_than_it_has_room_for() -> Result {
        let mut list = Wiped::<u32>::with_capacity(2)?;
        let room = list.0.capacity();
        for value in 0..room {
            list.push(value as u32)?;
        }
        assert!(list.push(0).is_err());
        assert!(list.extend(&[0]).is_err());
        list.truncate(1);
        list.extend(&[7])?;
        assert_eq!(&*list, &[0, 7]);
        list.wipe();
        assert!(list.is_empty());
        // Within its room.
        list.0.resize(room, 9, GFP_KERNEL)?;
        list.wipe();
        // SAFETY: Written before, and wiped.
        unsafe { list.0.inc_len(room) };
        assert!(list.iter().all(|value| *value == 0));
        Ok(())
    }

    #[test]
    fn a_secret_is_wiped_where_it_lay() {
        let mut place = core::mem::ManuallyDrop::new(Secret::new([7; 16]));
        assert_eq!(place.bytes(), [7; 16]);
        // SAFETY: It is dropped once; its bytes are valid after that too.
        unsafe { core::mem::ManuallyDrop::drop(&mut place) };
        assert_eq!(place.bytes(), [0; 16]);
    }
}
