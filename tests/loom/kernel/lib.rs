// SPDX-License-Identifier: GPL-2.0
//! What the modelled files need of the kernel crate, with loom's atomics and locks in place of the CPU's.

/// Errors and memory, as in `kernel::prelude`.
pub mod prelude {
    pub use crate::pin_init;
    pub use macros::{kunit_tests, pin_data};

    /// Memory of one value.
    pub type KBox<T> = Box<T>;

    /// How memory is taken: of no consequence here.
    pub struct Flags;
    /// Charged to the caller.
    pub const GFP_KERNEL_ACCOUNT: Flags = Flags;

    /// Something that makes a value: here the value itself.
    pub trait PinInit<T>: Sized {
        /// Makes it.
        fn init(self) -> T;
    }

    impl<T> PinInit<T> for T {
        fn init(self) -> T {
            self
        }
    }

    /// An error number.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Error(i32);
    /// Invalid argument.
    pub const EINVAL: Error = Error(22);
    /// Busy.
    pub const EBUSY: Error = Error(16);
    /// The kernel's result.
    pub type Result<T = (), E = Error> = core::result::Result<T, E>;
}

/// Locks and atomics.
pub mod sync {
    mod arc;
    pub mod atomic;
    mod lock;

    pub use arc::Arc;
    pub use lock::{Guard, SpinLock};
}

/// A spinlock with its value.
#[macro_export]
macro_rules! new_spinlock {
    ($value:expr, $name:literal) => {
        $crate::sync::SpinLock::new($value)
    };
}

/// A value from its fields.
#[macro_export]
macro_rules! pin_init {
    (Self { $($fields:tt)* }) => { $crate::pin_init!(@ [] $($fields)*) };
    (@ [$($done:tt)*] $name:ident <- $value:expr $(, $($rest:tt)*)?) => {
        $crate::pin_init!(@ [$($done)* $name: $crate::prelude::PinInit::init($value),] $($($rest)*)?)
    };
    (@ [$($done:tt)*] $name:ident: $value:expr $(, $($rest:tt)*)?) => {
        $crate::pin_init!(@ [$($done)* $name: $value,] $($($rest)*)?)
    };
    (@ [$($done:tt)*] $name:ident $(, $($rest:tt)*)?) => {
        $crate::pin_init!(@ [$($done)* $name,] $($($rest)*)?)
    };
    (@ [$($done:tt)*]) => { Self { $($done)* } };
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
