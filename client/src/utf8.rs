// SPDX-License-Identifier: MIT OR Apache-2.0
//! Joins the characters of a byte stream that was split anywhere.

/// Hands out whole characters; bytes of a character that is not complete wait.
///
/// Bytes that are no UTF-8 become U+FFFD, as [`String::from_utf8_lossy`] does over the whole.
#[derive(Debug, Default)]
pub struct Joiner {
    /// The beginning of a character, at most 3 bytes.
    waiting: Vec<u8>,
}

impl Joiner {
    /// The characters that `bytes` complete.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.waiting.extend_from_slice(bytes);
        let whole = self.waiting.len() - incomplete(&self.waiting);
        let text = String::from_utf8_lossy(&self.waiting[..whole]).into_owned();
        self.waiting.drain(..whole);
        text
    }

    /// What still waits, at the end of the stream.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.waiting)).into_owned()
    }
}

/// Bytes at the end of `bytes` that may begin a character whose rest is to come, 0 to 3.
fn incomplete(bytes: &[u8]) -> usize {
    (1..=3.min(bytes.len()))
        .find(|&length| {
            let tail = &bytes[bytes.len() - length..];
            matches!(std::str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(bytes: &[u8], piece: usize) -> String {
        let mut joiner = Joiner::default();
        let mut text: String = bytes
            .chunks(piece)
            .map(|piece| joiner.push(piece))
            .collect();
        text.push_str(&joiner.finish());
        text
    }

    #[test]
    fn characters_are_whole_wherever_the_stream_is_cut() {
        let text = "a\u{e4}\u{20ac}\u{1f427}z";
        for piece in 1..=text.len() {
            assert_eq!(joined(text.as_bytes(), piece), text);
        }
    }

    #[test]
    fn nothing_waits_but_the_beginning_of_a_character() {
        let mut joiner = Joiner::default();
        assert_eq!(joiner.push(b"ab\xe2\x82"), "ab");
        assert_eq!(joiner.push(b"\xac"), "\u{20ac}");
        assert_eq!(joiner.push(b"\xff"), "\u{fffd}");
        assert_eq!(joiner.finish(), "");
    }

    #[test]
    fn bytes_that_are_no_utf8_read_the_same_in_pieces_and_whole() {
        let mut state = 1_u32;
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    const ALPHABET: [u8; 8] = [b'a', 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xff];
                    ALPHABET[(state >> 29) as usize]
                })
                .collect();
            let whole = String::from_utf8_lossy(&bytes).into_owned();
            for piece in 1..=4 {
                assert_eq!(joined(&bytes, piece), whole, "{bytes:x?} by {piece}");
            }
        }
    }

    #[test]
    fn an_unfinished_character_at_the_end_is_shown_as_one() {
        assert_eq!(joined(b"ab\xf0\x9f\x90", 2), "ab\u{fffd}");
    }
}
