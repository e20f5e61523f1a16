// SPDX-License-Identifier: GPL-2.0
//! How the next token is drawn.

use super::ranges::{check_samplers, check_sampling};
use crate::abi::{MILLION, OutOfRange, Samplers, Sampling};

/// `struct sislm_sampling` and the numbers of `struct sislm_samplers` in binary32, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// 0 is greedy, unless it is dynamic.
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
    /// Scale of DRY's penalty; 0 is none.
    pub dry_multiplier: f32,
    /// What DRY's penalty grows by with each token of a repetition, at least 1.
    pub dry_base: f32,
    /// Tokens of a repetition that has the penalty `dry_multiplier`.
    pub dry_allowed_length: u32,
    /// Tokens looked back at by DRY.
    pub dry_last: u32,
    /// Standard deviations kept; 0 keeps all.
    pub top_n_sigma: f32,
    /// Share of draws with XTC.
    pub xtc_probability: f32,
    /// Probability from which on a candidate may be dropped by XTC.
    pub xtc_threshold: f32,
    /// How far the temperature may be from its middle; 0 for not at all.
    pub dynatemp_range: f32,
    /// Exponent of the normalized entropy that the temperature follows.
    pub dynatemp_exponent: f32,
    /// Whether mirostat 2 drops candidates.
    pub mirostat: bool,
    /// Its target, in bits.
    pub mirostat_tau: f32,
    /// How fast its limit follows.
    pub mirostat_eta: f32,
}

/// One division, rounded once: contract, section 9.
pub fn fraction(millionths: i64) -> f32 {
    millionths as f32 / MILLION as f32
}

impl Parameters {
    /// Checks each member; the first that is outside its range, in the structures' order.
    pub fn new(sampling: &Sampling, samplers: &Samplers) -> Result<Self, OutOfRange> {
        check_sampling(sampling)?;
        check_samplers(samplers)?;
        let positive = |millionths: u32| fraction(i64::from(millionths));
        let signed = |millionths: i32| fraction(i64::from(millionths));
        Ok(Self {
            temperature: positive(sampling.temperature),
            top_k: sampling.top_k,
            top_p: positive(sampling.top_p),
            min_p: positive(sampling.min_p),
            typical_p: positive(sampling.typical_p),
            repeat_penalty: positive(sampling.repeat_penalty),
            repeat_last: sampling.repeat_last,
            presence_penalty: signed(sampling.presence_penalty),
            frequency_penalty: signed(sampling.frequency_penalty),
            dry_multiplier: positive(samplers.dry_multiplier),
            dry_base: positive(samplers.dry_base),
            dry_allowed_length: samplers.dry_allowed_length,
            dry_last: samplers.dry_last,
            top_n_sigma: positive(samplers.top_n_sigma),
            xtc_probability: positive(samplers.xtc_probability),
            xtc_threshold: positive(samplers.xtc_threshold),
            dynatemp_range: positive(samplers.dynatemp_range),
            dynatemp_exponent: positive(samplers.dynatemp_exponent),
            mirostat: samplers.mirostat != 0,
            mirostat_tau: positive(samplers.mirostat_tau),
            mirostat_eta: positive(samplers.mirostat_eta),
        })
    }

    /// Whether the most likely token is taken, without a draw.
    pub fn is_greedy(&self) -> bool {
        self.temperature == 0.0 && self.dynatemp_range == 0.0
    }

    /// Whether nothing after top-p but mirostat changes what the draw is from.
    pub fn draws_freely(&self) -> bool {
        self.min_p <= 0.0 && self.xtc_probability <= 0.0 && self.dynatemp_range <= 0.0
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
        let parameters = Parameters::new(&Sampling::BALANCED, &Samplers::OFF).unwrap();
        assert_eq!(parameters.temperature.to_bits(), 0.8f32.to_bits());
        assert_eq!(parameters.top_p.to_bits(), 0.9f32.to_bits());
        assert_eq!(parameters.typical_p, 1.0);
        assert!(!parameters.penalizes());
    }
}
