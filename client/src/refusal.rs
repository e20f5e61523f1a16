// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a model was refused, as a sentence.

use std::fmt;

use crate::adapter_refusal::{self, Told};
use crate::name::text_of;
use crate::uapi::*;
use crate::Contents;

/// What `struct sislm_load` says of a refusal, and what the file shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// `SISLM_LOAD_*`, not `SISLM_LOAD_OK`.
    pub reason: u32,
    /// Offset, count or block that belongs to the reason.
    pub detail: u64,
    /// How `detail` is to be read: `SISLM_DETAIL_*`.
    pub detail_type: u32,
    /// Metadata key or tensor that the reason is about; may be empty.
    pub subject: String,
    /// Text that the metadata key has, with `SISLM_DETAIL_TEXT`.
    pub value: String,
    /// What the file holds instead of a model, where its bytes show it.
    pub contents: Option<Contents>,
    /// Which file it is about: 0 for the model, else the place of the adapter, from 1.
    pub file: u32,
}

impl Refusal {
    /// The refusal in the answer of LOAD, if there is one.
    pub(crate) fn of(load: &sislm_load) -> Option<Self> {
        (load.reason != SISLM_LOAD_OK).then(|| Self {
            reason: load.reason,
            detail: load.detail,
            detail_type: load.detail_type,
            subject: text_of(&load.subject),
            value: text_of(&load.value),
            contents: None,
            file: load.refused_file,
        })
    }

    /// The value that the file has, as a person reads it.
    fn shown(&self) -> String {
        match self.detail_type {
            SISLM_DETAIL_F32 => {
                let bits = u32::try_from(self.detail).unwrap_or(u32::MAX);
                f32::from_bits(bits).to_string()
            }
            SISLM_DETAIL_TEXT => quoted(&self.value),
            _ => self.detail.to_string(),
        }
    }

    /// What is said of mathematics that the module does not have.
    fn unsupported(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, shown) = (quoted(&self.subject), self.shown());
        let holds = |part| self.subject.contains(part);
        let says = if holds(".weight") || holds(".lora") {
            subject.clone()
        } else {
            format!("{subject} is {shown}")
        };
        if holds(".rope.scal") || holds("rope_f") {
            write!(
                f,
                "it scales its rotary positions ({says}), which is not supported; take the model that it was \
                 extended from, or another without RoPE scaling"
            )
        } else if holds("expert") || holds("_exps") || holds("_shexp") || holds("ffn_gate_inp") {
            write!(
                f,
                "it is a mixture of experts ({says}), which is not supported; take a dense model"
            )
        } else if holds(".lora_") || self.subject == "general.type" {
            write!(
                f,
                "it is no model of its own ({says}); a LoRA adapter is loaded with its model: \
                 sislm-client load MODEL --lora FILE"
            )
        } else if holds("tokenizer.") {
            write!(
                f,
                "its tokenizer changes text in a way that is not supported ({says}); take a model with plain \
                 SentencePiece BPE or byte-level BPE"
            )
        } else if holds("head_count") || holds("_length") || holds("dimension_count") {
            write!(f, "its layers or heads differ ({says} for some), which is not supported; take another model")
        } else {
            write!(f, "it asks for mathematics that the module does not have ({says}); take a model without that")
        }
    }
}

impl Contents {
    /// What is said of a file that is refused, and holds this.
    fn sentence(self) -> &'static str {
        match self {
            Self::Pointer => {
                "it is a pointer of Git LFS (or Xet), not the model; fetch the model itself with git lfs pull"
            }
            Self::WebPage => {
                "it is a web page or a server's message, not the model; download the file itself (on a page for \
                 people the link is called download or raw)"
            }
            Self::Safetensors => {
                "it is a safetensors file; convert the folder it is in with llama.cpp's convert_hf_to_gguf.py"
            }
            Self::Archive => {
                "it is an archive; unpack it, or if it is PyTorch's, convert the folder it is in with llama.cpp's \
                 convert_hf_to_gguf.py"
            }
            Self::OldFormat => {
                "it is a GGML file from before GGUF; download the model as GGUF, or convert the original again with \
                 llama.cpp's convert_hf_to_gguf.py"
            }
            Self::LineEnds => {
                "each line end in it became two bytes (CR LF), as happens where a file is transferred as text; \
                 download or copy it again as binary (with git: *.gguf binary in .gitattributes)"
            }
        }
    }
}

