// SPDX-License-Identifier: GPL-2.0
//! `tokenizer.ggml.*`: what a file says of its tokenizer.

use crate::gguf::{Array, Keys, Kind, Reason, Refusal, Span, Value};

/// What all keys of the vocabulary begin with.
const PREFIX: &[u8] = b"tokenizer.ggml.";
/// What files call Unigram.
pub(super) const UNIGRAM: &[u8] = b"t5";

/// The keys that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TokenizerKeys {
    /// `model`.
    pub model: Option<Span>,
    /// `pre`: the pre-tokenizer.
    pub pre: Option<Span>,
    /// `tokens`: strings.
    pub tokens: Option<Array>,
    /// `scores`: f32.
    pub scores: Option<Array>,
    /// `token_type`: i32 or u32.
    pub token_type: Option<Array>,
    /// `merges`: strings.
    pub merges: Option<Array>,
    /// `bos_token_id`.
    pub bos: Option<u32>,
    /// `eos_token_id`.
    pub eos: Option<u32>,
    /// `unknown_token_id`.
    pub unknown: Option<u32>,
    /// `cls_token_id`: what stands for `bos_token_id` in older files of WordPiece.
    pub classification: Option<u32>,
    /// `seperator_token_id`, which is how files spell it.
    pub separator: Option<u32>,
    /// `normalizer.lowercase`.
    pub lowercase: Option<bool>,
    /// `normalizer.strip_accents`.
    pub strip_accents: Option<bool>,
    /// Further tokens that end a turn: `eot_token_id`, `eom_token_id`, and those for code, of padding, of a
    /// repository's name and between files.
    pub ends: [Option<u32>; ENDS.len()],
    /// `add_bos_token`.
    pub add_bos: Option<bool>,
    /// `add_eos_token`.
    pub add_eos: Option<bool>,
    /// `add_space_prefix`.
    pub add_space_prefix: Option<bool>,
    /// `remove_extra_whitespaces`; of Unigram only.
    pub merges_spaces: Option<bool>,
    /// `precompiled_charsmap`: bytes; of Unigram only.
    pub character_map: Option<Array>,
}

/// Keys of ids that end a turn, beside `eos_token_id`.
const ENDS: [&[u8]; 5] = [
    b"tokenizer.ggml.eot_token_id",
    b"tokenizer.ggml.eom_token_id",
    b"tokenizer.ggml.fim_pad_token_id",
    b"tokenizer.ggml.fim_rep_token_id",
    b"tokenizer.ggml.fim_sep_token_id",
];

/// Keys that are read, and such that say nothing of how text becomes tokens.
const KNOWN: [&[u8]; 18] = [
    b"model",
    b"pre",
    b"tokens",
    b"scores",
    b"token_type",
    b"merges",
    b"add_bos_token",
    b"add_eos_token",
    b"add_space_prefix",
    b"normalizer.lowercase",
    b"normalizer.strip_accents",
    // All of them are in the list of tokens as well.
    b"added_tokens",
    // Of encoders.
    b"token_type_count",
    b"mask_token",
    // Checked below.
    b"add_sep_token",
    b"remove_extra_whitespaces",
    b"escape_whitespaces",
    b"precompiled_charsmap",
];

/// The map by which Unigram changes characters.
pub(super) const CHARACTER_MAP: &[u8] = b"tokenizer.ggml.precompiled_charsmap";

impl TokenizerKeys {
    /// Reads the keys.
    ///
    /// # Errors
    /// A key of the wrong type, or one that changes text in a way that is not done here.
    pub fn read(keys: &Keys<'_>) -> Result<Self, Refusal> {
        check_switches(keys)?;
        let span = |name| -> Result<Option<Span>, Refusal> {
            let value = keys.find(name).map(|value| value.string(name));
            value.transpose()
        };
        let mut ends = [None; ENDS.len()];
        for (to, name) in ends.iter_mut().zip(ENDS) {
            *to = keys.u32(name)?;
        }
        Ok(Self {
            model: span(b"tokenizer.ggml.model")?,
            pre: span(b"tokenizer.ggml.pre")?,
            tokens: keys.array(b"tokenizer.ggml.tokens", &[Kind::String])?,
            scores: keys.array(b"tokenizer.ggml.scores", &[Kind::F32])?,
            token_type: keys.array(b"tokenizer.ggml.token_type", &[Kind::I32, Kind::U32])?,
            merges: keys.array(b"tokenizer.ggml.merges", &[Kind::String])?,
            bos: keys.u32(b"tokenizer.ggml.bos_token_id")?,
            eos: keys.u32(b"tokenizer.ggml.eos_token_id")?,
            unknown: keys.u32(b"tokenizer.ggml.unknown_token_id")?,
            classification: keys.u32(b"tokenizer.ggml.cls_token_id")?,
            separator: keys.u32(b"tokenizer.ggml.seperator_token_id")?,
            lowercase: keys.bool(b"tokenizer.ggml.normalizer.lowercase")?,
            strip_accents: keys.bool(b"tokenizer.ggml.normalizer.strip_accents")?,
            ends,
            add_bos: keys.bool(b"tokenizer.ggml.add_bos_token")?,
            add_eos: keys.bool(b"tokenizer.ggml.add_eos_token")?,
            add_space_prefix: keys.bool(b"tokenizer.ggml.add_space_prefix")?,
            merges_spaces: keys.bool(b"tokenizer.ggml.remove_extra_whitespaces")?,
            character_map: character_map(keys)?,
        })
    }
}

