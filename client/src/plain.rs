// SPDX-License-Identifier: MIT OR Apache-2.0
//! Structures of the interface as bytes, little-endian as both sides are.
#![expect(
    unsafe_code,
    reason = "the compiler cannot check that a structure of bindgen has no padding"
)]

use std::mem::size_of;

use crate::uapi::{sislm_bias, sislm_record, sislm_samplers, sislm_sampling};

/// A structure that any bytes are a valid value of, and that has no padding.
///
/// # Safety
///
/// Fixed-width integers and arrays of them only, without padding between or after.
pub(crate) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($name:ty, $bytes:literal;)*) => {$(
        // SAFETY: by the rules of the header; its size, the sum of its members, is asserted.
        unsafe impl Plain for $name {}
        const _: () = assert!(size_of::<$name>() == $bytes);
    )*};
}

plain! {
    sislm_bias, 8;
    sislm_record, 312;
    sislm_samplers, 344;
    sislm_sampling, 40;
}

/// The bytes of `value`.
pub(crate) fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    let start: *const T = value;
    // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
    unsafe { std::slice::from_raw_parts(start.cast(), size_of::<T>()) }
}

/// The value that `bytes` are; None when they are not as many as it has.
pub(crate) fn from_bytes<T: Plain>(bytes: &[u8]) -> Option<T> {
    // SAFETY: as many bytes as the value has, of which any are one; they may lie anywhere.
    (bytes.len() == size_of::<T>()).then(|| unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_both_ways() {
        let record = sislm_record {
            size: 312,
            flags: 7,
            ..Default::default()
        };
        let bytes = bytes_of(&record).to_vec();
        assert_eq!((bytes[0], bytes[1], bytes[188]), (56, 1, 7));
        let again: sislm_record = from_bytes(&bytes).unwrap();
        assert_eq!((again.size, again.flags), (312, 7));
        assert!(from_bytes::<sislm_record>(&bytes[1..]).is_none());
    }
}
