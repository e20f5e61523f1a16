// SPDX-License-Identifier: GPL-2.0
//! What a panic would do in the kernel object: refer to a symbol that is nowhere defined, so that
//! an object with a panic path does not link.

use core::panic::PanicInfo;

unsafe extern "C" {
    /// Never defined.
    fn engine_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: Never linked.
    unsafe { engine_panic() }
}
