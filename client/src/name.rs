// SPDX-License-Identifier: MIT OR Apache-2.0
//! The name of a loaded model.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::split;
use crate::uapi::{SISLM_BASE_MAX, SISLM_NAME_MAX};

/// Bytes of a name in the interface, NUL included.
const BYTES: usize = SISLM_NAME_MAX as usize;

/// Characters of a name without a version.
const BASE: usize = SISLM_BASE_MAX as usize - 1;

/// What stands between a name and a version.
const SEPARATOR: char = '@';

/// 1 to 52 characters of `[A-Za-z0-9._-]`, and where one version is meant, `@` and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName(String);

impl ModelName {
    /// The name under which the client loads its embedded model, and the device's first choice.
    pub fn default_model() -> Self {
        Self("default".into())
    }

    /// The name a file gets when none is given: its own without `.gguf` and without the number of a
    /// part, other characters made `-`, cut to fit. None for a path that ends in no name.
    pub fn of_file(path: &Path) -> Option<Self> {
        if let Some(name) = split::name(path) {
            return Some(Self::from_text(name));
        }
        let name = match path.extension() {
            Some(extension) if extension == OsStr::new("gguf") => path.file_stem(),
            _ => path.file_name(),
        }?;
        Some(Self::from_text(name))
    }

    fn from_text(name: &OsStr) -> Self {
        let allowed = |c: char| if is_allowed(c) { c } else { '-' };
        let name = name
            .to_string_lossy()
            .chars()
            .map(allowed)
            .take(BASE)
            .collect();
        Self(name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the version.
    pub fn base(&self) -> &str {
        self.0.split(SEPARATOR).next().unwrap_or(&self.0)
    }

    /// The version that is meant; None for what the alias of the name gives.
    pub fn version(&self) -> Option<u32> {
        self.0.split(SEPARATOR).nth(1)?.parse().ok()
    }

    /// The name of a version of this one.
    pub fn with_version(&self, version: u32) -> Self {
        Self(format!("{}{SEPARATOR}{version}", self.base()))
    }

    /// That of a member of the interface; None when it is none.
    pub(crate) fn from_bytes(bytes: &[u8; BYTES]) -> Option<Self> {
        text_of(bytes).parse().ok()
    }

    /// The name as the interface has it: NUL-terminated, then zero.
    pub(crate) fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..self.0.len()].copy_from_slice(self.0.as_bytes());
        bytes
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// The text before the first NUL of a member of the interface.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (base, version) = match text.split_once(SEPARATOR) {
            Some((base, version)) => (base, Some(version)),
            None => (text, None),
        };
        if base.is_empty() || base.len() > BASE || !base.chars().all(is_allowed) {
            return Err(format!(
                "a name has 1 to {BASE} characters of A-Z a-z 0-9 . _ -, and where one version is meant, @ and its number"
            ));
        }
        let number = |text: &str| text.parse().ok().filter(|number: &u32| *number > 0);
        match version.map(|text| (text, number(text))) {
            Some((text, found)) if found.map(|it| it.to_string()).as_deref() != Some(text) => {
                Err("a version is a number from 1".into())
            }
            _ => Ok(Self(text.into())),
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_own_name() {
        for (path, name) in [
            ("/models/tiny.gguf", "tiny"),
            ("tiny-q4_0.v2.gguf", "tiny-q4_0.v2"),
            ("my model (1).gguf", "my-model--1-"),
            ("model.bin", "model.bin"),
            ("big-Q4_0-00002-of-00003.gguf", "big-Q4_0"),
        ] {
            assert_eq!(ModelName::of_file(Path::new(path)).unwrap().as_str(), name);
        }
        assert_eq!(ModelName::of_file(Path::new("/")), None);
    }

    #[test]
    fn a_long_file_name_is_cut_to_52_characters() {
        let path = "x".repeat(200);
        assert_eq!(
            ModelName::of_file(Path::new(&path)).unwrap().as_str().len(),
            52
        );
    }

    #[test]
    fn only_the_documented_names_are_taken() {
        for good in ["a", "A.b_c-9", &"x".repeat(52), "a@1", "a@4294967295"] {
            let name: ModelName = good.parse().unwrap();
            assert_eq!(text_of(&name.to_bytes()), good);
        }
        let long = "x".repeat(53);
        let bad = [
            "", "a b", "a/b", "ä", "a\0", &long, "@1", "a@", "a@0", "a@01", "a@+1",
        ];
        for bad in bad.into_iter().chain(["a@1@1", "a@4294967296"]) {
            assert!(bad.parse::<ModelName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_is_a_part_of_a_name() {
        let name: ModelName = "tiny@12".parse().unwrap();
        assert_eq!((name.base(), name.version()), ("tiny", Some(12)));
        assert_eq!(name.with_version(3).as_str(), "tiny@3");
        let bare: ModelName = "tiny".parse().unwrap();
        assert_eq!((bare.base(), bare.version()), ("tiny", None));
    }
}
