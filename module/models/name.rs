// SPDX-License-Identifier: GPL-2.0
//! The names of models.

use crate::sys::uapi::{BASE_BYTES, NAME_BYTES};
use kernel::prelude::*;

/// What stands between a name and a version.
const SEPARATOR: u8 = b'@';

/// A name without a version: 1 to 52 characters of `[A-Za-z0-9._-]`, then zeroes. Each version fits behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name([u8; NAME_BYTES]);

/// What a load makes of a name.
#[derive(Clone, Copy)]
pub(crate) struct Tag {
    /// Without the version.
    pub(crate) name: Name,
    /// From 1.
    pub(crate) version: u32,
    /// The operator's opinion of the model, at most `SISLM_RANK_MAX`; 0 for none.
    pub(crate) rank: u32,
}

/// A name as it is asked for: of one version, or of what the alias gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Without the version.
    pub(crate) name: Name,
    /// From 1; none asks for what the alias of the name gives.
    pub(crate) version: Option<u32>,
}

impl Name {
    /// `EINVAL` unless well-formed.
    pub(crate) fn new(bytes: [u8; NAME_BYTES]) -> Result<Self> {
        let length = bytes.iter().position(|byte| *byte == 0).ok_or(EINVAL)?;
        let (name, rest) = bytes.split_at_checked(length).ok_or(EINVAL)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(EINVAL);
        }
        Self::of(name)
    }

    /// Of these characters.
    fn of(name: &[u8]) -> Result<Self> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        if name.is_empty() || name.len() >= BASE_BYTES || !name.iter().all(allowed) {
            return Err(EINVAL);
        }
        let mut bytes = [0; NAME_BYTES];
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = *from;
        }
        Ok(Self(bytes))
    }

    /// As [`Name::new`], all zeroes being no name.
    pub(crate) fn optional(bytes: [u8; NAME_BYTES]) -> Result<Option<Self>> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        Self::new(bytes).map(Some)
    }

    /// The name of the model that is used when none is asked for.
    pub(crate) fn default_model() -> Self {
        let mut bytes = [0; NAME_BYTES];
        for (to, from) in bytes.iter_mut().zip(b"default") {
            *to = *from;
        }
        Self(bytes)
    }

    /// Its bytes, NUL-padded.
    pub(crate) fn bytes(&self) -> [u8; NAME_BYTES] {
        self.0
    }

    /// The bytes of the name of its `version`, NUL-padded.
    pub(crate) fn with_version(&self, version: u32) -> [u8; NAME_BYTES] {
        // The digits from the last on.
        let mut digits = [0; 10];
        let (mut rest, mut count) = (version, 0usize);
        for digit in &mut digits {
            // CAST: Below ten.
            *digit = b'0'.saturating_add((rest % 10) as u8);
            rest /= 10;
            count = count.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        let digits = digits.iter().take(count).rev();
        let mut bytes = self.0;
        let free = bytes.iter_mut().skip_while(|byte| **byte != 0);
        for (to, from) in free.zip(Iterator::chain(core::iter::once(&SEPARATOR), digits)) {
            *to = *from;
        }
        bytes
    }
}

impl Wanted {
    /// `EINVAL` unless well-formed.
    pub(crate) fn new(bytes: [u8; NAME_BYTES]) -> Result<Self> {
        let Some(place) = bytes.iter().position(|byte| *byte == SEPARATOR) else {
            let name = Name::new(bytes)?;
            return Ok(Self {
                name,
                version: None,
            });
        };
        let (name, rest) = bytes.split_at_checked(place).ok_or(EINVAL)?;
        let name = Name::of(name)?;
        let digits = rest.iter().skip(1).take_while(|byte| **byte != 0);
        let mut version = 0u32;
        for digit in digits {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10);
            let digit = u32::from(digit.ok_or(EINVAL)?);
            version = version
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(digit))
                .ok_or(EINVAL)?;
        }
        // Nothing else stands for it: no zeroes before, nothing behind.
        if version == 0 || name.with_version(version) != bytes {
            return Err(EINVAL);
        }
        Ok(Self {
            name,
            version: Some(version),
        })
    }

    /// As [`Wanted::new`], all zeroes being no name.
    pub(crate) fn optional(bytes: [u8; NAME_BYTES]) -> Result<Option<Self>> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        Self::new(bytes).map(Some)
    }
}

#[kunit_tests(sislm_name)]
mod tests {
    use super::*;

    fn bytes(text: &[u8]) -> [u8; NAME_BYTES] {
        let mut bytes = [0; NAME_BYTES];
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        bytes
    }

    #[test]
    fn names_are_letters_digits_dots_dashes() {
        assert!(Name::new(bytes(b"kernel-docs_7m.q4")).is_ok());
        assert!(Name::new(bytes(&[b'a'; 52])).is_ok());
        assert!(Name::new(bytes(&[b'a'; 53])).is_err());
        assert!(Name::new([b'a'; NAME_BYTES]).is_err());
        for wrong in [&b""[..], b"a b", b"a/b", b"a\0b", b"\xc3\xa4", b"a@1"] {
            assert!(Name::new(bytes(wrong)).is_err());
        }
    }

    #[test]
    fn a_version_has_one_spelling() {
        let wanted = Wanted::new(bytes(b"tiny@12")).unwrap();
        assert_eq!(wanted.version, Some(12));
        assert!(wanted.name.with_version(12) == bytes(b"tiny@12"));
        assert_eq!(Wanted::new(bytes(b"tiny")).unwrap().version, None);
        let long = Wanted::new(bytes(&[b'a'; 52])).unwrap().name;
        let last = Wanted::new(long.with_version(u32::MAX)).unwrap();
        assert_eq!(last.version, Some(u32::MAX));
        let wrong = [
            &b"a@"[..],
            b"@1",
            b"a@0",
            b"a@01",
            b"a@1x",
            b"a@+1",
            b"a@1@1",
            b"a@4294967296",
            b"a@1\x001",
        ];
        for wrong in wrong {
            assert!(Wanted::new(bytes(wrong)).is_err());
        }
    }
}
