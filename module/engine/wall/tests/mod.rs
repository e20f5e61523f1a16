// SPDX-License-Identifier: GPL-2.0
//! The wall as the module uses it, over the files of test_models: memory that is handed in.

mod layout;
mod load;
mod quantized;
mod step;

use std::fs;
use std::path::PathBuf;

/// A cache line, for the alignment of the wall.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(super) struct Line(pub [u8; 64]);

/// Zeroed memory.
pub(super) struct Memory(pub Vec<Line>);

impl Memory {
    pub(super) fn new(bytes: u64) -> Memory {
        Memory(vec![Line([0; 64]); bytes.div_ceil(64) as usize])
    }

    pub(super) fn base(&self) -> *mut u8 {
        self.0.as_ptr().cast::<u8>().cast_mut()
    }

    pub(super) fn bytes(&self) -> usize {
        64 * self.0.len()
    }
}

/// A file of test_models.
pub(super) fn file(name: &str) -> Vec<u8> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_models"));
    fs::read(root.join(name)).expect("a file of test_models")
}