/// Refuses a key of the vocabulary that is not known: it may change how text becomes tokens. Ids
/// of tokens by further names say nothing of that.
pub(crate) fn check_known(name: &[u8], value: Value, prefix: &[u8]) -> Result<(), Refusal> {
    let known = match name.strip_prefix(PREFIX) {
        Some(name) => KNOWN.contains(&name) || name.ends_with(b"_token_id"),
        None => true,
    };
    if known {
        Ok(())
    } else {
        Err(value.refuse(Reason::Unsupported, name, prefix))
    }
}

/// Refuses what a normalizer or an encoder would do to the text.
fn check_switches(keys: &Keys<'_>) -> Result<(), Refusal> {
    let model = keys.text(b"tokenizer.ggml.model")?;
    let is_unigram = model == Some(UNIGRAM);
    let switches: [(&[u8], &[bool]); 3] = [
        // A text of WordPiece always ends in a separator; Unigram's is between two texts, of which
        // there is one.
        (
            b"tokenizer.ggml.add_sep_token",
            match model {
                Some(b"bert") => &[true],
                Some(UNIGRAM) => &[true, false],
                _ => &[false],
            },
        ),
        (
            b"tokenizer.ggml.remove_extra_whitespaces",
            if is_unigram { &[true, false] } else { &[false] },
        ),
        (b"tokenizer.ggml.escape_whitespaces", &[true]),
    ];
    for (name, done) in switches {
        if let Some(truth) = keys.bool(name)?.filter(|truth| !done.contains(truth)) {
            return Err(Refusal::new(Reason::Unsupported, u64::from(truth), name));
        }
    }
    Ok(())
}

/// The map of characters, which only Unigram has.
fn character_map(keys: &Keys<'_>) -> Result<Option<Array>, Refusal> {
    let map = keys.array(CHARACTER_MAP, &[Kind::U8, Kind::I8])?;
    let map = map.filter(|map| map.count > 0);
    match map {
        Some(map) if keys.text(b"tokenizer.ggml.model")? != Some(UNIGRAM) => {
            let detail = u64::from(map.count);
            Err(Refusal::new(Reason::Unsupported, detail, CHARACTER_MAP))
        }
        map => Ok(map),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{PIECES, refused, sentence_piece, tables};
    use super::*;
    use crate::gguf::testing::Writer;

    #[test]
    fn what_would_change_text_is_refused_by_name() {
        let refusal = |name: &str| {
            let key = format!("tokenizer.ggml.{name}");
            let detail = u64::from(name != "escape_whitespaces");
            (Reason::Unsupported, detail, key)
        };
        let switch = |name: &str, truth| {
            sentence_piece(PIECES).bool(&format!("tokenizer.ggml.{name}"), truth)
        };
        for (name, neutral) in [
            ("add_sep_token", false),
            ("remove_extra_whitespaces", false),
            ("escape_whitespaces", true),
        ] {
            assert_eq!(refused(&switch(name, !neutral)), refusal(name));
            tables(&switch(name, neutral));
        }
        let map = |bytes: &[u8]| {
            let key = "tokenizer.ggml.precompiled_charsmap";
            sentence_piece(PIECES).array(key, Kind::U8, bytes.len() as u64, bytes)
        };
        assert_eq!(refused(&map(&[7])), refusal("precompiled_charsmap"));
        tables(&map(&[]));
    }

    #[test]
    fn only_unknown_keys_of_the_vocabulary_are_refused() {
        let check = |name: &[u8]| check_known(name, Value::U32(3), b"");
        for name in [
            &b"tokenizer.ggml.merges"[..],
            b"tokenizer.ggml.mask_token_id",
            b"tokenizer.chat_template",
            b"tokenizer.huggingface.json",
            b"general.x",
        ] {
            assert_eq!(check(name), Ok(()));
        }
        let name = b"tokenizer.ggml.normalizer.replace";
        assert_eq!(check(name), Err(Refusal::new(Reason::Unsupported, 3, name)));
    }

    #[test]
    fn keys_have_types() {
        let refusal = |name: &str| (Reason::KeyType, 0, format!("tokenizer.ggml.{name}"));
        let key = |name: &str| format!("tokenizer.ggml.{name}");
        for (name, kind) in [
            ("scores", Kind::I32),
            ("token_type", Kind::F32),
            ("tokens", Kind::U32),
            ("merges", Kind::U8),
            ("precompiled_charsmap", Kind::U32),
        ] {
            let writer = Writer::new().array(
                &key(name),
                kind,
                1,
                &[0; 4][..kind.bytes().unwrap_or(0) as usize],
            );
            assert_eq!(refused(&writer), refusal(name));
        }
        for name in [
            "bos_token_id",
            "eos_token_id",
            "eot_token_id",
            "fim_sep_token_id",
        ] {
            assert_eq!(
                refused(&Writer::new().bool(&key(name), true)),
                refusal(name)
            );
        }
        for name in ["add_bos_token", "add_eos_token", "add_space_prefix"] {
            assert_eq!(refused(&Writer::new().u32(&key(name), 1)), refusal(name));
        }
        for name in ["model", "pre"] {
            assert_eq!(refused(&Writer::new().u32(&key(name), 1)), refusal(name));
        }
    }
}
