// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why the parts of a model are not taken together.

use std::path::PathBuf;
use std::{fmt, io};

/// What is wrong with a part, and where.
#[derive(Debug)]
pub struct SplitError {
    /// The part.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: SplitReason,
}

/// What is wrong with a part.
#[derive(Debug)]
pub enum SplitReason {
    /// It cannot be read.
    Read(io::Error),
    /// More parts than are taken.
    Count(u32),
    /// It ends before its contents, or is no GGUF file.
    Damaged,
    /// It does not say that it is this part of so many.
    Foreign {
        /// Place that its name says, from 1 on.
        number: u32,
        /// Parts that its name says.
        count: u32,
    },
    /// All parts together have another number of tensors than they say.
    Tensors {
        /// In the parts.
        found: u64,
        /// As the first part says.
        wanted: u64,
    },
    /// Its tensors are aligned in another way than those of the first part.
    Alignment,
}

impl fmt::Display for SplitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.reason {
            SplitReason::Read(error) => write!(
                f,
                "cannot read {path}, a part of the model: {error}; put all parts into one folder, under the names \
                 that they came with"
            ),
            SplitReason::Count(most) => write!(
                f,
                "{path} is of a model in more than {most} parts; join them with llama.cpp's llama-gguf-split --merge \
                 FIRST-PART.gguf WHOLE.gguf, and load the whole"
            ),
            SplitReason::Damaged => write!(
                f,
                "{path}, a part of the model, is cut short or no GGUF file; download or copy it again"
            ),
            SplitReason::Foreign { number, count } => write!(
                f,
                "{path} does not say of itself that it is part {number} of {count}; take all parts from the same \
                 place, under the names that they came with"
            ),
            SplitReason::Tensors { found, wanted } => write!(
                f,
                "the parts beside {path} have {found} tensors, not {wanted}: one of them is of another model; take \
                 all parts from the same place"
            ),
            SplitReason::Alignment => write!(
                f,
                "{path} is aligned otherwise than the first part; join the parts with llama.cpp's llama-gguf-split \
                 --merge FIRST-PART.gguf WHOLE.gguf, and load the whole"
            ),
        }
    }
}

impl std::error::Error for SplitError {}
