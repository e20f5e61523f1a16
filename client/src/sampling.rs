// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the next token is drawn.

use crate::uapi::sislm_sampling;
use crate::Millionths;

/// Sampling by penalties, then top-k, typical, top-p, min-p and temperature, in this order;
/// [`crate::Samplers`] come between them. The device checks the ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplingConfig {
    /// Softmax temperature, 0 to 100; 0 takes the most likely token.
    pub temperature: Millionths,
    /// Most likely candidates kept; 0 keeps all.
    pub top_k: u32,
    /// Probability mass kept, above 0 to 1 (Holtzman et al. 2020); 1 keeps all.
    pub top_p: Millionths,
    /// Least probability relative to the best candidate's, 0 to 1; 0 keeps all.
    pub min_p: Millionths,
    /// Mass kept of locally typical candidates (Meister et al. 2023), above 0 to 1; 1 keeps all.
    pub typical_p: Millionths,
    /// Logits of tokens seen lately are divided (or multiplied) by this; 1 is none (Keskar et al. 2019).
    pub repeat_penalty: Millionths,
    /// Tokens looked back at by the penalties.
    pub repeat_last: u32,
    /// Subtracted once from the logits of tokens seen lately; millionths, -100 to 100.
    pub presence_penalty: i32,
    /// Subtracted per occurrence from the logits of tokens seen lately; millionths, -100 to 100.
    pub frequency_penalty: i32,
}

impl SamplingConfig {
    /// The most likely token, always.
    pub fn greedy() -> Self {
        Self {
            temperature: Millionths::ZERO,
            top_k: 0,
            top_p: Millionths::ONE,
            min_p: Millionths::ZERO,
            typical_p: Millionths::ONE,
            repeat_penalty: Millionths::ONE,
            repeat_last: 64,
            presence_penalty: 0,
            frequency_penalty: 0,
        }
    }

    /// Temperature 0.8, top-k 40, top-p 0.9: what a file that is never configured uses.
    pub fn balanced() -> Self {
        Self {
            temperature: Millionths(800_000),
            top_k: 40,
            top_p: Millionths(900_000),
            ..Self::greedy()
        }
    }

    /// Temperature 1.2, top-k 100, top-p 0.95.
    pub fn creative() -> Self {
        Self {
            temperature: Millionths(1_200_000),
            top_k: 100,
            top_p: Millionths(950_000),
            ..Self::greedy()
        }
    }
}

impl Default for SamplingConfig {
    fn default() -> Self {
        Self::balanced()
    }
}

impl From<SamplingConfig> for sislm_sampling {
    fn from(config: SamplingConfig) -> Self {
        Self {
            temperature: config.temperature.0,
            top_k: config.top_k,
            top_p: config.top_p.0,
            min_p: config.min_p.0,
            typical_p: config.typical_p.0,
            repeat_penalty: config.repeat_penalty.0,
            repeat_last: config.repeat_last,
            presence_penalty: config.presence_penalty,
            frequency_penalty: config.frequency_penalty,
            pad: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_the_documented_ones() {
        let numbers = |config: SamplingConfig| {
            let raw = sislm_sampling::from(config);
            (raw.temperature, raw.top_k, raw.top_p)
        };
        assert_eq!(numbers(SamplingConfig::greedy()), (0, 0, 1_000_000));
        assert_eq!(numbers(SamplingConfig::balanced()), (800_000, 40, 900_000));
        assert_eq!(
            numbers(SamplingConfig::creative()),
            (1_200_000, 100, 950_000)
        );
        assert_eq!(SamplingConfig::default(), SamplingConfig::balanced());
    }

    #[test]
    fn the_presets_leave_everything_else_off() {
        for config in [
            SamplingConfig::greedy(),
            SamplingConfig::balanced(),
            SamplingConfig::creative(),
        ] {
            let raw = sislm_sampling::from(config);
            assert_eq!(
                (raw.min_p, raw.typical_p, raw.repeat_penalty),
                (0, 1_000_000, 1_000_000)
            );
            assert_eq!(
                (raw.presence_penalty, raw.frequency_penalty, raw.pad),
                (0, 0, 0)
            );
        }
    }
}
