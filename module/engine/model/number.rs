// SPDX-License-Identifier: GPL-2.0
//! Numbers that a model's metadata say of it, within their ranges.

use crate::gguf::Kind;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::keys::ModelKeys;

/// Most columns of a matrix: a group of 16 rows in f32 fills a read.
pub const COLUMNS_MAX: u32 = 65_536;
/// Most layers.
pub const LAYERS_MAX: u32 = 512;

/// A key of the architecture with a number in 1..=`most`.
pub struct Range {
    suffix: &'static [u8],
    most: u32,
}

impl Range {
    /// The key that ends in `suffix`.
    pub fn new(suffix: &'static [u8], most: u32) -> Self {
        Self { suffix, most }
    }

    /// The value, which must be there.
    ///
    /// # Errors
    ///
    /// It is missing, or as of [`Range::optional`].
    pub fn required(&self, keys: &ModelKeys<'_>, layers: Option<u32>) -> Result<u32, Refusal> {
        let missing = || Refusal::new(Reason::KeyMissing, 0, keys.name(self.suffix).bytes());
        self.optional(keys, layers)?.ok_or_else(missing)
    }

    /// The value, if it is there. Of a key that says something of `layers`, an array has one for
    /// each of them, all the same.
    ///
    /// # Errors
    ///
    /// Another type, out of range, or different numbers.
    pub fn optional(
        &self,
        keys: &ModelKeys<'_>,
        layers: Option<u32>,
    ) -> Result<Option<u32>, Refusal> {
        let name = keys.name(self.suffix);
        let name = name.bytes();
        let Some(value) = keys.all().find(name) else {
            return Ok(None);
        };
        let number = match (value, layers) {
            (Value::Array(array), Some(layers)) if matches!(array.kind, Kind::U32 | Kind::I32) => {
                if array.count != layers {
                    return Err(Refusal::new(Reason::KeyValue, array.count.into(), name));
                }
                let (elements, _) = array.of(keys.all().prefix()).as_chunks::<4>();
                let mut elements = elements.iter().map(|&bytes| u32::from_le_bytes(bytes));
                let first = elements.next().unwrap_or(0);
                if let Some(other) = elements.find(|&other| other != first) {
                    return Err(Refusal::new(Reason::Unsupported, other.into(), name));
                }
                first
            }
            (value, _) => value.u32(name)?,
        };
        self.check((1..=self.most).contains(&number), number, keys)?;
        Ok(Some(number))
    }

    /// Refuses `value` unless it `fits`.
    ///
    /// # Errors
    ///
    /// It does not.
    pub fn check(&self, fits: bool, value: u32, keys: &ModelKeys<'_>) -> Result<(), Refusal> {
        if fits {
            return Ok(());
        }
        let name = keys.name(self.suffix);
        Err(Refusal::new(Reason::KeyValue, value.into(), name.bytes()))
    }
}

/// A float that must be finite, and positive or, with `zero`, 0.
///
/// # Errors
///
/// Another type or value.
pub fn float(keys: &ModelKeys<'_>, suffix: &[u8], zero: bool) -> Result<Option<f32>, Refusal> {
    let name = keys.name(suffix);
    let Some(value) = keys.all().f32(name.bytes())? else {
        return Ok(None);
    };
    let fits = value.is_finite() && (value > 0.0 || zero && value == 0.0);
    if !fits {
        return Err(Refusal::of_float(Reason::KeyValue, value, name.bytes()));
    }
    Ok(Some(value))
}
