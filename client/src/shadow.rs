// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers of a name compared with those of another version.

use crate::name::text_of;
use crate::uapi::{SISLM_MILLION, SISLM_SHADOW_SET};
use crate::ModelName;

/// What was counted of a pair of versions; the members are those of `struct sislm_shadow`.
pub use crate::uapi::sislm_shadow as Shadow;

/// Of a normal distribution, 95 % are within so many standard deviations.
const DEVIATIONS: f64 = 1.959_964;
/// Turns below which nothing is concluded.
pub const CONCLUSIVE_TURNS: u64 = 30;
/// Tokens below which nothing is concluded.
pub const CONCLUSIVE_TOKENS: u64 = 1000;

/// An estimate, and between what it is with a probability of 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl Shadow {
    /// Asks to compare `permille` of 1,000 answers of `alias` with `version`; with none, none.
    pub(crate) fn to_set(alias: &ModelName, version: Option<&ModelName>, permille: u32) -> Self {
        Self {
            flags: SISLM_SHADOW_SET,
            alias: alias.to_bytes(),
            shadow: version.map_or([0; _], ModelName::to_bytes),
            permille,
            ..Default::default()
        }
    }

    /// Whose answers are compared.
    pub fn alias(&self) -> String {
        text_of(&self.alias)
    }

    /// The version that compares.
    pub fn version(&self) -> String {
        text_of(&self.shadow)
    }

    /// The version that answered; None before the first answer of any.
    pub fn primary(&self) -> Option<String> {
        Some(text_of(&self.primary)).filter(|name| !name.is_empty())
    }

    /// Turns that were to be compared and were not, each kind with its reason.
    pub fn skipped(&self) -> [(&'static str, u64); 5] {
        [
            ("busy", self.busy),
            ("vocabulary", self.vocabulary),
            ("length", self.length),
            ("memory", self.memory),
            ("stopped", self.stopped),
        ]
    }

    /// How often both versions find the same token the most likely one (Wilson's interval, as if tokens were independent);
    /// None without tokens.
    pub fn agreement(&self) -> Option<Estimate> {
        if self.tokens == 0 {
            return None;
        }
        let (count, squared) = (self.tokens as f64, DEVIATIONS * DEVIATIONS);
        let value = self.equal as f64 / count;
        let all = 1.0 + squared / count;
        let middle = (value + squared / (2.0 * count)) / all;
        let spread = value * (1.0 - value) / count + squared / (4.0 * count * count);
        let half = DEVIATIONS / all * spread.sqrt();
        Some(Estimate {
            value,
            low: (middle - half).max(0.0),
            high: (middle + half).min(1.0),
        })
    }

    /// Mean over tokens of how much larger the log-probability is by the version that answered (natural logarithm). The
    /// interval is that of turns, whose tokens are not independent; None below two turns.
    pub fn difference(&self) -> Option<Estimate> {
        if self.turns < 2 || self.tokens == 0 {
            return None;
        }
        let (turns, tokens) = (self.turns as f64, self.tokens as f64);
        let value = self.difference as f64 / f64::from(SISLM_MILLION) / tokens;
        // Squares of what the turns have more or less than the mean makes of their tokens.
        let squares = self.difference_squared as f64 / 1e6
            - 2.0 * value * self.product as f64 / 1e3
            + value * value * self.tokens_squared as f64;
        let variance = squares.max(0.0) * turns / (turns - 1.0) / (tokens * tokens);
        let half = DEVIATIONS * variance.sqrt();
        Some(Estimate {
            value,
            low: value - half,
            high: value + half,
        })
    }

    /// Whether there are turns and tokens enough to conclude anything.
    pub fn is_conclusive(&self) -> bool {
        self.turns >= CONCLUSIVE_TURNS && self.tokens >= CONCLUSIVE_TOKENS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_told() {
        let (alias, version) = ("prod".parse().unwrap(), "tiny@2".parse().unwrap());
        let shadow = Shadow::to_set(&alias, Some(&version), 100);
        assert_eq!(
            (shadow.alias(), shadow.version()),
            ("prod".into(), "tiny@2".into())
        );
        assert_eq!(
            (shadow.flags, shadow.permille, shadow.primary()),
            (1, 100, None)
        );
        assert_eq!(Shadow::to_set(&alias, None, 0).version(), "");
    }

    #[test]
    fn agreement_has_the_interval_of_wilson() {
        let shadow = Shadow {
            tokens: 100,
            equal: 95,
            ..Default::default()
        };
        let agreement = shadow.agreement().unwrap();
        assert_eq!(agreement.value, 0.95);
        // As statsmodels' proportion_confint(95, 100, method="wilson") has it.
        assert!((agreement.low - 0.888_250).abs() < 1e-5, "{agreement:?}");
        assert!((agreement.high - 0.978_456).abs() < 1e-5, "{agreement:?}");
        let all = Shadow {
            equal: 100,
            ..shadow
        };
        assert_eq!(all.agreement().unwrap().high, 1.0);
        assert_eq!(Shadow::default().agreement(), None);
    }

    #[test]
    fn the_difference_has_the_interval_of_turns() {
        // Turns of 10, 20 and 30 tokens, with sums of 1, 3 and 2.
        let turns = [(10_u64, 1_000_000_i64), (20, 3_000_000), (30, 2_000_000)];
        let mut shadow = Shadow::default();
        for (tokens, difference) in turns {
            let thousandths = difference / 1000;
            shadow.turns += 1;
            shadow.tokens += tokens;
            shadow.difference += difference;
            shadow.tokens_squared += tokens * tokens;
            shadow.difference_squared += (thousandths * thousandths).unsigned_abs();
            shadow.product += tokens.cast_signed() * thousandths;
        }
        let difference = shadow.difference().unwrap();
        assert!((difference.value - 0.1).abs() < 1e-12);
        // They are 0, 1 and -1 off: a variance of 2 * 3 / 2 / 60 / 60.
        let half = DEVIATIONS * (3.0_f64 / 3600.0).sqrt();
        assert!((difference.high - difference.value - half).abs() < 1e-9);
        assert!(!shadow.is_conclusive());
        let one = Shadow { turns: 1, ..shadow };
        assert_eq!(one.difference(), None);
    }
}
