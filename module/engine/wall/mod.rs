// SPDX-License-Identifier: GPL-2.0
//! The functions of the wall: pointers become slices and references here, and nowhere else.

mod check;
pub mod chunk;
#[cfg(test)]
mod crossing;
mod head;
pub mod load;
pub mod model;
mod pooling;
mod sample;
mod score;
pub mod step;
#[cfg(test)]
mod tests;
pub mod text;
mod workspace;

// Packed weights, tables and the cache are read as numbers in place.
const _: () = assert!(cfg!(target_endian = "little"));

/// See `sislm_wall!`.
#[unsafe(no_mangle)]
pub extern "C" fn sislm_engine_abi() -> u32 {
    crate::abi::ABI
}

/// Checks that each function of the wall is defined with the type the wall declares.
macro_rules! check {
    ($($(#[$text:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        const _: () = {
            use crate::abi::*;
            $(let _: unsafe extern "C" fn($($type),*) -> $result = all::$name;)*
        };
    };
}

/// The functions of the wall.
#[allow(unused_imports)]
mod all {
    pub(super) use super::check::*;
    pub(super) use super::load::*;
    pub(super) use super::pooling::*;
    pub(super) use super::sample::*;
    pub(super) use super::score::*;
    pub(super) use super::sislm_engine_abi;
    pub(super) use super::step::*;
    pub(super) use super::text::*;
}

crate::sislm_wall!(check);
