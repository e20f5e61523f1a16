// SPDX-License-Identifier: GPL-2.0
//! How the next token is drawn: the one place that knows the range of each parameter.

use core::mem::offset_of;
use core::ops::RangeInclusive;

use crate::abi::{MILLION, OutOfRange, Sampling};

/// `struct sislm_sampling` in binary32, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// 0 is greedy.
    pub temperature: f32,
    /// Candidates kept; 0 for all.
    pub top_k: u32,
    /// Share of the probability kept, above 0; 1 keeps all.
    pub top_p: f32,
    /// Least share of the best one's probability; 0 keeps all.
    pub min_p: f32,
    /// Share of the probability kept around the entropy, above 0; 1 keeps all.
    pub typical_p: f32,
    /// Divides positive logits, multiplies others; 1 is none.
    pub repeat_penalty: f32,
    /// Tokens looked back at by the three penalties.
    pub repeat_last: u32,
    /// Subtracted once from a token that occurred.
    pub presence_penalty: f32,
    /// Subtracted for each occurrence.
    pub frequency_penalty: f32,
}

/// Upper bound of temperature and penalties, in millionths.
const HUNDRED: i64 = 100 * MILLION as i64;
/// A share of which nothing would be none.
const SHARE: RangeInclusive<i64> = 1..=MILLION as i64;

/// Gives the name, the value and the range of a member to [`check`].
macro_rules! check {
    ($from:ident.$member:ident, $range:expr) => {
        check(
            offset_of!(Sampling, $member),
            i64::from($from.$member),
            $range,
        )?
    };
}

fn check(offset: usize, value: i64, range: RangeInclusive<i64>) -> Result<(), OutOfRange> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(OutOfRange {
        offset: offset as u32,
        pad: 0,
        least: *range.start(),
        most: *range.end(),
    })
}

/// One division, rounded once: contract, section 9.
fn fraction(millionths: u32) -> f32 {
    millionths as f32 / MILLION as f32
}

fn signed(millionths: i32) -> f32 {
    millionths as f32 / MILLION as f32
}

impl Parameters {
    /// Checks each member; the first that is outside its range, in the structure's order.
    pub fn new(from: &Sampling) -> Result<Self, OutOfRange> {
        check!(from.temperature, 0..=HUNDRED);
        check!(from.top_p, SHARE);
        check!(from.min_p, 0..=i64::from(MILLION));
        check!(from.typical_p, SHARE);
        check!(from.repeat_penalty, 1..=HUNDRED);
        check!(from.presence_penalty, -HUNDRED..=HUNDRED);
        check!(from.frequency_penalty, -HUNDRED..=HUNDRED);
        check!(from.pad, 0..=0);
        Ok(Self {
            temperature: fraction(from.temperature),
            top_k: from.top_k,
            top_p: fraction(from.top_p),
            min_p: fraction(from.min_p),
            typical_p: fraction(from.typical_p),
            repeat_penalty: fraction(from.repeat_penalty),
            repeat_last: from.repeat_last,
            presence_penalty: signed(from.presence_penalty),
            frequency_penalty: signed(from.frequency_penalty),
        })
    }

    /// Whether the most likely token is taken, without a draw.
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0
    }

    /// Whether any penalty changes a logit.
    pub fn penalizes(&self) -> bool {
        self.repeat_last != 0
            && (self.repeat_penalty != 1.0
                || self.presence_penalty != 0.0
                || self.frequency_penalty != 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_rounded_once() {
        let parameters = Parameters::new(&Sampling::BALANCED).unwrap();
        assert_eq!(parameters.temperature.to_bits(), 0.8f32.to_bits());
        assert_eq!(parameters.top_p.to_bits(), 0.9f32.to_bits());
        assert_eq!(parameters.typical_p, 1.0);
        assert!(!parameters.penalizes());
    }

    #[test]
    fn the_presets_are_within_the_ranges() {
        for preset in [Sampling::GREEDY, Sampling::BALANCED, Sampling::CREATIVE] {
            assert!(Parameters::new(&preset).is_ok());
        }
    }

    /// A member's place, the values at its borders and those beyond them.
    type Case = (
        usize,
        fn(&mut Sampling, i64),
        &'static [i64],
        &'static [i64],
    );

    macro_rules! case {
        ($member:ident, $sound:expr, $wrong:expr) => {
            (
                offset_of!(Sampling, $member),
                |sampling, value| sampling.$member = value.try_into().unwrap(),
                &$sound,
                &$wrong,
            )
        };
    }

    #[test]
    fn each_member_outside_its_range_is_refused_by_its_place() {
        const MOST: i64 = u32::MAX as i64;
        let cases: [Case; 10] = [
            case!(temperature, [0, 100_000_000], [100_000_001, MOST]),
            case!(top_k, [0, MOST], []),
            case!(top_p, [1, 1_000_000], [0, 1_000_001]),
            case!(min_p, [0, 1_000_000], [1_000_001]),
            case!(typical_p, [1, 1_000_000], [0, 1_000_001]),
            case!(repeat_penalty, [1, 100_000_000], [0, 100_000_001]),
            case!(repeat_last, [0, MOST], []),
            case!(
                presence_penalty,
                [-100_000_000, 100_000_000],
                [-100_000_001, 100_000_001]
            ),
            case!(
                frequency_penalty,
                [-100_000_000, 100_000_000],
                [i32::MIN as i64, 100_000_001]
            ),
            case!(pad, [0], [1]),
        ];
        for (offset, set, sound, wrong) in cases {
            let result = |value: i64| {
                let mut sampling = Sampling::BALANCED;
                set(&mut sampling, value);
                Parameters::new(&sampling)
            };
            for &value in sound {
                assert!(result(value).is_ok(), "offset {offset}, {value}");
            }
            for &value in wrong {
                let refused = result(value).unwrap_err();
                assert_eq!(refused.offset as usize, offset);
                let range = refused.least..=refused.most;
                assert!(!range.contains(&value), "offset {offset}, {value}");
                for border in [refused.least, refused.most] {
                    assert!(sound.contains(&border), "offset {offset}, {border}");
                }
            }
        }
    }
}
