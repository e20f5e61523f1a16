// SPDX-License-Identifier: GPL-2.0
//! Checked casts between bytes and plain numbers.

/// A number every bit pattern of which is valid.
///
/// # Safety
///
/// The type has no padding and no invalid value.
pub unsafe trait Pod: Copy + 'static {}

// SAFETY: Integers and IEEE floats have no padding and no invalid value.
unsafe impl Pod for u8 {}
// SAFETY: As above.
unsafe impl Pod for i8 {}
// SAFETY: As above.
unsafe impl Pod for u16 {}
// SAFETY: As above.
unsafe impl Pod for u32 {}
// SAFETY: As above.
unsafe impl Pod for i32 {}
// SAFETY: As above.
unsafe impl Pod for u64 {}
// SAFETY: As above.
unsafe impl Pod for f32 {}

/// `bytes` as numbers; `None` when the address or the length does not fit `T`.
#[inline]
pub fn cast<T: Pod>(bytes: &[u8]) -> Option<&[T]> {
    let count = fit::<T>(bytes.as_ptr(), bytes.len())?;
    // SAFETY: Aligned and long enough, as checked; any bits are a `T`; the lifetime is the borrow's.
    Some(unsafe { core::slice::from_raw_parts(bytes.as_ptr().cast(), count) })
}

/// As [`cast`], for writing.
#[inline]
pub fn cast_mut<T: Pod>(bytes: &mut [u8]) -> Option<&mut [T]> {
    let count = fit::<T>(bytes.as_ptr(), bytes.len())?;
    // SAFETY: As in `cast`; the borrow is exclusive, and any `T` is valid bytes.
    Some(unsafe { core::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), count) })
}

/// The bytes of numbers, for writing.
pub fn bytes_mut<T: Pod>(values: &mut [T]) -> &mut [u8] {
    let length = size_of_val(values);
    // SAFETY: A `T` has no padding, so all its bytes are initialized, and any bytes are valid `T`s;
    // same memory, and the borrow is exclusive.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), length) }
}

/// Number of `T` in `bytes` bytes at `address`, when they fit exactly.
#[inline]
fn fit<T: Pod>(address: *const u8, bytes: usize) -> Option<usize> {
    let aligned = address.addr().is_multiple_of(align_of::<T>());
    let whole = bytes.is_multiple_of(size_of::<T>());
    (aligned && whole).then_some(bytes / size_of::<T>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cast_needs_alignment_and_whole_numbers() {
        let mut words = [1u32, 2, 3, 4];
        let all = bytes_mut(&mut words);
        assert_eq!(cast::<u32>(all), Some(&[1, 2, 3, 4][..]));
        assert_eq!(cast::<u32>(&all[1..5]), None);
        assert_eq!(cast::<u32>(&all[..6]), None);
        assert_eq!(cast::<u16>(&all[..6]).map(<[u16]>::len), Some(3));
        cast_mut::<u32>(all).unwrap()[1] = 7;
        assert_eq!(words[1], 7);
        assert_eq!(bytes_mut(&mut words).len(), 16);
    }
}
