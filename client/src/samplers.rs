// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ways of drawing that are off unless asked for.

use crate::uapi::{sislm_bias, sislm_samplers, SISLM_BIAS_BANNED};
use crate::Millionths;

/// What comes beside [`crate::SamplingConfig`]; by default none of it. The device checks the ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samplers {
    /// Penalizes repetitions.
    pub dry: Option<Dry>,
    /// Standard deviations that a logit may lie below the best one (Tang et al. 2024); 0 keeps all.
    pub top_n_sigma: u32,
    /// Now and then drops the likeliest candidates.
    pub xtc: Option<Xtc>,
    /// Lets the temperature follow the entropy.
    pub dynamic_temperature: Option<DynamicTemperature>,
    /// Keeps the surprise near a target.
    pub mirostat: Option<Mirostat>,
}

/// DRY: a token that would make a repetition of n tokens longer loses
/// multiplier * base^(n - allowed length) (p-e-w 2024).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dry {
    /// Scale of the penalty.
    pub multiplier: Millionths,
    /// At least 1.
    pub base: Millionths,
    /// Tokens of the shortest repetition that is penalized.
    pub allowed_length: u32,
    /// Tokens looked back at.
    pub last: u32,
    /// Text that repetitions do not reach across: at most [`crate::BREAKER_MAX`] strings of 1 to
    /// [`crate::BREAKER_BYTES`] bytes.
    pub breakers: Vec<Vec<u8>>,
}

/// XTC: of the candidates that reach the threshold only the least likely stays (p-e-w 2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xtc {
    /// Share of the draws in which it does.
    pub probability: Millionths,
    /// Probability that a candidate has to reach.
    pub threshold: Millionths,
}

/// A temperature between temperature - range and temperature + range (Zhu et al. 2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DynamicTemperature {
    /// How far it may be from its middle.
    pub range: Millionths,
    /// Power of the normalized entropy.
    pub exponent: Millionths,
}

/// Mirostat 2 (Basu et al. 2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mirostat {
    /// Surprise aimed at, in bits.
    pub tau: Millionths,
    /// How fast the limit follows.
    pub eta: Millionths,
}

/// What is added to the logit of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bias {
    /// The token.
    pub id: u32,
    /// Millionths, -100 to 100; None bans the token.
    pub bias: Option<i32>,
}

impl Samplers {
    /// The structure of the device; None when the breakers do not fit it.
    pub(crate) fn to_raw(&self) -> Option<sislm_samplers> {
        let mut raw = sislm_samplers {
            top_n_sigma: self.top_n_sigma,
            ..Default::default()
        };
        if let Some(dry) = &self.dry {
            raw.dry_multiplier = dry.multiplier.0;
            raw.dry_base = dry.base.0;
            raw.dry_allowed_length = dry.allowed_length;
            raw.dry_last = dry.last;
            raw.breaker_count = u32::try_from(dry.breakers.len()).ok()?;
            for (index, text) in dry.breakers.iter().enumerate() {
                let row = raw.breaker.get_mut(index)?.get_mut(..text.len())?;
                row.copy_from_slice(text);
                *raw.breaker_length.get_mut(index)? = u32::try_from(text.len()).ok()?;
            }
        }
        if let Some(xtc) = self.xtc {
            raw.xtc_probability = xtc.probability.0;
            raw.xtc_threshold = xtc.threshold.0;
        }
        if let Some(dynamic) = self.dynamic_temperature {
            raw.dynatemp_range = dynamic.range.0;
            raw.dynatemp_exponent = dynamic.exponent.0;
        }
        if let Some(mirostat) = self.mirostat {
            raw.mirostat = 2;
            raw.mirostat_tau = mirostat.tau.0;
            raw.mirostat_eta = mirostat.eta.0;
        }
        Some(raw)
    }
}

impl From<Bias> for sislm_bias {
    fn from(bias: Bias) -> Self {
        Self {
            id: bias.id,
            bias: bias.bias.unwrap_or(SISLM_BIAS_BANNED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dry(breakers: &[&[u8]]) -> Samplers {
        Samplers {
            dry: Some(Dry {
                multiplier: Millionths(800_000),
                base: Millionths(1_750_000),
                allowed_length: 2,
                last: u32::MAX,
                breakers: breakers.iter().map(|text| text.to_vec()).collect(),
            }),
            ..Default::default()
        }
    }

    #[test]
    fn by_default_all_is_zero() {
        let raw = Samplers::default().to_raw().unwrap();
        let dry = (raw.dry_multiplier, raw.dry_base, raw.dry_last);
        let others = (raw.top_n_sigma, raw.xtc_probability, raw.dynatemp_range);
        assert_eq!((dry, others, raw.mirostat), ((0, 0, 0), (0, 0, 0), 0));
        assert_eq!((raw.breaker_count, raw.breaker_length), (0, [0; 8]));
    }

    #[test]
    fn breakers_lie_in_their_rows() {
        let raw = dry(&[b"\n", b"xyz"]).to_raw().unwrap();
        assert_eq!(
            (raw.breaker_count, raw.breaker_length[..3].to_vec()),
            (2, vec![1, 3, 0])
        );
        assert_eq!(&raw.breaker[1][..4], b"xyz\0");
        assert!(dry(&[&[b'x'; 33]]).to_raw().is_none());
        assert!(dry(&[&b"x"[..]; 9]).to_raw().is_none());
    }

    #[test]
    fn no_bias_is_a_ban() {
        let bias = |bias| sislm_bias::from(Bias { id: 7, bias }).bias;
        assert_eq!((bias(None), bias(Some(-1))), (i32::MIN, -1));
    }
}
