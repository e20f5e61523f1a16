// SPDX-License-Identifier: GPL-2.0
//! SHA-256 by the kernel's library.

use super::bindings as sys;
use core::mem::MaybeUninit;

/// Bytes of a digest.
pub(crate) const DIGEST_BYTES: usize = 32;

/// A digest being computed.
pub(crate) struct Sha256 {
    context: sys::sha256_ctx,
}

impl Sha256 {
    /// Of nothing yet.
    pub(crate) fn new() -> Self {
        let mut context = MaybeUninit::<sys::sha256_ctx>::zeroed();
        // SAFETY: The context is writable; zeroes are a valid value of its integers.
        let context = unsafe {
            sys::sha256_init(context.as_mut_ptr());
            context.assume_init()
        };
        Self { context }
    }

    /// Adds `data`. The library may use NEON: never inside a section.
    pub(crate) fn update(&mut self, data: &[u8]) {
        super::task::assert_outside_section();
        // SAFETY: The context was initialized; `data` is readable for its length.
        unsafe { sys::__sha256_update(&mut self.context.ctx, data.as_ptr(), data.len()) };
    }

    /// The digest.
    pub(crate) fn finish(mut self) -> [u8; DIGEST_BYTES] {
        let mut digest = [0; DIGEST_BYTES];
        // SAFETY: The context was initialized and is not used again; `digest` holds 32 bytes.
        unsafe { sys::sha256_final(&mut self.context, digest.as_mut_ptr()) };
        digest
    }
}

impl Drop for Sha256 {
    fn drop(&mut self) {
        let context = core::ptr::from_mut(&mut self.context);
        // What was hashed could be told from it.
        // SAFETY: A context of our own, which nobody uses again.
        unsafe { sys::sislm_memzero(context.cast(), size_of::<sys::sha256_ctx>()) };
    }
}
