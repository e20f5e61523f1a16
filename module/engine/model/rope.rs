// SPDX-License-Identifier: GPL-2.0
//! The angles of rotary positions, with linear and YaRN scaling (Peng et al., 2023).

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::math::double::ln64;
use crate::math::double::pow64;
use crate::model::architecture::Mixing;
use crate::model::architecture::WindowedRotation;
use crate::model::keys::ModelKeys;
use crate::model::number::Range;
use crate::model::number::float;

/// How fast the pairs of dimensions turn.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Frequencies {
    base: f64,
    /// What multiplies the angles.
    scale: f64,
    /// First and last pair of YaRN's ramp; pairs before it are not scaled.
    ramp: Option<(f64, f64)>,
    /// What multiplies sines and cosines.
    pub magnitude: f64,
}

/// The tables of a model: of all layers, or of those without a window and of those with one.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Rope {
    usual: Frequencies,
    windowed: Option<Frequencies>,
    /// Dimensions that rotate by each table.
    pub rotated: [u32; 2],
    /// Positions the model was made for before its angles were scaled.
    pub original_context: u32,
}

impl Frequencies {
    /// Angles of `base`, not scaled.
    pub fn new(base: f32) -> Frequencies {
        Frequencies {
            base: f64::from(base),
            scale: 1.0,
            ramp: None,
            magnitude: 1.0,
        }
    }

    /// Radians by which `pair` of `rotated` dimensions turns from one position to the next, divided
    /// by `factor`.
    pub fn frequency(&self, pair: u32, rotated: u32, factor: f32) -> f64 {
        let exponent = -2.0 * f64::from(pair) / f64::from(rotated);
        let whole = pow64(self.base, exponent) / f64::from(factor);
        let Some((low, high)) = self.ramp else {
            return whole * self.scale;
        };
        let width = if high - low > 0.001 {
            high - low
        } else {
            0.001
        };
        let place = (f64::from(pair) - low) / width;
        let scaled = place.clamp(0.0, 1.0);
        whole * self.scale * scaled + whole * (1.0 - scaled)
    }
}

impl Rope {
    /// One table of angles of `base`, not scaled, for `rotated` dimensions.
    pub fn plain(base: f32, rotated: u32, context: u32) -> Rope {
        Rope {
            usual: Frequencies::new(base),
            windowed: None,
            rotated: [rotated; 2],
            original_context: context,
        }
    }

    /// The angles of a model whose heads turn in `rotated` dimensions, without and with a window, made
    /// for `context` positions.
    ///
    /// # Errors
    ///
    /// A key that is out of range, or another kind of scaling.
    pub fn new(
        keys: &ModelKeys<'_>,
        windows: bool,
        rotated: [u32; 2],
        context: u32,
    ) -> Result<Rope, Refusal> {
        let architecture = keys.architecture();
        if !architecture.rotates() {
            return Ok(Rope::plain(1.0, 0, context));
        }
        let base = float(keys, b"rope.freq_base", false)?.unwrap_or(10_000.0);
        let original = Range::new(b"rope.scaling.original_context_length", u32::MAX);
        let original_context = original.optional(keys, None)?.unwrap_or(context);
        let mut usual = scaled(keys, base, rotated[0], original_context)?;
        if architecture.mixing == Mixing::Latent {
            // It multiplies the scores.
            usual.magnitude = 1.0;
        }
        let windowed = match architecture.windowed_rotation {
            _ if !windows => None,
            WindowedRotation::Same => None,
            WindowedRotation::PlainUnscaled => Some(Frequencies::new(base)),
            WindowedRotation::Unscaled(default) => {
                let own = float(keys, b"rope.freq_base_swa", false)?.unwrap_or(default);
                Some(Frequencies::new(own))
            }
        };
        Ok(Rope {
            usual,
            windowed,
            rotated,
            original_context,
        })
    }

    /// Number of tables.
    pub fn tables(&self) -> u32 {
        1 + u32::from(self.windowed.is_some())
    }

    /// Values of a position in a table.
    pub fn columns(&self) -> u32 {
        let [usual, windowed] = self.rotated;
        usual.max(windowed)
    }

    /// Table number `index`, the second being that of layers with a window; `None` past the last.
    pub fn table(&self, index: u32) -> Option<&Frequencies> {
        match index {
            0 => Some(&self.usual),
            1 => self.windowed.as_ref(),
            _ => None,
        }
    }
}

