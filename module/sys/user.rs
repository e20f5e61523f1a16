// SPDX-License-Identifier: GPL-2.0
//! User memory: size-versioned structures and arrays.

use super::{task::assert_outside_section, uapi::Plain};
use core::{mem::size_of, slice};
use kernel::{
    ioctl::_IOC_SIZE,
    prelude::*,
    uaccess::{UserSlice, UserSliceReader, UserSliceWriter}, //
};

/// The argument of an ioctl: a structure of the size that the caller knows.
pub(crate) struct Argument {
    address: usize,
    size: usize,
}

/// The bytes of a plain value.
pub(crate) fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
    unsafe { slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// The bytes of plain values.
pub(crate) fn bytes_of_slice<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: As in `bytes_of`.
    unsafe { slice::from_raw_parts(values.as_ptr().cast(), core::mem::size_of_val(values)) }
}

fn bytes_of_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: As in `bytes_of`, and any bytes are valid values.
    unsafe { slice::from_raw_parts_mut(values.as_mut_ptr().cast(), core::mem::size_of_val(values)) }
}

impl Argument {
    /// Of command `cmd` with argument `arg`.
    pub(crate) fn new(cmd: u32, arg: usize) -> Self {
        Self {
            address: arg,
            size: _IOC_SIZE(cmd),
        }
    }

    /// Whether the caller knows the first `bytes` bytes of the structure.
    pub(crate) fn holds(&self, bytes: usize) -> bool {
        self.size >= bytes
    }

    fn slice(&self) -> UserSlice {
        UserSlice::new(UserPtr::from_addr(self.address), self.size)
    }

    /// The structure: completed with zeroes when the caller knows a shorter one; `E2BIG` when it
    /// knows a longer one and what is unknown here is not zero.
    pub(crate) fn read<T: Plain>(&self) -> Result<T> {
        assert_outside_section();
        let mut value = T::default();
        self.fill(&mut value)?;
        Ok(value)
    }

    /// Reads the structure into a `value` that is all zero.
    fn fill<T: Plain>(&self, value: &mut T) -> Result {
        let mut reader = self.slice().reader();
        let known = bytes_of_mut(slice::from_mut(value));
        let common = known.len().min(reader.len());
        reader.read_slice(known.get_mut(..common).ok_or(EFAULT)?)?;
        check_zero(reader)
    }

    /// As [`Argument::read`], of one that is too large for a stack.
    pub(crate) fn read_boxed<T: Plain>(&self) -> Result<KBox<T>> {
        assert_outside_section();
        let place = KBox::<T>::new_uninit(GFP_KERNEL_ACCOUNT | __GFP_ZERO)?;
        // SAFETY: Zeroed, and any bytes are a value of a `Plain` type.
        let mut value = unsafe { place.assume_init() };
        self.fill(&mut *value)?;
        Ok(value)
    }

    /// Writes the structure back, as much as the caller knows.
    pub(crate) fn write<T: Plain>(&self, value: &T) -> Result {
        assert_outside_section();
        let bytes = bytes_of(value);
        let mut writer = self.slice().writer();
        let common = bytes.len().min(writer.len());
        writer.write_slice(bytes.get(..common).ok_or(EFAULT)?)
    }
}

/// `E2BIG` unless all that is left is zero.
fn check_zero(mut reader: UserSliceReader) -> Result {
    let mut buffer = [0u8; 64];
    while !reader.is_empty() {
        let part = buffer.len().min(reader.len());
        let part = buffer.get_mut(..part).ok_or(EFAULT)?;
        reader.read_slice(part)?;
        if part.iter().any(|byte| *byte != 0) {
            return Err(E2BIG);
        }
    }
    Ok(())
}

fn range<T>(address: u64, first: u64, count: usize) -> Result<UserSlice> {
    assert_outside_section();
    let size = size_of::<T>() as u64;
    let start = first
        .checked_mul(size)
        .and_then(|offset| address.checked_add(offset))
        .and_then(|start| usize::try_from(start).ok())
        .ok_or(EFAULT)?;
    let bytes = count.checked_mul(size_of::<T>()).ok_or(EFAULT)?;
    Ok(UserSlice::new(UserPtr::from_addr(start), bytes))
}

/// Fills `values` from the array at `address`, from entry `first` on.
pub(crate) fn read_array<T: Plain>(address: u64, first: u64, values: &mut [T]) -> Result {
    let mut reader = range::<T>(address, first, values.len())?.reader();
    reader.read_slice(bytes_of_mut(values))
}

/// Writes `values` to the array at `address`, from entry `first` on.
pub(crate) fn write_array<T: Plain>(address: u64, first: u64, values: &[T]) -> Result {
    let mut writer: UserSliceWriter = range::<T>(address, first, values.len())?.writer();
    writer.write_slice(bytes_of_slice(values))
}
