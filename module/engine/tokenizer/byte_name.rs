// SPDX-License-Identifier: GPL-2.0
//! Names of byte tokens.

/// The byte that a SentencePiece byte token's name says: `<0x0A>`.
// CAST: Two digits of 4 bits.
#[expect(clippy::cast_possible_truncation)]
pub(super) fn byte_of(name: &[u8]) -> Option<u8> {
    let &[b'<', b'0', b'x', high, low, b'>'] = name else {
        return None;
    };
    let digit = |character: u8| char::from(character).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_make_a_byte() {
        assert_eq!(byte_of(b"<0x0A>"), Some(10));
        assert_eq!(byte_of(b"<0xff>"), Some(255));
        for name in [&b"<0xG0>"[..], b"<0x0A", b"<0x00A>", b"0x0A"] {
            assert_eq!(byte_of(name), None);
        }
    }
}
