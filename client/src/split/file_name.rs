// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of parts: `NAME-00001-of-00003.gguf`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Bytes of `-00001-of-00003.gguf`.
const SUFFIX: usize = 20;

/// The path of a part, taken apart.
pub(super) struct PartPath<'a> {
    path: &'a Path,
    /// What goes before the number.
    pub(super) name: &'a OsStr,
    /// Parts of the model, at least 2.
    pub(super) count: u32,
}

impl<'a> PartPath<'a> {
    /// None when the file is not named like a part.
    pub(super) fn new(path: &'a Path) -> Option<Self> {
        let file = path.file_name()?.as_bytes();
        let (name, suffix) = file.split_at_checked(file.len().checked_sub(SUFFIX)?)?;
        let numbers = suffix.strip_prefix(b"-")?.strip_suffix(b".gguf")?;
        let (number, rest) = numbers.split_at_checked(5)?;
        let (number, count) = (decimal(number)?, decimal(rest.strip_prefix(b"-of-")?)?);
        ((1..=count).contains(&number) && count > 1).then(|| Self {
            path,
            name: OsStr::from_bytes(name),
            count,
        })
    }

    /// The path of part `number`, from 1 on.
    pub(super) fn of(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(self.name);
        name.push(format!("-{number:05}-of-{:05}.gguf", self.count));
        self.path.with_file_name(name)
    }
}

/// The number that five digits are.
fn decimal(digits: &[u8]) -> Option<u32> {
    let all = digits.len() == 5 && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_names_the_others() {
        let path = Path::new("/models/some.model-00002-of-00012.gguf");
        let part = PartPath::new(path).unwrap();
        assert_eq!(part.count, 12);
        let last = Path::new("/models/some.model-00012-of-00012.gguf");
        assert_eq!(part.of(12), last);
    }

    #[test]
    fn other_names_are_no_parts() {
        for name in [
            "model.gguf",
            "model-00001-of-00001.gguf",
            "model-00003-of-00002.gguf",
            "model-00000-of-00002.gguf",
            "model-0001-of-0002.gguf",
            "model-+0001-of-00002.gguf",
            "model-00001-of-00002.bin",
            "00001-of-00002.gguf",
            "é-00001-of-00002",
        ] {
            assert!(PartPath::new(Path::new(name)).is_none(), "{name}");
        }
    }
}
