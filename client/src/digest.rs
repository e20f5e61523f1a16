// SPDX-License-Identifier: MIT OR Apache-2.0
//! A SHA-256.

use std::fmt;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::uapi::SISLM_DIGEST_SIZE;

/// A SHA-256; displayed as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; SISLM_DIGEST_SIZE as usize]);

impl Digest {
    /// The digest of what `beginning` holds, followed by what each of `others` does.
    ///
    /// # Errors
    ///
    /// What reading them gives.
    pub(crate) fn of(
        mut beginning: impl Read,
        others: impl Iterator<Item = io::Result<impl Read>>,
    ) -> io::Result<Self> {
        let mut hash = Hasher(Sha256::new());
        io::copy(&mut beginning, &mut hash)?;
        for other in others {
            io::copy(&mut other?, &mut hash)?;
        }
        Ok(Self(hash.0.finalize().into()))
    }

    /// The digest of the bits of `values`, little-endian.
    pub(crate) fn of_values<'a>(values: impl Iterator<Item = &'a f32>) -> Self {
        let mut hash = Sha256::new();
        for value in values {
            hash.update(value.to_le_bytes());
        }
        Self(hash.finalize().into())
    }
}

struct Hasher(Sha256);

impl io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// `bytes` as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_test_vector_of_fips_180() {
        let others = [Ok(&b"b"[..]), Ok(b""), Ok(b"c")];
        let digest = Digest::of(&b"a"[..], others.into_iter()).unwrap();
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), wanted);
    }
}
