// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why an adapter was refused, where a model would be refused otherwise, as a sentence.

use std::fmt;

use crate::uapi::*;

/// What LOAD says of an adapter that it refuses, for a person to read.
pub(crate) struct Told<'a> {
    /// `SISLM_LOAD_*`.
    pub reason: u32,
    /// What belongs to the reason.
    pub detail: u64,
    /// Metadata key or tensor.
    pub subject: &'a str,
    /// The same, between quotes.
    pub quoted: &'a str,
    /// The value that the file has.
    pub shown: &'a str,
}

/// Writes the sentence; None where it is that of a model's file.
pub(crate) fn write(told: &Told<'_>, f: &mut fmt::Formatter<'_>) -> Option<fmt::Result> {
    let (subject, shown, detail) = (told.quoted, told.shown, told.detail);
    Some(match told.reason {
        SISLM_LOAD_ADAPTER => write!(
            f,
            "it is no adapter (LoRA) of this model's architecture ({subject} is {shown}); give one that was made for \
             the model, converted by llama.cpp's convert_lora_to_gguf.py"
        ),
        SISLM_LOAD_KEY_MISSING => write!(
            f,
            "its metadata lacks the key {subject}, so it is no adapter; give one that llama.cpp's \
             convert_lora_to_gguf.py made"
        ),
        SISLM_LOAD_TENSOR_UNKNOWN => write!(
            f,
            "the model has no tensor for its {subject}; give the adapter with the model that it was trained on"
        ),
        SISLM_LOAD_TENSOR_SHAPE => write!(
            f,
            "its tensor {subject} does not fit the model's ({}); give the adapter with the model that it was trained on",
            detail
        ),
        SISLM_LOAD_TENSOR_MISSING => write!(
            f,
            "it lacks the tensor {subject}, the other one of a pair; convert it again with llama.cpp's \
             convert_lora_to_gguf.py"
        ),
        SISLM_LOAD_COUNT if told.subject.contains(".lora_") => write!(
            f,
            "the rank of {subject} is {}, and the module takes up to 256; train one of a lower rank, or merge it into \
             the model before that is converted",
            detail
        ),
        SISLM_LOAD_UNSUPPORTED if !told.subject.starts_with("adapter.") => write!(
            f,
            "it has {subject}, and adapters of experts, norms, tables of positions, or embeddings that are the head \
             too are not supported; merge it into the model before that is converted"
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Refusal;

    #[test]
    fn an_adapter_is_told_by_its_place_and_what_is_wrong_with_it() {
        let sentence = |reason, subject: &str| {
            Refusal {
                reason,
                subject: subject.into(),
                file: 2,
                ..Default::default()
            }
            .to_string()
        };
        let query = "blk.0.attn_q.weight.lora_a";
        for (reason, subject, words) in [
            (SISLM_LOAD_ADAPTER, "general.architecture", "no adapter"),
            (SISLM_LOAD_KEY_MISSING, "general.type", "no adapter"),
            (SISLM_LOAD_TENSOR_UNKNOWN, query, "no tensor for"),
            (SISLM_LOAD_TENSOR_SHAPE, query, "does not fit"),
            (SISLM_LOAD_TENSOR_MISSING, query, "other one of a pair"),
            (SISLM_LOAD_COUNT, query, "rank"),
            (SISLM_LOAD_UNSUPPORTED, query, "experts"),
            (SISLM_LOAD_TRUNCATED, "", "ends before"),
        ] {
            let sentence = sentence(reason, subject);
            assert!(sentence.starts_with("its adapter 2: "), "{sentence}");
            assert!(sentence.contains(words), "{sentence}");
        }
    }
}
