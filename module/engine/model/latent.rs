// SPDX-License-Identifier: GPL-2.0
//! Sizes of latent attention (DeepSeek-AI, 2024).

use crate::gguf::Refusal;
use crate::math::double::ln64;
use crate::math::fma::sqrt;
use crate::model::architecture::Mixing;
use crate::model::keys::ModelKeys;
use crate::model::number::HEAD_SIZE_MAX;
use crate::model::number::Range;
use crate::model::number::float;

/// Sizes of what queries, keys and values of latent attention are made from; all 0 without it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Latent {
    /// What all queries are made from; 0 when they have one projection.
    pub queries: u32,
    /// What all keys and values are made from.
    pub rank: u32,
    /// Dimensions of a key.
    pub key: u32,
    /// Dimensions of a value.
    pub value: u32,
}

impl Latent {
    /// The sizes of a model whose matrices have up to `columns` columns.
    ///
    /// # Errors
    ///
    /// A number that is missing or out of range.
    pub fn new(keys: &ModelKeys<'_>, columns: u32) -> Result<Latent, Refusal> {
        if keys.architecture().mixing != Mixing::Latent {
            return Ok(Latent::default());
        }
        let size = |suffix| Range::new(suffix, HEAD_SIZE_MAX).required(keys, None);
        let queries = Range::from(b"attention.q_lora_rank", 0, columns);
        Ok(Latent {
            queries: queries.optional(keys, None)?.unwrap_or(0),
            rank: size(b"attention.kv_lora_rank")?,
            key: size(b"attention.key_length_mla")?,
            value: size(b"attention.value_length_mla")?,
        })
    }

    /// What multiplies scores.
    ///
    /// # Errors
    ///
    /// A number that is out of range.
    pub fn score(&self, keys: &ModelKeys<'_>) -> Result<f32, Refusal> {
        let usual = 1.0 / sqrt(self.key as f32);
        let kind = keys
            .all()
            .text(keys.name(b"rope.scaling.type").bytes())?
            .unwrap_or_default();
        let factor = float(keys, b"rope.scaling.factor", true)?.unwrap_or(1.0);
        let multiplier = float(keys, b"rope.scaling.yarn_log_multiplier", true)?.unwrap_or(0.0);
        if kind != b"yarn" || factor <= 0.0 {
            return Ok(usual);
        }
        let magnitude = 1.0 + f64::from(multiplier) * ln64(f64::from(factor));
        // CAST: Rounded.
        #[expect(clippy::cast_possible_truncation)]
        let grown = (f64::from(usual) * magnitude * magnitude) as f32;
        Ok(grown)
    }
}
