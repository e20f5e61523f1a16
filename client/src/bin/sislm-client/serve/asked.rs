// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request for answers, understood: the fields that all endpoints read.

use serde_json::Value;
use sislm::SessionConfig;

use super::access::Caller;
use super::error::ApiError;
use super::fields::Fields;
use super::format;
use super::job::{Job, Prompt, CHOICES_MAX};
use super::lora::Lora;
use super::sampling;
use super::tools::Tools;

/// What is to be answered, and how the answer is sent.
#[derive(Debug)]
pub(super) struct Asked {
    /// What is to be answered.
    pub job: Job,
    /// Whether it is sent as it comes.
    pub stream: bool,
    /// Whether a stream ends with the usage.
    pub usage: bool,
}

impl Asked {
    /// One answer to each of `prompts`, of at most as many tokens as the fields named in `most` say.
    pub(super) fn of(
        fields: &Fields<'_>,
        prompts: Vec<Prompt>,
        most: &[&str],
        defaults: &SessionConfig,
        caller: &Caller,
    ) -> Result<Self, ApiError> {
        sampling::refuse_unsupported(fields)?;
        let mut config = defaults.clone();
        sampling::apply(fields, &mut config)?;
        config.tenant = caller.number();
        for name in most {
            if let Some(most) = fields.integer(name, 1..=u32::MAX)? {
                config.max_tokens = most;
            }
        }
        let grammar = format::response_format(fields)?;
        if grammar.is_some() && config.ignore_eos {
            let sentence = "an answer of a format ends where the format does";
            return Err(ApiError::unsupported("ignore_eos", sentence));
        }
        let options = fields.object("stream_options")?;
        let usage = options.and_then(|options| options.get("include_usage"));
        Ok(Self {
            job: Job {
                model: fields.string("model")?.map(str::to_owned),
                prompts,
                answers: 1,
                config,
                lora: Lora::of(fields)?,
                echo: false,
                grammar,
                logprobs: None,
                tools: None,
                tenant: caller.tenant(fields.string("prompt_cache_key")?),
            },
            stream: fields.boolean("stream")?.unwrap_or(false),
            usage: usage.and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// With functions that answers may call, `inner` as of [`Tools::of`].
    pub(super) fn tools(
        mut self,
        fields: &Fields<'_>,
        inner: Option<&str>,
    ) -> Result<Self, ApiError> {
        self.job.tools = Tools::of(fields, inner)?;
        if self.job.tools.is_none() {
            return Ok(self);
        }
        let sentence = "is not for answers that may call functions: say tool_choice none";
        for (name, given) in [
            ("response_format", self.job.grammar.is_some()),
            ("logprobs", self.job.logprobs.is_some()),
            ("ignore_eos", self.job.config.ignore_eos),
        ] {
            if given {
                return Err(ApiError::unsupported(name, format!("{name} {sentence}")));
            }
        }
        Ok(self)
    }

    /// As many answers to each as the field `n` says.
    pub(super) fn choices(mut self, fields: &Fields<'_>) -> Result<Self, ApiError> {
        self.job.answers = fields.integer("n", 1..=CHOICES_MAX)?.unwrap_or(1);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(object: Value) -> Result<Asked, ApiError> {
        let fields = Fields::new(object.as_object().unwrap());
        let (config, most) = (SessionConfig::default(), ["max_tokens", "most"]);
        Asked::of(&fields, Vec::new(), &most, &config, &Caller::Local)?.choices(&fields)
    }

    #[test]
    fn fields_are_taken() {
        let found = asked(json!({ "most": 5, "n": 2, "stream": true, "model": "tiny",
            "stream_options": { "include_usage": true } }));
        let found = found.unwrap();
        assert_eq!((found.job.config.max_tokens, found.job.answers), (5, 2));
        assert_eq!(found.job.model.as_deref(), Some("tiny"));
        assert!(found.stream && found.usage);
        let found = asked(json!({})).unwrap();
        let most = SessionConfig::default().max_tokens;
        assert_eq!((found.job.config.max_tokens, found.job.answers), (most, 1));
        assert!(!found.stream && !found.usage);
    }

    #[test]
    fn a_field_that_is_wrong_is_named() {
        for (name, value) in [
            ("n", json!(9)),
            ("most", json!(0)),
            ("stream", json!("yes")),
            ("stream_options", json!(true)),
            ("model", json!(1)),
            ("functions", json!([{}])),
        ] {
            let mut object = json!({});
            object[name] = value;
            let error = asked(object).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], name);
        }
    }
}
