// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a file holds that is no sound model, by its bytes.

/// Bytes from the start of a file that are looked at.
pub(crate) const LOOK_BYTES: usize = 1 << 20;
/// Line ends in a binary file below which they prove nothing.
const LINE_ENDS_MIN: usize = 8;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The pointer that Git LFS, or Xet, keeps in the model's place.
    Pointer,
    /// A page that a server sent instead of the file.
    WebPage,
    /// A model in the format of safetensors.
    Safetensors,
    /// An archive: of PyTorch, or of the model.
    Archive,
    /// A model in a format that came before GGUF.
    OldFormat,
    /// A model in which each line end became two bytes, as a transfer as text does.
    LineEnds,
}

impl Contents {
    /// What `first`, the bytes that a file begins with, show.
    pub fn of(first: &[u8]) -> Option<Self> {
        if first.starts_with(b"GGUF") {
            return damaged(first).then_some(Self::LineEnds);
        }
        let begins = |starts: &[&[u8]]| starts.iter().any(|start| first.starts_with(start));
        if begins(&[
            b"version https://git-lfs",
            b"version https://hawser",
            b"# xet version",
        ]) {
            return Some(Self::Pointer);
        }
        if begins(&[
            b"PK\x03\x04",
            b"\x1f\x8b",
            b"7z\xbc\xaf",
            b"(\xb5/\xfd",
            b"\xfd7zXZ",
            b"BZh",
        ]) {
            return Some(Self::Archive);
        }
        if begins(&[b"lmgg", b"fmgg", b"tjgg", b"algg"]) {
            return Some(Self::OldFormat);
        }
        // The length of what is in braces comes first.
        if first.get(8..10) == Some(b"{\"") && first.get(4..8) == Some(&[0; 4]) {
            return Some(Self::Safetensors);
        }
        is_page(first).then_some(Self::WebPage)
    }
}

/// Whether every line end has a carriage return before it: in weights one of 256 has.
fn damaged(first: &[u8]) -> bool {
    let ends = first.iter().zip(first.get(1..).unwrap_or_default());
    let (mut all, mut pairs) = (0, 0);
    for (before, _) in ends.filter(|(_, byte)| **byte == b'\n') {
        all += 1;
        pairs += usize::from(*before == b'\r');
    }
    all >= LINE_ENDS_MIN && all == pairs
}

/// Whether it is a page or an answer of a web server.
fn is_page(first: &[u8]) -> bool {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let start = first.trim_ascii_start();
    let start: Vec<u8> = start.iter().take(16).map(u8::to_ascii_lowercase).collect();
    let marks: [&[u8]; 9] = [
        b"<!doctype",
        b"<html",
        b"<head",
        b"<?xml",
        b"<!--",
        b"{\"error",
        b"{\"message",
        b"entry not found",
        b"access to model",
    ];
    marks.iter().any(|mark| start.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_a_model_s_place_is_told() {
        for (first, contents) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"[..],
                Contents::Pointer,
            ),
            (b"# xet version 0\n", Contents::Pointer),
            (b"<!doctype html><html>", Contents::WebPage),
            (b"\xef\xbb\xbf\r\n  <HTML lang=en>", Contents::WebPage),
            (b"Entry not found", Contents::WebPage),
            (b"{\"error\":\"Repository not found\"}", Contents::WebPage),
            (b"PK\x03\x04archive/data.pkl", Contents::Archive),
            (b"\x1f\x8b\x08", Contents::Archive),
            (b"tjgg\x03\0\0\0", Contents::OldFormat),
            (
                b"\x80\x01\0\0\0\0\0\0{\"__metadata__\":{",
                Contents::Safetensors,
            ),
        ] {
            assert_eq!(Contents::of(first), Some(contents), "{first:?}");
        }
    }

    #[test]
    fn other_bytes_say_nothing() {
        for first in [
            &b""[..],
            b"\n",
            b"a text about <html>",
            b"version 2",
            b"{\"a\":1}",
            b"GGUF\x03\0\0\0",
        ] {
            assert_eq!(Contents::of(first), None, "{first:?}");
        }
    }

    #[test]
    fn line_ends_that_all_became_two_bytes_are_damage() {
        let model = |end: &[u8], count| [b"GGUF\x03\0\0\0", &end.repeat(count)[..]].concat();
        assert_eq!(Contents::of(&model(b"xy\r\n", 8)), Some(Contents::LineEnds));
        assert_eq!(Contents::of(&model(b"xy\r\n", 7)), None);
        assert_eq!(Contents::of(&model(b"xy\n", 99)), None);
        let one_is_whole = [model(b"xy\r\n", 99), b"z\n".to_vec()].concat();
        assert_eq!(Contents::of(&one_is_whole), None);
    }
}
