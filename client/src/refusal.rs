// SPDX-License-Identifier: GPL-2.0
//! Why a model was refused, as a sentence.

use std::fmt;

use crate::name::text_of;
use crate::uapi::*;

/// `reason`, `detail` and `subject` of `struct sislm_load`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// `SISLM_LOAD_*`, not `SISLM_LOAD_OK`.
    pub reason: u32,
    /// Offset, count or block that belongs to the reason.
    pub detail: u64,
    /// Metadata key or tensor that the reason is about; may be empty.
    pub subject: String,
}

impl Refusal {
    /// The refusal in the answer of LOAD, if there is one.
    pub(crate) fn of(load: &sislm_load) -> Option<Self> {
        (load.reason != SISLM_LOAD_OK).then(|| Self {
            reason: load.reason,
            detail: load.detail,
            subject: text_of(&load.subject),
        })
    }
}

/// `text` between quotes with control characters escaped: it comes from the file.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// The name of a tensor type of GGUF, with its number.
fn weight_format(number: u64) -> String {
    const NAMES: [(u64, &str); 18] = [
        (0, "F32"),
        (1, "F16"),
        (2, "Q4_0"),
        (3, "Q4_1"),
        (6, "Q5_0"),
        (7, "Q5_1"),
        (8, "Q8_0"),
        (10, "Q2_K"),
        (11, "Q3_K"),
        (12, "Q4_K"),
        (13, "Q5_K"),
        (14, "Q6_K"),
        (16, "IQ2_XXS"),
        (20, "IQ4_NL"),
        (23, "IQ4_XS"),
        (30, "BF16"),
        (34, "TQ1_0"),
        (39, "MXFP4"),
    ];
    match NAMES.iter().find(|(known, _)| *known == number) {
        Some((_, name)) => format!("{name} (type {number})"),
        None => format!("of type {number}"),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
                "a count or length in its header is larger than any sound model's ({place}); copy or download it again"
            ),
            SISLM_LOAD_KEY_MISSING => write!(f, "its metadata lacks the key {subject}; convert it again"),
            SISLM_LOAD_KEY_TYPE => {
                write!(f, "its metadata key {subject} has the wrong type; convert it again")
            }
            SISLM_LOAD_KEY_VALUE => {
                write!(f, "its metadata key {subject} is out of range ({detail}); convert it again")
            }
            SISLM_LOAD_ARCHITECTURE => {
                write!(f, "its architecture is not supported ({subject}); take a model of the architecture llama or gpt2")
            }
            SISLM_LOAD_TOKENIZER => write!(
                f,
                "its tokenizer is not supported ({subject}); \
                 take a model with SentencePiece BPE or GPT-2's byte-level BPE"
            ),
            SISLM_LOAD_TENSOR_MISSING => write!(f, "it lacks the tensor {subject}; convert it again"),
            SISLM_LOAD_TENSOR_TYPE => write!(
                f,
                "its tensor {subject} has the weight format {}, which is not supported; \
                 quantize the model to Q4_0 or Q8_0 with llama.cpp's llama-quantize --pure",
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

    #[test]
    fn every_reason_has_a_sentence_of_its_own() {
        let sentence = |reason| {
            Refusal {
                reason,
                detail: 77,
                subject: "blk.0.attn_q.weight".into(),
            }
            .to_string()
        };
        let sentences: std::collections::BTreeSet<String> = (SISLM_LOAD_NOT_GGUF
            ..=SISLM_LOAD_VOCABULARY)
            .map(sentence)
            .collect();
        assert_eq!(sentences.len(), 18);
        assert!(sentences
            .iter()
            .all(|sentence| !sentence.contains("newer than this client")));
        assert!(sentence(SISLM_LOAD_VOCABULARY + 1).contains("newer than this client"));
    }

    #[test]
    fn names_from_the_file_cannot_move_the_cursor() {
        let refusal = Refusal {
            reason: SISLM_LOAD_ARCHITECTURE,
            detail: 0,
            subject: "evil\x1b[2J\n".into(),
        };
        assert!(!refusal.to_string().contains(['\x1b', '\n']));
    }

    #[test]
    fn a_weight_format_is_named() {
        let sentence = |detail| {
            let subject = "output.weight".into();
            Refusal {
                reason: SISLM_LOAD_TENSOR_TYPE,
                detail,
                subject,
            }
            .to_string()
        };
        assert!(sentence(12).contains("Q4_K (type 12)"));
        assert!(sentence(99).contains("of type 99"));
    }

    #[test]
    fn a_load_without_a_reason_is_no_refusal() {
        assert_eq!(Refusal::of(&sislm_load::default()), None);
    }
}
