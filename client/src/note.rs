// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a model has otherwise than its file says, as sentences.

use std::fmt;

use crate::uapi::*;
use crate::Model;

/// One of the `SISLM_NOTE_*` of a model; displayed as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note(u32);

impl Note {
    /// The notes on `model`.
    pub fn of(model: &Model) -> Vec<Self> {
        let bits = (0..u32::BITS).map(|bit| 1 << bit);
        bits.filter(|bit| model.notes & bit != 0)
            .map(Self)
            .collect()
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = |f: &mut fmt::Formatter<'_>, key, what| {
            write!(
                f,
                "its tokenizer.ggml.{key} is no token of its vocabulary: {what} is the usual one of its kind of \
                 tokenizer, or none"
            )
        };
        match self.0 {
            SISLM_NOTE_BOS => id(f, "bos_token_id", "what begins a text"),
            SISLM_NOTE_EOS => id(f, "eos_token_id", "the end-of-sequence token"),
            SISLM_NOTE_UNKNOWN => id(f, "unknown_token_id", "the unknown token"),
            SISLM_NOTE_END => f.write_str(
                "an id of its metadata that ends a turn is no token of its vocabulary, and is not used",
            ),
            SISLM_NOTE_MARK => f.write_str(
                "a token that ends a turn by its name is not marked as a control token in the file: it is taken \
                 as one, so text cannot spell it",
            ),
            SISLM_NOTE_SCORES => {
                f.write_str("its vocabulary has no scores: all are taken as 0, so text may be cut into poor tokens")
            }
            SISLM_NOTE_WINDOW => f.write_str(
                "it was trained with a sliding window, which is passed over, as by llama.cpp: answers differ from \
                 the original's once a context is longer than the window",
            ),
            SISLM_NOTE_PRETOKENIZER => f.write_str(
                "it does not name how text is cut into words (tokenizer.ggml.pre): the rule \"default\" is taken, which \
                 may cut otherwise than in its training; converting the model again gives the name",
            ),
            SISLM_NOTE_METADATA => f.write_str(
                "a text of its metadata, such as its chat template, is longer than the module keeps, and is not kept",
            ),
            bit => write!(f, "the module gives note {bit:#x}, which is newer than this client; update the client"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_has_a_sentence_of_its_own() {
        let model = Model {
            notes: SISLM_NOTE_METADATA * 2 - 1,
            ..Default::default()
        };
        let sentences: std::collections::BTreeSet<String> =
            Note::of(&model).iter().map(Note::to_string).collect();
        assert_eq!(sentences.len(), 9);
        assert!(sentences.iter().all(|sentence| !sentence.contains("newer")));
        assert!(Note(SISLM_NOTE_METADATA * 2)
            .to_string()
            .contains("0x200, which is newer"));
        assert_eq!(Note::of(&Model::default()), []);
    }
}