/// `text` between quotes with control characters escaped: it comes from the file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// The name of a tensor type of GGUF, with its number.
fn weight_format(number: u64) -> String {
    // All of GGUF, by number, those that were removed again too.
    const NAMES: [&str; 43] = [
        "F32",
        "F16",
        "Q4_0",
        "Q4_1",
        "Q4_2",
        "Q4_3",
        "Q5_0",
        "Q5_1",
        "Q8_0",
        "Q8_1",
        "Q2_K",
        "Q3_K",
        "Q4_K",
        "Q5_K",
        "Q6_K",
        "Q8_K",
        "IQ2_XXS",
        "IQ2_XS",
        "IQ3_XXS",
        "IQ1_S",
        "IQ4_NL",
        "IQ3_S",
        "IQ2_S",
        "IQ4_XS",
        "I8",
        "I16",
        "I32",
        "I64",
        "F64",
        "IQ1_M",
        "BF16",
        "Q4_0_4_4",
        "Q4_0_4_8",
        "Q4_0_8_8",
        "TQ1_0",
        "TQ2_0",
        "IQ4_NL_4_4",
        "IQ4_NL_4_8",
        "IQ4_NL_8_8",
        "MXFP4",
        "NVFP4",
        "Q1_0",
        "Q2_0",
    ];
    match usize::try_from(number)
        .ok()
        .and_then(|number| NAMES.get(number))
    {
        Some(name) => format!("{name} (type {number})"),
        None => format!("of type {number}"),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file != 0 {
            write!(f, "its adapter {}: ", self.file)?;
        }
        if let Some(contents) = self.contents {
            return f.write_str(contents.sentence());
        }
        let told = Told {
            reason: self.reason,
            detail: self.detail,
            subject: &self.subject,
            quoted: &quoted(&self.subject),
            shown: &self.shown(),
        };
        let own = (self.file != 0).then(|| adapter_refusal::write(&told, f));
        if let Some(written) = own.flatten() {
            return written;
        }
        let subject = quoted(&self.subject);
        let detail = self.detail;
        let place = if self.subject.is_empty() {
            detail.to_string()
        } else {
            format!("{detail}, {subject}")
        };
        match self.reason {
            SISLM_LOAD_NOT_GGUF => {
                write!(f, "it is not a GGUF file; convert the model with llama.cpp's convert_hf_to_gguf.py")
            }
            SISLM_LOAD_VERSION => {
                write!(f, "its GGUF version is {detail}; convert it again: versions 2 and 3, little-endian, are read")
            }
            SISLM_LOAD_TRUNCATED => {
                write!(f, "it ends before its contents do (byte {place}); copy or download it again")
            }
            SISLM_LOAD_MALFORMED => {
                write!(f, "its header is malformed ({place}); copy or download it again")
            }
            SISLM_LOAD_COUNT => write!(
                f,
                "a count or length in its header is more than the module takes ({place}); if its SHA-256 is its \
                 publisher's, take another model, else copy or download it again"
            ),
            SISLM_LOAD_KEY_MISSING => write!(f, "its metadata lacks the key {subject}; convert it again"),
            SISLM_LOAD_KEY_TYPE => {
                write!(f, "its metadata key {subject} has the wrong type; convert it again")
            }
            SISLM_LOAD_KEY_VALUE => {
                write!(f, "its metadata key {subject} is out of range ({}); convert it again", self.shown())
            }
            SISLM_LOAD_ARCHITECTURE => write!(
                f,
                "its architecture ({}) is not supported ({subject}); Documentation/models.rst lists those that are",
                self.shown()
            ),
            SISLM_LOAD_TOKENIZER if self.subject.ends_with(".pre") => write!(
                f,
                "its pre-tokenizer {} ({subject}) is not supported; take a model whose pre-tokenizer is, or one with \
                 SentencePiece BPE",
                self.shown()
            ),
            SISLM_LOAD_TOKENIZER => write!(
                f,
                "its tokenizer {} ({subject}) is not supported; \
                 take a model with SentencePiece BPE or GPT-2's byte-level BPE",
                self.shown()
            ),
            SISLM_LOAD_UNSUPPORTED => self.unsupported(f),
            SISLM_LOAD_SPLIT => write!(
                f,
                "it is one of {detail} parts of a split model, and its name does not say which; put all parts into \
                 one folder, named NAME-00001-of-{detail:05}.gguf and so on, and load any of them"
            ),
            SISLM_LOAD_TENSOR_UNKNOWN => write!(
                f,
                "its tensor {subject} belongs to no model of its architecture: it is a variant that is not supported; \
                 take the usual form of the model"
            ),
            SISLM_LOAD_VECTOR_TYPE => write!(
                f,
                "its tensor {subject} has the format {}, and norms and biases must have F32, F16 or BF16; \
                 llama-quantize leaves them as they are: convert the original model again with llama.cpp's \
                 convert_hf_to_gguf.py",
                weight_format(detail)
            ),
            SISLM_LOAD_ADAPTER => write!(f, "it is not the adapter that was asked for ({subject})"),
            SISLM_LOAD_TENSOR_MISSING => write!(f, "it lacks the tensor {subject}; convert it again"),
            SISLM_LOAD_TENSOR_TYPE => write!(
                f,
                "its tensor {subject} has the weight format {}, which is not supported; quantize the model with \
                 llama.cpp's llama-quantize --allow-requantize --pure OLD.gguf NEW.gguf Q8_0 (best from its F16 or \
                 BF16 file; Q4_0 is half as large)",
                weight_format(detail)
            ),
            SISLM_LOAD_TENSOR_SHAPE => {
                write!(f, "its tensor {subject} has the wrong shape ({detail}); convert it again")
            }
            SISLM_LOAD_TENSOR_BOUNDS => write!(
                f,
                "its tensor {subject} lies outside the file or over another tensor (at {detail}); \
                 copy or download it again"
            ),
            SISLM_LOAD_TENSOR_DUPLICATE => {
                write!(f, "its tensor {subject} is there twice; convert it again")
            }
            SISLM_LOAD_NOT_FINITE => write!(
                f,
                "its tensor {subject} holds an infinity or NaN in block {detail}; copy or download it again"
            ),
            SISLM_LOAD_LIMIT => write!(
                f,
                "it is over a limit of the module ({place}); modinfo sislm tells the parameters that raise them, \
                 sislm-client info their values"
            ),
            SISLM_LOAD_VOCABULARY => {
                write!(f, "its vocabulary contradicts itself ({place}); convert it again")
            }
            reason => write!(
                f,
                "the module gives reason {reason} ({place}), which is newer than this client; update the client"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(reason: u32, subject: &str) -> Refusal {
        Refusal {
            reason,
            detail: 77,
            subject: subject.into(),
            ..Default::default()
        }
    }

    #[test]
    fn every_reason_has_a_sentence_of_its_own() {
        let sentence = |reason| about(reason, "blk.0.attn_q.weight").to_string();
        let sentences: std::collections::BTreeSet<String> = (SISLM_LOAD_NOT_GGUF
            ..=SISLM_LOAD_ADAPTER)
            .map(sentence)
            .collect();
        assert_eq!(sentences.len(), 23);
        assert!(sentences
            .iter()
            .all(|sentence| !sentence.contains("newer than this client")));
        assert!(sentence(SISLM_LOAD_ADAPTER + 1).contains("newer than this client"));
    }

    #[test]
    fn names_from_the_file_cannot_move_the_cursor() {
        let refusal = Refusal {
            value: "\x1b[2J".into(),
            detail_type: SISLM_DETAIL_TEXT,
            ..about(SISLM_LOAD_ARCHITECTURE, "evil\x1b[2J\n")
        };
        assert!(!refusal.to_string().contains(['\x1b', '\n']));
    }

    #[test]
    fn a_weight_format_is_named_and_the_advice_allows_requantizing() {
        let sentence = |detail| {
            Refusal {
                detail,
                ..about(SISLM_LOAD_TENSOR_TYPE, "output.weight")
            }
            .to_string()
        };
        assert!(sentence(9).contains("Q8_1 (type 9)"));
        assert!(sentence(42).contains("Q2_0 (type 42)"));
        assert!(sentence(99).contains("of type 99"));
        assert!(sentence(3).contains("--allow-requantize --pure"));
    }

    #[test]
    fn the_value_is_shown_as_what_it_is() {
        let float = Refusal {
            detail: u64::from(4f32.to_bits()),
            detail_type: SISLM_DETAIL_F32,
            ..about(SISLM_LOAD_UNSUPPORTED, "llama.rope.scaling.factor")
        };
        let sentence = float.to_string();
        assert!(
            sentence.contains("rotary") && sentence.contains("is 4)"),
            "{sentence}"
        );
        let text = Refusal {
            value: "smollm".into(),
            detail_type: SISLM_DETAIL_TEXT,
            ..about(SISLM_LOAD_TOKENIZER, "tokenizer.ggml.pre")
        };
        let sentence = text.to_string();
        assert!(sentence.contains("pre-tokenizer \"smollm\""), "{sentence}");
    }

    #[test]
    fn what_is_not_supported_is_called_by_its_name() {
        let sentence = |subject| about(SISLM_LOAD_UNSUPPORTED, subject).to_string();
        for (subject, word) in [
            ("rope_freqs.weight", "rotary"),
            ("llama.rope.scaling.type", "rotary"),
            (
                "llama.expert_count",
                "experts (\"llama.expert_count\" is 77)",
            ),
            (
                "blk.0.ffn_gate_inp.weight",
                "experts (\"blk.0.ffn_gate_inp.weight\")",
            ),
            ("blk.0.attn_q.weight.lora_a", "no model of its own"),
            ("general.type", "no model of its own"),
            ("tokenizer.ggml.add_sep_token", "tokenizer changes text"),
            ("llama.attention.head_count_kv", "layers or heads differ"),
            ("llama.attention.scale", "mathematics"),
        ] {
            assert!(sentence(subject).contains(word), "{}", sentence(subject));
            assert!(!sentence(subject).contains("convert it again"));
        }
    }

    #[test]
    fn what_the_file_holds_comes_before_what_it_lacks() {
        let refusal = Refusal {
            contents: Some(Contents::Pointer),
            ..about(SISLM_LOAD_NOT_GGUF, "")
        };
        assert!(refusal.to_string().contains("Git LFS"));
        let all = [
            Contents::Pointer,
            Contents::WebPage,
            Contents::Safetensors,
            Contents::Archive,
            Contents::OldFormat,
            Contents::LineEnds,
        ];
        let sentences: std::collections::BTreeSet<_> = all.map(Contents::sentence).into();
        assert_eq!(sentences.len(), all.len());
    }

    #[test]
    fn a_load_without_a_reason_is_no_refusal() {
        assert_eq!(Refusal::of(&sislm_load::default()), None);
    }
}
