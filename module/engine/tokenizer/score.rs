// SPDX-License-Identifier: GPL-2.0
//! Scores of SentencePiece tokens as integers: of the same order, and such that can be added.

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

/// Bits behind the point of a [`fixed`] score.
const FRACTION: u32 = 30;

/// The score behind an [`ordered`] integer, in units of 2^-30: exactly from 2^-7 on, and at most the
/// greatest `i64`. So sums of scores are those of llama.cpp's doubles.
pub(super) fn fixed(ordered: u32) -> i64 {
    let is_negative = ordered < ZERO;
    let bits = (if is_negative { !ordered } else { ordered }) & !ZERO;
    let fraction = bits & 0x7f_ffff;
    let (exponent, digits) = match bits >> 23 {
        0 => (1, fraction),
        exponent => (exponent, fraction | 0x80_0000),
    };
    // The value is digits * 2^(exponent - 150).
    let magnitude = match (exponent + FRACTION).checked_sub(150) {
        Some(left) if left < 40 => i64::from(digits) << left,
        Some(_) => i64::MAX,
        None => i64::from(digits) >> (150 - exponent - FRACTION).min(63),
    };
    if is_negative { -magnitude } else { magnitude }
}

/// The score of text without a piece, where `least` is the least [`ordered`] score of all pieces: less
/// by 10, rounded to 24 bits as llama.cpp's float is.
pub(super) fn of_unknown(least: u32) -> i64 {
    let exact = fixed(least).saturating_sub(10 << FRACTION);
    let size = exact.unsigned_abs();
    let Some(dropped) = (u64::BITS - size.leading_zeros()).checked_sub(24) else {
        return exact;
    };
    if dropped == 0 {
        return exact;
    }
    let (unit, last) = (1u64 << dropped, size >> dropped & 1);
    // To the nearest, and in the middle to the even one.
    let rounded = size.saturating_add((unit >> 1) - 1 + last) & !(unit - 1);
    let rounded = i64::try_from(rounded).unwrap_or(i64::MAX);
    if exact < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_scores_are_the_floats_and_never_overflow() {
        let of = |score: f32| fixed(ordered(score.to_bits()).expect("a number"));
        let units = f64::from(1u32 << FRACTION);
        for score in [
            -13.203_1f32,
            -2.5,
            -0.007_812_6,
            0.0,
            -0.0,
            1.0,
            7.3,
            -10_000.0,
            1e-3,
            8e9,
        ] {
            let exact = f64::from(score) * units;
            assert_eq!(of(score), exact.trunc() as i64, "{score}");
            if score.abs() >= 0.0079 {
                assert_eq!(exact.fract(), 0.0);
            }
        }
        assert_eq!(
            (of(f32::INFINITY), of(f32::NEG_INFINITY)),
            (i64::MAX, -i64::MAX)
        );
        assert_eq!((of(f32::MAX), of(-1e30)), (i64::MAX, -i64::MAX));
        assert_eq!((of(f32::MIN_POSITIVE), of(1e-45)), (0, 0));
        for least in [-13.203_1f32, -0.1, -16.377_3, -31.999_999, 3.0, 10.0, -1e6] {
            let expected = f64::from(least - 10.0) * units;
            let found = of_unknown(ordered(least.to_bits()).expect("a number"));
            assert_eq!(found, expected as i64, "{least}");
        }
        assert!(of_unknown(0) < 0 && of_unknown(u32::MAX) > 0);
    }

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
