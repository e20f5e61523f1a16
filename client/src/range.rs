// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the device says of a number that is outside its range.

use std::fmt;
use std::mem::offset_of;

use crate::uapi::*;

/// A number that CONFIGURE refused: only the device knows the ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// Option of the client that stands for it; None for a member that this client does not know.
    pub option: Option<&'static str>,
    /// Its least value, as the option takes it.
    pub least: String,
    /// Its largest.
    pub most: String,
}

/// How a member counts.
#[derive(Clone, Copy)]
enum Unit {
    /// 1
    One,
    /// 1 / 1000000
    Millionth,
}

/// Gives the place of a member of CONFIGURE.
macro_rules! at {
    ($($member:ident).+) => {
        offset_of!(sislm_configure, $($member).+)
    };
}

/// Places in `struct sislm_configure` by option.
const MEMBERS: [(usize, &str, Unit); 21] = [
    (at!(sampling.temperature), "--temperature", Unit::Millionth),
    (at!(sampling.top_p), "--top-p", Unit::Millionth),
    (at!(sampling.min_p), "--min-p", Unit::Millionth),
    (at!(sampling.typical_p), "--typical", Unit::Millionth),
    (
        at!(sampling.repeat_penalty),
        "--repeat-penalty",
        Unit::Millionth,
    ),
    (
        at!(sampling.presence_penalty),
        "--presence-penalty",
        Unit::Millionth,
    ),
    (
        at!(sampling.frequency_penalty),
        "--frequency-penalty",
        Unit::Millionth,
    ),
    (
        at!(samplers.dry_multiplier),
        "--dry-multiplier",
        Unit::Millionth,
    ),
    (at!(samplers.dry_base), "--dry-base", Unit::Millionth),
    (at!(samplers.top_n_sigma), "--top-n-sigma", Unit::Millionth),
    (
        at!(samplers.xtc_probability),
        "--xtc-probability",
        Unit::Millionth,
    ),
    (
        at!(samplers.xtc_threshold),
        "--xtc-threshold",
        Unit::Millionth,
    ),
    (
        at!(samplers.dynatemp_range),
        "--dynatemp-range",
        Unit::Millionth,
    ),
    (
        at!(samplers.dynatemp_exponent),
        "--dynatemp-exp",
        Unit::Millionth,
    ),
    (at!(samplers.mirostat), "--mirostat", Unit::One),
    (
        at!(samplers.mirostat_tau),
        "--mirostat-ent",
        Unit::Millionth,
    ),
    (at!(samplers.mirostat_eta), "--mirostat-lr", Unit::Millionth),
    (
        at!(samplers.breaker_count),
        "the number of --dry-sequence-breaker",
        Unit::One,
    ),
    (
        at!(samplers.breaker_length),
        "the length of a --dry-sequence-breaker",
        Unit::One,
    ),
    (at!(bias_count), "the number of --logit-bias", Unit::One),
    (at!(biases), "a number of --logit-bias", Unit::Millionth),
];

impl OutOfRange {
    /// What the answer of CONFIGURE tells, if anything.
    pub(crate) fn of(answer: &sislm_configure) -> Option<Self> {
        let place = usize::try_from(answer.refused).ok()?;
        if place == 0 {
            return None;
        }
        let known = MEMBERS.iter().find(|member| member.0 == place);
        let shown = |number: i64| match known {
            Some((_, _, Unit::Millionth)) => decimal(number),
            _ => number.to_string(),
        };
        Some(Self {
            option: known.map(|member| member.1),
            least: shown(answer.refused_least),
            most: shown(answer.refused_most),
        })
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, most, .. } = self;
        let option = self
            .option
            .unwrap_or("an option that is newer than this client");
        match least == most {
            true => write!(f, "{option} is out of its range: give {least}"),
            false => write!(f, "{option} is out of its range: give {least} to {most}"),
        }
    }
}

/// Millionths as a decimal number.
fn decimal(millionths: i64) -> String {
    let (million, absolute) = (u64::from(SISLM_MILLION), millionths.unsigned_abs());
    let sign = if millionths < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:06}", absolute / million, absolute % million);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(place: usize, least: i64, most: i64) -> sislm_configure {
        sislm_configure {
            refused: u32::try_from(place).unwrap(),
            refused_least: least,
            refused_most: most,
            ..Default::default()
        }
    }

    #[test]
    fn a_member_is_shown_as_its_option_takes_it() {
        let place = offset_of!(sislm_configure, sampling.presence_penalty);
        let refused = OutOfRange::of(&answer(place, -100_000_000, 100_000_000)).unwrap();
        assert_eq!(
            refused.to_string(),
            "--presence-penalty is out of its range: give -100 to 100"
        );
        let place = offset_of!(sislm_configure, samplers.mirostat);
        let refused = OutOfRange::of(&answer(place, 2, 2)).unwrap();
        assert_eq!(
            refused.to_string(),
            "--mirostat is out of its range: give 2"
        );
    }

    #[test]
    fn an_unknown_member_still_has_its_range() {
        let refused = OutOfRange::of(&answer(3, 1, 2)).unwrap();
        assert!(refused.to_string().ends_with("give 1 to 2"));
        assert_eq!(OutOfRange::of(&answer(0, 1, 2)), None);
    }

    #[test]
    fn decimals_are_exact() {
        for (millionths, text) in [
            (0, "0"),
            (1, "0.000001"),
            (1_500_000, "1.5"),
            (-1, "-0.000001"),
            (10_000_000, "10"),
        ] {
            assert_eq!(decimal(millionths), text);
        }
    }
}
