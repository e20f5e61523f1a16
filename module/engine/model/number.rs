// SPDX-License-Identifier: GPL-2.0
//! Numbers that a model's metadata say of it, within their ranges.

use crate::gguf::Kind;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::keys::ModelKeys;

/// Most columns of a matrix: a group of 16 rows in f32 fills a read.
pub const COLUMNS_MAX: u32 = 65_536;
/// Most dimensions of a head.
pub const HEAD_SIZE_MAX: u32 = 1024;
/// Most layers.
pub const LAYERS_MAX: u32 = 512;

/// A key of the architecture with a number in `least`..=`most`.
pub struct Range {
    suffix: &'static [u8],
    least: u32,
    most: u32,
}

/// A number of each layer.
#[derive(Clone, Copy)]
pub enum PerLayer<'a> {
    /// The same one.
    Same(u32),
    /// One for each, little-endian.
    Each(&'a [[u8; 4]]),
}

impl PerLayer<'_> {
    /// That of layer `layer`; 0 past the last.
    pub fn of(&self, layer: u32) -> u32 {
        match self {
            PerLayer::Same(number) => *number,
            PerLayer::Each(numbers) => {
                let number = numbers.get(layer as usize);
                number.map_or(0, |&bytes| u32::from_le_bytes(bytes))
            }
        }
    }
}

impl Range {
    /// The key that ends in `suffix`, with a number from 1 on.
    pub fn new(suffix: &'static [u8], most: u32) -> Self {
        Self::from(suffix, 1, most)
    }

    /// The key that ends in `suffix`, with a number from `least` on.
    pub fn from(suffix: &'static [u8], least: u32, most: u32) -> Self {
        Self {
            suffix,
            least,
            most,
        }
    }

    /// The value, which must be there.
    ///
    /// # Errors
    ///
    /// It is missing, or as of [`Range::optional`].
    pub fn required(&self, keys: &ModelKeys<'_>, layers: Option<u32>) -> Result<u32, Refusal> {
        self.optional(keys, layers)?
            .ok_or_else(|| self.missing(keys))
    }

    /// The refusal of a file without the key.
    pub fn missing(&self, keys: &ModelKeys<'_>) -> Refusal {
        self.refusal(Reason::KeyMissing, 0, keys)
    }

    /// A refusal of the key's value. On its own, as it is large and rare.
    #[cold]
    #[inline(never)]
    fn refusal(&self, reason: Reason, value: u32, keys: &ModelKeys<'_>) -> Refusal {
        Refusal::new(reason, value.into(), keys.name(self.suffix).bytes())
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
        match (keys.all().find(keys.name(self.suffix).bytes()), layers) {
            (None, _) => Ok(None),
            (Some(value), Some(layers)) => self.same(keys, value, layers).map(Some),
            (Some(Value::U32(number)), None) if self.has(number) => Ok(Some(number)),
            (Some(Value::U32(number)), None) => Err(self.refusal(Reason::KeyValue, number, keys)),
            (Some(_), None) => Err(self.refusal(Reason::KeyType, 0, keys)),
        }
    }

    /// The number of all `layers` in `value`.
    #[inline(never)]
    fn same(&self, keys: &ModelKeys<'_>, value: Value, layers: u32) -> Result<u32, Refusal> {
        let numbers = self.numbers(keys, value, layers)?;
        let first = numbers.of(0);
        let mut all = (0..layers).map(|layer| numbers.of(layer));
        match all.find(|&other| other != first) {
            Some(other) => Err(self.refusal(Reason::Unsupported, other, keys)),
            None => Ok(first),
        }
    }

    /// The number of each of `layers`, if the key is there: one for all, or an array.
    ///
    /// # Errors
    ///
    /// Another type, another number of elements, or one out of range.
    pub fn of_layers<'a>(
        &self,
        keys: &ModelKeys<'a>,
        layers: u32,
    ) -> Result<Option<PerLayer<'a>>, Refusal> {
        let value = keys.all().find(keys.name(self.suffix).bytes());
        let numbers = value.map(|value| self.numbers(keys, value, layers));
        numbers.transpose()
    }

    /// The numbers of `value`, each in the range.
    fn numbers<'a>(
        &self,
        keys: &ModelKeys<'a>,
        value: Value,
        layers: u32,
    ) -> Result<PerLayer<'a>, Refusal> {
        match value {
            Value::U32(number) if self.has(number) => Ok(PerLayer::Same(number)),
            Value::U32(number) => Err(self.refusal(Reason::KeyValue, number, keys)),
            Value::Array(array) if matches!(array.kind, Kind::U32 | Kind::I32) => {
                if array.count != layers {
                    return Err(self.refusal(Reason::KeyValue, array.count, keys));
                }
                let (elements, _) = array.of(keys.all().prefix()).as_chunks::<4>();
                let mut numbers = elements.iter().map(|&bytes| u32::from_le_bytes(bytes));
                match numbers.find(|&number| !self.has(number)) {
                    Some(wrong) => Err(self.refusal(Reason::KeyValue, wrong, keys)),
                    None => Ok(PerLayer::Each(elements)),
                }
            }
            _ => Err(self.refusal(Reason::KeyType, 0, keys)),
        }
    }

    /// Whether `number` is in the range.
    fn has(&self, number: u32) -> bool {
        (self.least..=self.most).contains(&number)
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
        Err(self.refusal(Reason::KeyValue, value, keys))
    }
}

/// A float that must be finite, and positive or, with `zero`, 0.
///
/// # Errors
///
/// Another type or value.
pub fn float(keys: &ModelKeys<'_>, suffix: &[u8], zero: bool) -> Result<Option<f32>, Refusal> {
    let fits = |value: f32| value.is_finite() && (value > 0.0 || zero && value == 0.0);
    match keys.all().find(keys.name(suffix).bytes()) {
        None => Ok(None),
        Some(Value::F32(value)) if fits(value) => Ok(Some(value)),
        Some(value) => Err(refusal_of_float(keys, suffix, value)),
    }
}

/// The refusal of what should be a float. On its own, as it is large and rare.
#[cold]
#[inline(never)]
fn refusal_of_float(keys: &ModelKeys<'_>, suffix: &[u8], value: Value) -> Refusal {
    let name = keys.name(suffix);
    match value {
        Value::F32(value) => Refusal::of_float(Reason::KeyValue, value, name.bytes()),
        _ => Refusal::new(Reason::KeyType, 0, name.bytes()),
    }
}
