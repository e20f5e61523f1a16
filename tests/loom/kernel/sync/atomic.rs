// SPDX-License-Identifier: GPL-2.0
//! The kernel's atomics over loom's: a `Full` operation has a full barrier before and after it, and
//! one that fails has no ordering (Documentation/atomic_t.txt of the kernel).

use loom::sync::atomic::{fence, AtomicBool, AtomicU32, AtomicU64, Ordering};

/// No ordering.
pub struct Relaxed;
/// Acquire, for loads.
pub struct Acquire;
/// Full barriers on both sides, for read-modify-write operations.
pub struct Full;

/// The orderings of a load.
pub trait LoadOrdering {
    /// Loom's name of it.
    const LOAD: Ordering;
}

impl LoadOrdering for Relaxed {
    const LOAD: Ordering = Ordering::Relaxed;
}

impl LoadOrdering for Acquire {
    const LOAD: Ordering = Ordering::Acquire;
}

/// The orderings of a read-modify-write operation.
pub trait RmwOrdering {
    /// Runs the operation with its barriers; `done` says whether it took place.
    fn ordered<R>(operation: impl FnOnce(Ordering) -> R, done: impl FnOnce(&R) -> bool) -> R;
}

impl RmwOrdering for Relaxed {
    fn ordered<R>(operation: impl FnOnce(Ordering) -> R, _done: impl FnOnce(&R) -> bool) -> R {
        operation(Ordering::Relaxed)
    }
}

impl RmwOrdering for Full {
    fn ordered<R>(operation: impl FnOnce(Ordering) -> R, done: impl FnOnce(&R) -> bool) -> R {
        fence(Ordering::SeqCst);
        let result = operation(Ordering::AcqRel);
        if done(&result) {
            fence(Ordering::SeqCst);
        }
        result
    }
}

/// A type that an atomic can hold.
pub trait AtomicType: Copy {
    /// Loom's atomic of it.
    type Of;
    /// With a first value.
    fn of(value: Self) -> Self::Of;
    /// Reads it.
    fn load(of: &Self::Of, order: Ordering) -> Self;
    /// Writes it.
    fn store(self, of: &Self::Of, order: Ordering);
    /// Writes it and gives what it was.
    fn swap(self, of: &Self::Of, order: Ordering) -> Self;
    /// Writes it if it is `self`.
    fn exchange(self, new: Self, of: &Self::Of, order: Ordering) -> Result<Self, Self>;
}

macro_rules! atomic_types {
    ($($type:ty: $of:ty,)*) => {
        $(impl AtomicType for $type {
            type Of = $of;

            fn of(value: Self) -> $of {
                <$of>::new(value)
            }

            fn load(of: &$of, order: Ordering) -> Self {
                of.load(order)
            }

            fn store(self, of: &$of, order: Ordering) {
                of.store(self, order)
            }

            fn swap(self, of: &$of, order: Ordering) -> Self {
                of.swap(self, order)
            }

            fn exchange(self, new: Self, of: &$of, order: Ordering) -> Result<Self, Self> {
                of.compare_exchange(self, new, order, Ordering::Relaxed)
            }
        })*
    };
}

atomic_types! {
    bool: AtomicBool,
    u32: AtomicU32,
    u64: AtomicU64,
}

/// An atomic number or flag.
pub struct Atomic<T: AtomicType>(T::Of);

/// An atomic flag.
pub type AtomicFlag = Atomic<bool>;

impl<T: AtomicType> Atomic<T> {
    /// With a first value.
    pub fn new(value: T) -> Self {
        Self(T::of(value))
    }

    /// Reads it.
    pub fn load<O: LoadOrdering>(&self, _: O) -> T {
        T::load(&self.0, O::LOAD)
    }

    /// Writes it.
    pub fn store(&self, value: T, _: Relaxed) {
        value.store(&self.0, Ordering::Relaxed)
    }

    /// Writes it and gives what it was.
    pub fn xchg<O: RmwOrdering>(&self, value: T, _: O) -> T {
        O::ordered(|order| value.swap(&self.0, order), |_| true)
    }

    /// Writes it if it is `old`; otherwise gives what it is.
    pub fn cmpxchg<O: RmwOrdering>(&self, old: T, new: T, _: O) -> Result<T, T> {
        O::ordered(|order| old.exchange(new, &self.0, order), Result::is_ok)
    }
}

impl Atomic<u32> {
    /// Subtracts and gives what it was.
    pub fn fetch_sub<O: RmwOrdering>(&self, value: u32, _: O) -> u32 {
        O::ordered(|order| self.0.fetch_sub(value, order), |_| true)
    }

    /// Adds and gives what it was.
    pub fn fetch_add<O: RmwOrdering>(&self, value: u32, _: O) -> u32 {
        O::ordered(|order| self.0.fetch_add(value, order), |_| true)
    }
}

impl Atomic<u64> {
    /// Adds and gives what it was.
    pub fn fetch_add<O: RmwOrdering>(&self, value: u64, _: O) -> u64 {
        O::ordered(|order| self.0.fetch_add(value, order), |_| true)
    }
}
