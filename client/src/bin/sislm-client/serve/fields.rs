// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields of a request: each is left out, or of its type and within its range.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use sislm::Millionths;

use super::error::ApiError;

/// The object of a request. A field that is null is as if it were left out; those that nobody asks for are ignored.
#[derive(Debug)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Those of `object`.
    pub(super) fn new(object: &'a Map<String, Value>) -> Self {
        Self(object)
    }

    /// The value as it is.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A string.
    pub(super) fn string(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(name, "a string", Value::as_str)
    }

    /// True or false.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, "true or false", Value::as_bool)
    }

    /// A list.
    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        self.typed(name, "a list", |value| value.as_array().map(Vec::as_slice))
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        self.typed(name, "an object", Value::as_object)
    }

    /// An integer within `range`.
    pub(super) fn integer(
        &self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ApiError> {
        let what = format!("an integer from {} to {}", range.start(), range.end());
        self.typed(name, &what, |value| {
            let number = u32::try_from(value.as_u64()?).ok()?;
            range.contains(&number).then_some(number)
        })
    }

    /// A seed: 64 bits, with a sign or without.
    pub(super) fn seed(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.typed(name, "an integer of 64 bits", |value| {
            value.as_u64().or(value.as_i64().map(i64::cast_unsigned))
        })
    }

    /// A number as the device counts it, 0 or more. The device knows its range.
    pub(super) fn millionths(&self, name: &str) -> Result<Option<Millionths>, ApiError> {
        self.typed(name, "a number from 0 to 4294", |value| {
            u32::try_from(millionths(value)?).ok().map(Millionths)
        })
    }

    /// A number as the device counts it, with a sign.
    pub(super) fn signed(&self, name: &str) -> Result<Option<i32>, ApiError> {
        self.typed(name, "a number from -2147 to 2147", signed)
    }

    fn typed<T>(
        &self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(found) => Ok(Some(found)),
            None => Err(ApiError::field(name, format!("{name} is to be {what}"))),
        }
    }
}

/// A number in millionths, with a sign.
pub(super) fn signed(value: &Value) -> Option<i32> {
    i32::try_from(millionths(value)?).ok()
}

/// A number in millionths, the nearest of them.
fn millionths(value: &Value) -> Option<i64> {
    let number = (value.as_f64()? * 1e6).round();
    let text = format!("{number}");
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn null_is_as_if_left_out() {
        let object = object(json!({ "a": null }));
        let fields = Fields::new(&object);
        assert_eq!(fields.string("a"), Ok(None));
        assert_eq!(fields.integer("b", 0..=1), Ok(None));
    }

    #[test]
    fn a_value_of_another_type_names_its_field() {
        let object = object(json!({ "n": "one", "top_p": "x", "stop": 1, "m": 1.5, "k": -1 }));
        let fields = Fields::new(&object);
        let wrong = [
            ("n", fields.integer("n", 1..=8).unwrap_err()),
            ("top_p", fields.millionths("top_p").unwrap_err()),
            ("stop", fields.string("stop").unwrap_err()),
            ("m", fields.integer("m", 0..=8).unwrap_err()),
            ("k", fields.millionths("k").unwrap_err()),
        ];
        for (name, error) in wrong {
            assert_eq!(error.to_json()["error"]["param"], name);
        }
    }

    #[test]
    fn numbers_are_counted_in_millionths() {
        let object =
            object(json!({ "a": 0.7, "b": 1, "c": -1.5, "d": 0.1234567, "e": 1e300, "f": 5000 }));
        let fields = Fields::new(&object);
        assert_eq!(fields.millionths("a"), Ok(Some(Millionths(700_000))));
        assert_eq!(fields.millionths("b"), Ok(Some(Millionths(1_000_000))));
        assert_eq!(fields.signed("c"), Ok(Some(-1_500_000)));
        assert_eq!(fields.millionths("d"), Ok(Some(Millionths(123_457))));
        assert!(fields.millionths("e").is_err());
        assert!(fields.millionths("f").is_err());
    }

    #[test]
    fn a_seed_may_have_a_sign() {
        let object = object(json!({ "a": -1, "b": u64::MAX, "c": 1.5 }));
        let fields = Fields::new(&object);
        assert_eq!(fields.seed("a"), Ok(Some(u64::MAX)));
        assert_eq!(fields.seed("b"), Ok(Some(u64::MAX)));
        assert!(fields.seed("c").is_err());
    }
}
