// SPDX-License-Identifier: GPL-2.0
//! What the formats with code books share: 16 codes for eight magnitudes and their signs.

/// The sign bits of eight quanta from seven: the number of minus signs is even.
pub(super) fn even_signs(seven: u8) -> u8 {
    seven & 127 | (((seven & 127).count_ones() & 1) as u8) << 7
}

/// Puts eight quanta, as the codes of entry `entry` with the signs `signs`, the first lowest.
pub(super) fn eight(entry: u16, signs: u8, out: &mut [i8; 8]) {
    for (k, code) in out.iter_mut().enumerate() {
        *code = ((entry >> (2 * k) & 3) as u8 | (signs >> k & 1) << 3).cast_signed();
    }
}

/// Puts eight quanta, as the codes of two entries of four with the signs `signs`.
pub(super) fn two_fours(entries: [u16; 2], signs: u8, out: &mut [i8; 8]) {
    for (k, code) in out.iter_mut().enumerate() {
        let magnitude = (entries[k / 4 % 2] >> (3 * (k % 4)) & 7) as u8;
        *code = (magnitude | (signs >> k & 1) << 3).cast_signed();
    }
}

/// What the codes mean: the magnitudes, and above them the same with a minus sign.
pub(super) const fn signed(magnitudes: [i8; 8]) -> [i8; 16] {
    let mut book = [0; 16];
    let mut code = 0;
    while code < 8 {
        book[code] = magnitudes[code];
        book[code + 8] = -magnitudes[code];
        code += 1;
    }
    book
}

/// The odd scale 2 * `step` + 1.
pub(super) fn odd(step: u8) -> i8 {
    (2 * (step & 15) + 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_even() {
        for seven in 0..128 {
            let signs = even_signs(seven);
            assert_eq!((signs & 127, signs.count_ones() % 2), (seven, 0));
        }
    }

    #[test]
    fn codes_have_magnitude_and_sign() {
        let (mut codes, book) = ([0; 8], signed([8, 25, 43, 0, 0, 0, 0, 0]));
        eight(0b10_01_00_10_01_00_10_01, 0b1000_0001, &mut codes);
        let quanta = codes.map(|code| book[code as usize]);
        assert_eq!(quanta, [-25, 43, 8, 25, 43, 8, 25, -43]);
    }
}
