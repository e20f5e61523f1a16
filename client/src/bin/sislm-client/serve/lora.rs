// SPDX-License-Identifier: MIT OR Apache-2.0
//! The field `lora`: what a request multiplies the adapters of its model by.

use serde_json::Value;
use sislm::Model;

use super::error::ApiError;
use super::fields::{signed, Fields};

const NAME: &str = "lora";

/// Scales in millionths by the number of the adapter; None for what LOAD was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lora(Option<Vec<(usize, i32)>>);

impl Lora {
    /// What the field says: a list of objects with `id` and `scale`, as llama.cpp's server has it.
    pub(super) fn of(fields: &Fields<'_>) -> Result<Self, ApiError> {
        let Some(list) = fields.list(NAME)? else {
            return Ok(Self(None));
        };
        let scale = |one: &Value| {
            let id = usize::try_from(one.get("id")?.as_u64()?).ok()?;
            Some((id, signed(one.get("scale")?)?))
        };
        let scales: Option<Vec<_>> = list.iter().map(scale).collect();
        let sentence =
            "lora is to be a list of objects, each with the id of an adapter and its scale";
        let scales = scales.ok_or_else(|| ApiError::field(NAME, sentence))?;
        Ok(Self(Some(scales)))
    }

    /// The scale of each adapter of `model`: 0 for one that is not named, as in llama.cpp's server.
    pub(super) fn scales(&self, model: &Model) -> Result<Option<Vec<i32>>, ApiError> {
        let Some(asked) = &self.0 else {
            return Ok(None);
        };
        let count = model.adapters().len();
        let mut scales = vec![0; count];
        for &(id, scale) in asked {
            let own = scales.get_mut(id).ok_or_else(|| {
                let sentence =
                    format!("the model has no adapter {id}: it has {count}, counted from 0");
                ApiError::field(NAME, sentence)
            })?;
            *own = scale;
        }
        Ok(Some(scales))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<Lora, ApiError> {
        let object = json!({ "lora": value });
        Lora::of(&Fields::new(object.as_object().unwrap()))
    }

    fn model() -> Model {
        let mut model = Model {
            adapter_count: 2,
            ..Model::default()
        };
        model.adapters[1].scale = 1_000_000;
        model
    }

    #[test]
    fn one_that_is_not_named_is_off() {
        let scales = |value| of(value).unwrap().scales(&model());
        assert_eq!(scales(Value::Null), Ok(None));
        assert_eq!(scales(json!([])), Ok(Some(vec![0, 0])));
        let half = json!([{ "id": 0, "scale": 0.5 }]);
        assert_eq!(scales(half), Ok(Some(vec![500_000, 0])));
    }

    #[test]
    fn what_is_wrong_names_the_field() {
        for value in [
            json!(1),
            json!([1]),
            json!([{ "id": 0 }]),
            json!([{ "id": -1, "scale": 1 }]),
            json!([{ "id": 0, "scale": "1" }]),
            json!([{ "id": 2, "scale": 1 }]),
        ] {
            let error = of(value)
                .and_then(|lora| lora.scales(&model()))
                .unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], "lora");
        }
    }
}
