// SPDX-License-Identifier: GPL-2.0
//! The name of a model.

use crate::sys::uapi::NAME_BYTES;
use kernel::prelude::*;

/// A model's name: 1 to 63 characters of `[A-Za-z0-9._-]`, then zeroes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name([u8; NAME_BYTES]);

impl Name {
    /// `EINVAL` unless well-formed.
    pub(crate) fn new(bytes: [u8; NAME_BYTES]) -> Result<Self> {
        let length = bytes.iter().position(|byte| *byte == 0).ok_or(EINVAL)?;
        let (name, rest) = bytes.split_at_checked(length).ok_or(EINVAL)?;
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        if name.is_empty() || !name.iter().all(allowed) || rest.iter().any(|byte| *byte != 0) {
            return Err(EINVAL);
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
}

#[kunit_tests(sislm_name)]
mod tests {
    use super::*;

    fn name(text: &[u8]) -> Result<Name> {
        let mut bytes = [0; NAME_BYTES];
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        Name::new(bytes)
    }

    #[test]
    fn names_are_letters_digits_dots_dashes() {
        assert!(name(b"kernel-docs_7m.q4").is_ok());
        assert!(name(&[b'a'; 63]).is_ok());
        assert!(name(&[b'a'; 64]).is_err());
        for wrong in [&b""[..], b"a b", b"a/b", b"a\0b", b"\xc3\xa4"] {
            assert!(name(wrong).is_err());
        }
    }
}
