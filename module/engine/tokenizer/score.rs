// SPDX-License-Identifier: GPL-2.0
//! Scores of SentencePiece tokens as integers of the same order.

/// The integer of the score 0.
pub(super) const ZERO: u32 = 1 << 31;

/// An integer that compares as the score of these bits does; `None` for NaN. Both zeros are one.
pub(super) fn ordered(bits: u32) -> Option<u32> {
    const SIGN: u32 = 1 << 31;
    match bits {
        SIGN => Some(SIGN),
        bits if bits & !SIGN > 0x7f80_0000 => None,
        bits if bits & SIGN != 0 => Some(!bits),
        bits => Some(bits | SIGN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_floats() {
        let ascending = [
            f32::NEG_INFINITY,
            -1e6,
            -2.5,
            -1e-40,
            0.0,
            1e-40,
            3.0,
            f32::INFINITY,
        ];
        let integers: Vec<u32> = ascending
            .iter()
            .map(|s| ordered(s.to_bits()).unwrap())
            .collect();
        assert!(integers.is_sorted_by(|a, b| a < b));
        assert_eq!(ordered((-0.0f32).to_bits()), Some(ZERO));
        assert_eq!(ordered(0.0f32.to_bits()), Some(ZERO));
        assert_eq!(ordered(f32::NAN.to_bits()), None);
        assert_eq!(ordered((-f32::NAN).to_bits()), None);
    }
}
