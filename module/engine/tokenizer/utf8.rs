// SPDX-License-Identifier: GPL-2.0
//! One character of UTF-8 at a time.

/// The code point at the front of `text` and its length in bytes; `None` where the bytes are not
/// UTF-8 (RFC 3629: no overlong forms, no surrogates) or `text` is empty.
pub(super) fn decode(text: &[u8]) -> Option<(u32, usize)> {
    let tail = |at: usize| match text.get(at) {
        Some(&byte @ 0x80..=0xbf) => Some(u32::from(byte & 0x3f)),
        _ => None,
    };
    let &lead = text.first()?;
    let bits = u32::from(lead);
    match lead {
        0..0x80 => Some((bits, 1)),
        0xc2..0xe0 => Some(((bits & 0x1f) << 6 | tail(1)?, 2)),
        0xe0..0xf0 => {
            let code = (bits & 0xf) << 12 | tail(1)? << 6 | tail(2)?;
            (code >= 0x800 && !matches!(code, 0xd800..0xe000)).then_some((code, 3))
        }
        0xf0..0xf5 => {
            let code = (bits & 7) << 18 | tail(1)? << 12 | tail(2)? << 6 | tail(3)?;
            matches!(code, 0x1_0000..0x11_0000).then_some((code, 4))
        }
        _ => None,
    }
}

/// Bytes of the character at the front of `text`: 1 where they are not UTF-8, 0 at its end.
pub(super) fn length(text: &[u8]) -> usize {
    decode(text).map_or(text.len().min(1), |(_, length)| length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_core_on_every_short_string() {
        for bytes in (0..1u32 << 24)
            .step_by(7)
            .chain((0xf0_0000..0xf5_0000).step_by(3))
        {
            let [_, a, b, c] = bytes.to_be_bytes();
            for text in [[a, b, c, 0x80], [a, b, c, b'x']] {
                let expected = (1..=4).find_map(|length| {
                    let text = core::str::from_utf8(&text[..length]).ok()?;
                    Some((text.chars().next()? as u32, length))
                });
                assert_eq!(decode(&text), expected, "{text:x?}");
            }
        }
    }
}
