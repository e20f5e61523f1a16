// SPDX-License-Identifier: MIT OR Apache-2.0
//! API keys: who holds one may use the server. A file has their hashes.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{bail, Context};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of a key that nobody guesses.
const RANDOM_BYTES: usize = 32;

/// The keys of a file: lines of a name and the SHA-256 of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(Vec<(String, [u8; 32])>);

impl Keys {
    /// Those of the file at `path`, to which nobody but its owner may write.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let what = || format!("cannot use the keys of {}", path.display());
        let mode = fs::metadata(path).with_context(what)?.permissions().mode();
        if mode & 0o022 != 0 {
            let path = path.display();
            bail!("others may write to the keys of {path}: chmod go-w {path}, after a look at what it holds");
        }
        let text = fs::read_to_string(path).with_context(what)?;
        Self::of_text(&text).with_context(what)
    }

    fn of_text(text: &str) -> anyhow::Result<Self> {
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let key = |(number, line): (usize, &str)| {
            let (name, hash) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let hash = digest_of_hex(hash.trim());
            let hash =
                hash.with_context(|| format!("line {} is no name and SHA-256", number + 1))?;
            Ok((name.to_owned(), hash))
        };
        lines.map(key).collect::<anyhow::Result<_>>().map(Self)
    }

    /// The name of `key`. It takes as long whichever it is, and whether it is any.
    pub(crate) fn name_of(&self, key: &str) -> Option<&str> {
        let hash = hash(key);
        let mut found = None;
        for (name, known) in &self.0 {
            if bool::from(known.ct_eq(&hash)) {
                found = Some(name.as_str());
            }
        }
        found
    }

    /// Adds a new key under `name` to the file at `path`, and gives it: it can be read nowhere else.
    pub(crate) fn add(path: &Path, name: &str) -> anyhow::Result<String> {
        if name.is_empty() || name.contains(char::is_whitespace) || name.starts_with('#') {
            bail!("the name of a key is one word");
        }
        if path.exists() && Self::read(path)?.0.iter().any(|(known, _)| known == name) {
            bail!(
                "there is a key of that name: take its line out of {}, or choose another name",
                path.display()
            );
        }
        let mut random = [0; RANDOM_BYTES];
        let source =
            fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random));
        source.context("cannot read /dev/urandom")?;
        let key = format!("sislm-{}", hex(&random));
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        writeln!(file, "{name} {}", hex(&hash(&key)))?;
        Ok(key)
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let one = Keys::add(&path, "one").unwrap();
        let other = Keys::add(&path, "other").unwrap();
        let keys = Keys::read(&path).unwrap();
        assert_eq!(keys.name_of(&one), Some("one"));
        assert_eq!(keys.name_of(&other), Some("other"));
        assert_eq!(keys.name_of(&one[1..]), None);
        assert_eq!(keys.name_of(""), None);
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&one) && !text.contains(&one[6..]));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Keys::add(&path, "one").is_err());
        assert!(Keys::add(&path, "two words").is_err());
    }

    #[test]
    fn a_file_that_others_write_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o664)).unwrap();
        let error = Keys::read(file.path()).unwrap_err();
        assert!(error.to_string().contains("chmod go-w"), "{error}");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let error = Keys::of_text("# keys\n\nname 12").unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        assert!(Keys::of_text(&format!("name {}", "g".repeat(64))).is_err());
    }
}
