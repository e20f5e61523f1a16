// SPDX-License-Identifier: GPL-2.0
//! The integers of a block of 16 rows by 32 weights in memory.

use super::plain::Plain;
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::int8x16_t;
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::int32x4_t;

pub(super) mod codes;
pub(super) mod fives;
pub(super) mod nibbles;
pub(super) mod twos;

/// 8 rows by 32 weights, as [weights 4j to 4j + 3][rows 0 to 3, rows 4 to 7], row by row.
#[cfg(target_arch = "aarch64")]
pub(super) type Unpacked = [[int8x16_t; 2]; 8];

/// The bytes of quanta.
#[cfg(target_arch = "aarch64")]
pub(super) enum Stored<'a> {
    /// Those of [`nibbles`].
    Nibbles(&'a nibbles::Pairs),
    /// Those of [`fives`].
    Fives(&'a nibbles::Pairs, &'a fives::Rest),
    /// Those of [`twos`].
    Twos,
    /// Those of [`codes`], and what the codes mean.
    Codes(&'a [i8; 16]),
}

/// One way to store them.
///
/// Vectors of the rows 0 to 3 of a half and those of the rows 4 to 7 may come out of
/// [`Quanta::unpack`] less a constant each: a dot product with activations then lacks the constant
/// times their sum.
pub(super) trait Quanta: Plain {
    /// What a group keeps once for all of its quanta; no bytes for most.
    type Book: Plain;

    /// Stores the quanta of the row in `lane`; its bits are zeros before.
    fn put(&mut self, lane: usize, quanta: &[i8; 32]);

    /// Quantum `k` of the row in `lane`, as it is multiplied; both are taken modulo their ranges.
    fn get(&self, book: &Self::Book, lane: usize, k: usize) -> i32;

    /// The bytes, for loops that know how to take them.
    #[cfg(target_arch = "aarch64")]
    fn stored<'a>(&'a self, book: &'a Self::Book) -> Stored<'a>;

    /// The quanta of a half of the rows, perhaps less a constant.
    #[cfg(target_arch = "aarch64")]
    fn unpack(&self, book: &Self::Book, half: usize) -> Unpacked;

    /// What the dot products of the rows 0 to 3 and 4 to 7 of a half lack, of 128 times the sum of
    /// the activations.
    #[cfg(target_arch = "aarch64")]
    fn lack(sum_128: int32x4_t) -> [int32x4_t; 2];
}
