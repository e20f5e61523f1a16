// SPDX-License-Identifier: GPL-2.0
//! The ranges of all that says how tokens are drawn: the one place that knows them.

use core::mem::offset_of;
use core::ops::RangeInclusive;

use super::breakers::Breakers;
use crate::abi::{
    BIAS_BANNED, BIASES_MAX, BREAKER_BYTES, BREAKERS_MAX, Bias, MILLION, OutOfRange, Samplers,
    Sampling, part,
};

/// Upper bound of temperature, penalties and what is like them, in millionths.
const HUNDRED: i64 = 100 * MILLION as i64;
/// 0 to this bound.
const UP_TO_HUNDRED: RangeInclusive<i64> = 0..=HUNDRED;
/// On both sides of 0.
const SIGNED: RangeInclusive<i64> = -HUNDRED..=HUNDRED;
/// A part of a whole.
const PART: RangeInclusive<i64> = 0..=MILLION as i64;
/// A share of which nothing would be none.
const SHARE: RangeInclusive<i64> = 1..=MILLION as i64;
/// Number of strings that break a sequence.
// CAST: A small constant.
#[expect(clippy::cast_possible_wrap)]
const BREAKERS: RangeInclusive<i64> = 0..=BREAKERS_MAX as i64;
/// Bytes of a string that breaks a sequence.
// CAST: A small constant.
#[expect(clippy::cast_possible_wrap)]
const BREAKER: RangeInclusive<i64> = 1..=BREAKER_BYTES as i64;

/// Gives the place, the value and the range of a member of `Sampling` or `Samplers` to [`check`].
macro_rules! check {
    (Sampling $from:ident.$member:ident, $range:expr) => {
        check(
            (part::SAMPLING, offset_of!(Sampling, $member)),
            i64::from($from.$member),
            $range,
        )?
    };
    (Samplers $from:ident.$member:ident, $range:expr) => {
        check(
            (part::SAMPLERS, offset_of!(Samplers, $member)),
            i64::from($from.$member),
            $range,
        )?
    };
}

fn check(place: (u32, usize), value: i64, range: RangeInclusive<i64>) -> Result<(), OutOfRange> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(refused(place, range))
}

fn refused((part, offset): (u32, usize), range: RangeInclusive<i64>) -> OutOfRange {
    OutOfRange {
        part,
        // CAST: A structure, and a list of BIASES_MAX, have less than 4 GiB.
        #[expect(clippy::cast_possible_truncation)]
        offset: offset as u32,
        least: *range.start(),
        most: *range.end(),
    }
}

/// Checks a list of biases: the ids ascend, and none is twice.
///
/// # Errors
/// The first that is outside its range, or the length of the list.
pub fn check_biases(biases: &[Bias]) -> Result<(), OutOfRange> {
    // CAST: A slice has fewer than 2^63 bytes.
    #[expect(clippy::cast_possible_wrap)]
    let count = biases.len() as i64;
    check((part::BIASES, 0), count, 0..=i64::from(BIASES_MAX))?;
    let mut least = 0;
    for (index, bias) in biases.iter().enumerate() {
        let at = |member| {
            (
                part::BIASES,
                index.saturating_mul(size_of::<Bias>()) + member,
            )
        };
        let id = i64::from(bias.id);
        check(at(offset_of!(Bias, id)), id, least..=i64::from(u32::MAX))?;
        least = id.saturating_add(1);
        if bias.bias != BIAS_BANNED {
            check(at(offset_of!(Bias, bias)), i64::from(bias.bias), SIGNED)?;
        }
    }
    Ok(())
}

/// Checks what is always there.
///
/// # Errors
/// The first member that is outside its range, in the structure's order.
pub(super) fn check_sampling(from: &Sampling) -> Result<(), OutOfRange> {
    check!(Sampling from.temperature, UP_TO_HUNDRED);
    check!(Sampling from.top_p, SHARE);
    check!(Sampling from.min_p, PART);
    check!(Sampling from.typical_p, SHARE);
    check!(Sampling from.repeat_penalty, 1..=HUNDRED);
    check!(Sampling from.presence_penalty, SIGNED);
    check!(Sampling from.frequency_penalty, SIGNED);
    check!(Sampling from.pad, 0..=0);
    Ok(())
}

