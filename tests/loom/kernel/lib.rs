// SPDX-License-Identifier: GPL-2.0
//! What `module/sys/claims.rs` needs of the kernel crate, with loom's atomics in place of the CPU's.

/// Errors, as in `kernel::prelude`.
pub mod prelude {
    /// An error number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Error(i32);
    /// Invalid argument.
    pub const EINVAL: Error = Error(22);
    /// The kernel's result.
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;
}

/// Locks and atomics.
pub mod sync {
    pub mod atomic;
}

/// Clocks.
pub mod time {
    use core::{marker::PhantomData, time::Duration};

    /// The monotonic clock.
    pub struct Monotonic;

    /// A moment; here no time passes.
    pub struct Instant<C>(PhantomData<C>);

    /// A span of time.
    pub struct Delta(Duration);

    impl<C> Instant<C> {
        /// This moment.
        pub fn now() -> Self {
            Self(PhantomData)
        }

        /// Time since this moment.
        pub fn elapsed(&self) -> Delta {
            Delta(Duration::ZERO)
        }
    }

    impl Delta {
        /// Nanoseconds.
        pub fn as_nanos(&self) -> i64 {
            self.0.as_nanos() as i64
        }
    }
}