/// The angles of `base`, scaled as the keys say.
fn scaled(
    keys: &ModelKeys<'_>,
    base: f32,
    rotated: u32,
    original_context: u32,
) -> Result<Frequencies, Refusal> {
    let plain = Frequencies::new(base);
    let attention = float(keys, b"rope.scaling.attn_factor", false)?.unwrap_or(1.0);
    let attention = f64::from(attention);
    let name = keys.name(b"rope.scaling.type");
    let kind = keys.all().text(name.bytes())?.unwrap_or(b"linear");
    let factor = match float(keys, b"rope.scaling.factor", true)? {
        Some(factor) => Some(factor),
        None => float(keys, b"rope.scale_linear", true)?,
    };
    let factor = match (kind, factor) {
        (b"none", _) | (_, None | Some(0.0)) => 1.0,
        (_, Some(factor)) => f64::from(factor),
    };
    match kind {
        b"none" | b"linear" | b"longrope" => Ok(Frequencies {
            scale: 1.0 / factor,
            magnitude: attention,
            ..plain
        }),
        b"yarn" => {
            let own = |suffix: &'static [u8], usual: f32| match keys.reads(suffix) {
                true => Ok(float(keys, suffix, true)?.unwrap_or(usual)),
                false => Ok(usual),
            };
            let fast = own(b"rope.scaling.yarn_beta_fast", 32.0)?;
            let slow = own(b"rope.scaling.yarn_beta_slow", 1.0)?;
            let multiplier = own(b"rope.scaling.yarn_log_multiplier", 0.0)?;
            let magnitude = |multiplier: f32| {
                if factor > 1.0 {
                    1.0 + 0.1 * f64::from(multiplier) * ln64(factor)
                } else {
                    1.0
                }
            };
            let own = if multiplier > 0.0 {
                magnitude(multiplier)
            } else {
                1.0
            };
            let turns = |beta: f32| {
                let whole = f64::from(original_context) / (2.0 * core::f64::consts::PI);
                let beta = f64::from(beta);
                let beta = if beta > 0.001 { beta } else { 0.001 };
                f64::from(rotated) * ln64(whole / beta) / (2.0 * ln64(f64::from(base)))
            };
            let (low, high) = (floor(turns(fast)), ceil(turns(slow)));
            let last = f64::from(rotated) - 1.0;
            Ok(Frequencies {
                scale: 1.0 / factor,
                ramp: Some((
                    if low > 0.0 { low } else { 0.0 },
                    if high < last { high } else { last },
                )),
                magnitude: attention * magnitude(1.0) / own,
                ..plain
            })
        }
        other => Err(Refusal::of_text(Reason::Unsupported, other, name.bytes())),
    }
}

/// The largest whole number up to `x`, which is within 2^31.
fn floor(x: f64) -> f64 {
    // CAST: The whole part, within 2^31.
    #[expect(clippy::cast_possible_truncation)]
    let whole = f64::from(x as i32);
    if whole > x { whole - 1.0 } else { whole }
}

/// The smallest whole number from `x` on, which is within 2^31.
fn ceil(x: f64) -> f64 {
    -floor(-x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_around() {
        for (x, below, above) in [(1.5, 1.0, 2.0), (-1.5, -2.0, -1.0), (3.0, 3.0, 3.0)] {
            assert_eq!((floor(x), ceil(x)), (below, above));
        }
    }

    #[test]
    fn yarn_scales_slow_pairs_only() {
        let yarn = Frequencies {
            scale: 0.25,
            ramp: Some((2.0, 6.0)),
            ..Frequencies::new(10_000.0)
        };
        let plain = Frequencies::new(10_000.0);
        for pair in 0..16 {
            let ratio = yarn.frequency(pair, 32, 1.0) / plain.frequency(pair, 32, 1.0);
            let scaled = ((f64::from(pair) - 2.0) / 4.0).clamp(0.0, 1.0);
            assert!((ratio - (1.0 - 0.75 * scaled)).abs() < 1e-12, "{pair}");
            let divided = plain.frequency(pair, 32, 4.0) / plain.frequency(pair, 32, 1.0);
            assert!((divided - 0.25).abs() < 1e-12);
        }
    }
}