/// Checks what is off unless asked for.
///
/// # Errors
/// As [`check_sampling`].
pub(super) fn check_samplers(from: &Samplers) -> Result<(), OutOfRange> {
    let least_base = if from.dry_multiplier == 0 {
        0
    } else {
        i64::from(MILLION)
    };
    check!(Samplers from.dry_multiplier, UP_TO_HUNDRED);
    check!(Samplers from.dry_base, least_base..=HUNDRED);
    check!(Samplers from.top_n_sigma, UP_TO_HUNDRED);
    check!(Samplers from.xtc_probability, PART);
    check!(Samplers from.xtc_threshold, PART);
    check!(Samplers from.dynatemp_range, UP_TO_HUNDRED);
    check!(Samplers from.dynatemp_exponent, UP_TO_HUNDRED);
    if from.mirostat != 0 {
        check!(Samplers from.mirostat, 2..=2);
    }
    check!(Samplers from.mirostat_tau, UP_TO_HUNDRED);
    check!(Samplers from.mirostat_eta, UP_TO_HUNDRED);
    check!(Samplers from.breaker_count, BREAKERS);
    check!(Samplers from.pad, 0..=0);
    Ok(())
}

/// Checks the strings that break a sequence. Once for a configuration: all of their bytes are looked
/// at, and a draw is safe without.
///
/// # Errors
/// Their lengths, when a string is unsound.
pub fn check_breakers(from: &Samplers) -> Result<(), OutOfRange> {
    if Breakers::are_sound(from) {
        return Ok(());
    }
    let place = (part::SAMPLERS, offset_of!(Samplers, breaker_length));
    Err(refused(place, BREAKER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_within_the_ranges() {
        for preset in [Sampling::GREEDY, Sampling::BALANCED, Sampling::CREATIVE] {
            assert!(check_sampling(&preset).is_ok());
        }
    }

    /// How tokens are drawn, and a list of one bias.
    type All = (Sampling, Samplers, Bias);
    /// A member's place, how to set it, the values at its borders and those beyond them.
    type Case = (
        (u32, usize),
        fn(&mut All, i64),
        &'static [i64],
        &'static [i64],
    );

    macro_rules! case {
        ($part:ident, $index:tt, $structure:ident.$member:ident, $sound:expr, $wrong:expr) => {
            (
                (part::$part, offset_of!($structure, $member)),
                |all, value| all.$index.$member = value.try_into().unwrap(),
                &$sound,
                &$wrong,
            )
        };
    }

    #[test]
    fn each_member_outside_its_range_is_refused_by_its_place() {
        const M: i64 = 1_000_000;
        const H: i64 = 100 * M;
        const MOST: i64 = u32::MAX as i64;
        let cases: &[Case] = &[
            case!(SAMPLING, 0, Sampling.temperature, [0, H], [H + 1, MOST]),
            case!(SAMPLING, 0, Sampling.top_k, [0, MOST], []),
            case!(SAMPLING, 0, Sampling.top_p, [1, M], [0, M + 1]),
            case!(SAMPLING, 0, Sampling.min_p, [0, M], [M + 1]),
            case!(SAMPLING, 0, Sampling.typical_p, [1, M], [0, M + 1]),
            case!(SAMPLING, 0, Sampling.repeat_penalty, [1, H], [0, H + 1]),
            case!(SAMPLING, 0, Sampling.repeat_last, [0, MOST], []),
            case!(
                SAMPLING,
                0,
                Sampling.presence_penalty,
                [-H, H],
                [-H - 1, H + 1]
            ),
            case!(
                SAMPLING,
                0,
                Sampling.frequency_penalty,
                [-H, H],
                [i32::MIN as i64, H + 1]
            ),
            case!(SAMPLING, 0, Sampling.pad, [0], [1]),
            case!(SAMPLERS, 1, Samplers.dry_multiplier, [0, H], [H + 1, MOST]),
            case!(SAMPLERS, 1, Samplers.dry_base, [M, H], [0, M - 1, H + 1]),
            case!(SAMPLERS, 1, Samplers.dry_allowed_length, [0, MOST], []),
            case!(SAMPLERS, 1, Samplers.dry_last, [0, MOST], []),
            case!(SAMPLERS, 1, Samplers.top_n_sigma, [0, H], [H + 1]),
            case!(SAMPLERS, 1, Samplers.xtc_probability, [0, M], [M + 1]),
            case!(SAMPLERS, 1, Samplers.xtc_threshold, [0, M], [M + 1]),
            case!(SAMPLERS, 1, Samplers.dynatemp_range, [0, H], [H + 1]),
            case!(SAMPLERS, 1, Samplers.dynatemp_exponent, [0, H], [H + 1]),
            case!(SAMPLERS, 1, Samplers.mirostat, [2], [1, 3]),
            case!(SAMPLERS, 1, Samplers.mirostat_tau, [0, H], [H + 1]),
            case!(SAMPLERS, 1, Samplers.mirostat_eta, [0, H], [H + 1]),
            case!(
                SAMPLERS,
                1,
                Samplers.breaker_count,
                [0],
                [BREAKERS_MAX as i64 + 1]
            ),
            case!(SAMPLERS, 1, Samplers.pad, [0], [1]),
            case!(BIASES, 2, Bias.id, [0, MOST], []),
            case!(
                BIASES,
                2,
                Bias.bias,
                [-H, H, i32::MIN as i64],
                [-H - 1, H + 1]
            ),
        ];
        for &(place, set, sound, wrong) in cases {
            let result = |value: i64| {
                let samplers = Samplers {
                    dry_multiplier: 1,
                    dry_base: MILLION,
                    ..Samplers::OFF
                };
                let mut all = (Sampling::BALANCED, samplers, Bias { id: 0, bias: 0 });
                set(&mut all, value);
                check_sampling(&all.0)?;
                check_samplers(&all.1)?;
                check_breakers(&all.1)?;
                check_biases(&[all.2])
            };
            for &value in sound {
                assert!(result(value).is_ok(), "{place:?}, {value}");
            }
            for &value in wrong {
                let refused = result(value).unwrap_err();
                assert_eq!((refused.part, refused.offset as usize), place);
                let range = refused.least..=refused.most;
                assert!(!range.contains(&value), "{place:?}, {value}");
                assert!(sound.contains(&refused.least) && range.contains(&sound[0]));
            }
        }
        assert!(
            check_samplers(&Samplers::OFF).is_ok(),
            "no base without DRY"
        );
    }

    #[test]
    fn biases_ascend_and_are_not_too_many() {
        let list = |ids: &[u32]| -> Vec<Bias> {
            ids.iter()
                .map(|&id| Bias {
                    id,
                    bias: BIAS_BANNED,
                })
                .collect()
        };
        assert!(check_biases(&list(&[0, 7, u32::MAX])).is_ok());
        for wrong in [[7, 7, 9], [1, 0, 9]] {
            let refused = check_biases(&list(&wrong)).unwrap_err();
            assert_eq!((refused.part, refused.offset), (part::BIASES, 8));
            assert_eq!(refused.least, i64::from(wrong[0]) + 1);
        }
        let many: Vec<u32> = (0..=BIASES_MAX).collect();
        assert!(check_biases(&list(&many[1..])).is_ok());
        let refused = check_biases(&list(&many)).unwrap_err();
        assert_eq!((refused.offset, refused.most), (0, i64::from(BIASES_MAX)));
    }

    #[test]
    fn unsound_breakers_are_refused() {
        let mut samplers = Samplers::OFF;
        samplers.breaker_count = 1;
        let refused = check_breakers(&samplers).unwrap_err();
        assert_eq!((refused.least, refused.most), (1, BREAKER_BYTES as i64));
    }
}
