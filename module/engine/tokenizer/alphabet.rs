// SPDX-License-Identifier: GPL-2.0
//! GPT-2's alphabet: one printable character for each byte, in which byte-level vocabularies are
//! written. Source: `bytes_to_unicode` of OpenAI's GPT-2 (src/encoder.py).

use super::utf8;

/// The byte that the character `code` stands for.
// CAST: Below 256 in each arm.
#[expect(clippy::cast_possible_truncation)]
fn byte(code: u32) -> Option<u8> {
    let byte = match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        // The others are moved to 256 and up, in order: 0 to 32, 127 to 160, 173.
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => return None,
    };
    Some(byte as u8)
}

/// Writes the bytes that `text` stands for to `bytes` and gives their number; `None` when a
/// character is not in the alphabet or `bytes` is too short.
pub(super) fn decode(mut text: &[u8], bytes: &mut [u8]) -> Option<usize> {
    let mut count = 0;
    while !text.is_empty() {
        let (code, length) = utf8::decode(text)?;
        *bytes.get_mut(count)? = byte(code)?;
        count += 1;
        text = text.get(length..)?;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character() {
        // The definition of encoder.py, read the other way round.
        let kept: Vec<u32> = (0x21..=0x7e)
            .chain(0xa1..=0xac)
            .chain(0xae..=0xff)
            .collect();
        let moved = (0..256).filter(|byte| !kept.contains(byte));
        let mut pairs: Vec<(u32, u32)> = kept.iter().map(|&byte| (byte, byte)).collect();
        pairs.extend(moved.enumerate().map(|(n, byte)| (256 + n as u32, byte)));
        assert_eq!(pairs.len(), 256);
        for (code, expected) in pairs {
            assert_eq!(byte(code), Some(expected as u8));
        }
        assert_eq!((0..0x400).filter(|&code| byte(code).is_some()).count(), 256);
    }

    #[test]
    fn other_characters_are_no_bytes() {
        let mut bytes = [0; 8];
        assert_eq!(decode("Ġhi".as_bytes(), &mut bytes), Some(3));
        assert_eq!(&bytes[..3], b" hi");
        assert_eq!(decode("a b".as_bytes(), &mut bytes), None);
        assert_eq!(decode("｜".as_bytes(), &mut bytes), None);
        assert_eq!(decode(b"123456789", &mut bytes), None);
    }
}
