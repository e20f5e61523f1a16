// SPDX-License-Identifier: GPL-2.0
//! Blocks of packed data as types over bytes.

/// A type that any bytes of its size make up.
///
/// # Safety
///
/// The type has no padding, accepts every bit pattern, and has alignment 1.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: a byte.
unsafe impl Plain for u8 {}
// SAFETY: a byte.
unsafe impl Plain for i8 {}
// SAFETY: arrays add no padding and keep the alignment.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// A value of zero bytes.
#[inline(always)]
pub(super) fn zeroed<T: Plain>() -> T {
    // SAFETY: by `Plain` any bytes make up a `T`.
    unsafe { core::mem::zeroed() }
}

/// Fills a value with zero bytes, in place.
#[inline(always)]
pub(super) fn clear<T: Plain>(value: &mut T) {
    // SAFETY: the value is borrowed exclusively, and by `Plain` any bytes make up a `T`.
    unsafe { core::ptr::write_bytes(value, 0, 1) };
}

/// As many whole `T` as `bytes` hold, from their start.
#[inline(always)]
pub(super) fn view<T: Plain>(bytes: &[u8]) -> &[T] {
    const { assert!(align_of::<T>() == 1 && size_of::<T>() > 0) };
    let whole = bytes.len() / size_of::<T>();
    // SAFETY: `whole` values lie within the borrowed bytes, and by `Plain` any bytes make up a `T`.
    unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), whole) }
}

/// [`view`] for writing.
#[inline(always)]
pub(super) fn view_mut<T: Plain>(bytes: &mut [u8]) -> &mut [T] {
    const { assert!(align_of::<T>() == 1 && size_of::<T>() > 0) };
    let whole = bytes.len() / size_of::<T>();
    // SAFETY: as in `view`; the borrow is exclusive, and without padding every byte stays
    // initialised.
    unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), whole) }
}
