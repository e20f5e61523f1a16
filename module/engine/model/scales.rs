// SPDX-License-Identifier: GPL-2.0
//! The factors and caps of a model.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::math::fma::sqrt;
use crate::model::architecture::Cap;
use crate::model::architecture::Scale;
use crate::model::architecture::ScoreScale;
use crate::model::heads::Heads;
use crate::model::keys::ModelKeys;
use crate::model::latent::Latent;
use crate::model::number::float;

/// Factors, 1 where there is none, and caps, 0 where there is none.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Scales {
    /// What multiplies the embeddings.
    pub embedding: f32,
    /// What multiplies everything that is added to the residual stream.
    pub residual: f32,
    /// What multiplies scores of attention.
    pub score: f32,
    /// Soft cap of scores.
    pub score_cap: f32,
    /// Queries, keys and values are clamped to so much; 0: not at all.
    pub clamp: f32,
    /// What multiplies the logits.
    pub logit: f32,
    /// Soft cap of the logits.
    pub logit_cap: f32,
}

impl Scales {
    /// No factors but that of attention, for heads of `head_size` dimensions.
    pub fn plain(head_size: u32) -> Scales {
        Scales {
            embedding: 1.0,
            residual: 1.0,
            score: by_root(head_size),
            score_cap: 0.0,
            clamp: 0.0,
            logit: 1.0,
            logit_cap: 0.0,
        }
    }

    /// The factors of a model with `layers` layers and rows of `embedding` values.
    ///
    /// # Errors
    ///
    /// A key that is missing or out of range.
    pub fn new(
        keys: &ModelKeys<'_>,
        layers: u32,
        embedding: u32,
        heads: &Heads,
        latent: &Latent,
    ) -> Result<Scales, Refusal> {
        let architecture = keys.architecture();
        let of = |scale| factor(keys, scale, layers, embedding);
        let told = |suffix: &'static [u8]| match keys.reads(suffix) {
            true => float(keys, suffix, true),
            false => Ok(None),
        };
        let usual = match architecture.score_scale {
            ScoreScale::WidthOfEachWithLayers(most) if most == layers => {
                by_root(embedding.checked_div(heads.heads).unwrap_or(1))
            }
            ScoreScale::One => 1.0,
            ScoreScale::LatentKey => latent.score(keys)?,
            _ => by_root(heads.head_size),
        };
        let score = told(b"attention.scale")?.filter(|&scale| scale != 0.0);
        Ok(Scales {
            embedding: of(architecture.embedding_scale)?,
            residual: of(architecture.residual_scale)?,
            score: score.unwrap_or(usual),
            score_cap: cap(keys, architecture.score_cap)?,
            clamp: told(b"attention.clamp_kqv")?.unwrap_or(0.0),
            logit: of(architecture.logit_scale)?,
            logit_cap: cap(keys, architecture.logit_cap)?,
        })
    }
}

/// 1 / sqrt(`number`).
fn by_root(number: u32) -> f32 {
    1.0 / sqrt(number as f32)
}

/// The value of a factor.
fn factor(keys: &ModelKeys<'_>, scale: Scale, layers: u32, embedding: u32) -> Result<f32, Refusal> {
    let suffix = match scale {
        Scale::One => return Ok(1.0),
        Scale::RootOfWidth => return Ok(sqrt(embedding as f32)),
        Scale::Key(suffix, _)
        | Scale::KeyOrPerRootOfLayers(suffix, _)
        | Scale::Inverse(suffix)
        | Scale::InverseOrWidthPer(suffix, _) => suffix,
    };
    let given = float(keys, suffix, true)?.filter(|&value| value != 0.0);
    let value = match scale {
        Scale::One | Scale::RootOfWidth => given,
        Scale::Key(_, usual) => given.or(Some(usual)),
        Scale::KeyOrPerRootOfLayers(_, usual) => given.or(Some(usual * by_root(layers))),
        Scale::Inverse(_) => given.map(|value| 1.0 / value),
        Scale::InverseOrWidthPer(_, usual) => {
            Some(given.map_or(embedding as f32 / usual, |value| 1.0 / value))
        }
    };
    value.ok_or_else(|| Refusal::new(Reason::KeyMissing, 0, keys.name(suffix).bytes()))
}

/// The value of a cap.
fn cap(keys: &ModelKeys<'_>, cap: Cap) -> Result<f32, Refusal> {
    match cap {
        Cap::None => Ok(0.0),
        Cap::Key(suffix, usual) => Ok(float(keys, suffix, true)?.unwrap_or(usual)),
    }
}
