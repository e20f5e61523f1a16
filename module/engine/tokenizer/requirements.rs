// SPDX-License-Identifier: GPL-2.0
//! What a file must say of its tokenizer, before its vocabulary is looked at.

use crate::gguf::{Reason, Refusal};

use super::keys::UNIGRAM;
use super::layout::{Layout, NONE};
use super::pattern;
use super::vocabulary::Model;
use super::{MERGES_MAX, TOKEN_BYTES_MAX, TOKENS_MAX, TokenizerKeys};

/// Checks the keys, `prefix` being the header; gives the model, its pre-tokenizer and the sizes of its
/// tables.
pub(super) fn check(keys: &TokenizerKeys, prefix: &[u8]) -> Result<(Model, u32, Layout), Refusal> {
    let name = keys.model.ok_or(missing(b"tokenizer.ggml.model"))?;
    let model = match name.of(prefix) {
        b"llama" => Model::SentencePiece,
        b"gpt2" => Model::ByteLevel,
        b"bert" => Model::WordPiece,
        b"gemma4" => Model::Characters,
        UNIGRAM => Model::Unigram,
        other => {
            let key = b"tokenizer.ggml.model";
            return Err(Refusal::of_text(Reason::Tokenizer, other, key));
        }
    };
    let tokens = keys.tokens.ok_or(missing(b"tokenizer.ggml.tokens"))?;
    expect_within(1, tokens.count, TOKENS_MAX, b"tokenizer.ggml.tokens")?;
    let (pretokenizer, merges) = match model {
        // llama.cpp looks at no pre-tokenizer of these.
        Model::SentencePiece | Model::WordPiece | Model::Unigram => (NONE, 0),
        Model::ByteLevel | Model::Characters => {
            let pretokenizer = pretokenizer(keys, model, prefix)?;
            let merges = keys.merges.ok_or(missing(b"tokenizer.ggml.merges"));
            (pretokenizer, merges?.count)
        }
    };
    expect_within(0, merges, MERGES_MAX, b"tokenizer.ggml.merges")?;
    expect_counts(keys, tokens.count)?;
    // Each string has its length before it, 8 bytes; texts only get shorter. Behind them there is
    // room to decode a merge.
    let text_bytes = tokens.bytes.saturating_sub(tokens.count.saturating_mul(8));
    let layout = Layout {
        tokens: tokens.count,
        merges,
        scored: model.has_scores(),
        prefixed: model == Model::Unigram,
        map_bytes: keys.character_map.map_or(0, |map| map.bytes),
        // CAST: A small constant.
        #[expect(clippy::cast_possible_truncation)]
        text_bytes: text_bytes.saturating_add(TOKEN_BYTES_MAX as u32),
    };
    Ok((model, pretokenizer, layout))
}

fn expect_within(least: u32, count: u32, most: u32, key: &[u8]) -> Result<(), Refusal> {
    if count < least || count > most {
        return Err(Refusal::new(Reason::Count, u64::from(count), key));
    }
    Ok(())
}

/// Expects a score and a kind for each token; when both say otherwise, it is the tokens that lack.
fn expect_counts(keys: &TokenizerKeys, tokens: u32) -> Result<(), Refusal> {
    let scores = keys.scores.map_or(tokens, |array| array.count);
    let kinds = keys.token_type.map_or(tokens, |array| array.count);
    let (subject, count): (&[u8], u32) = match (scores == tokens, kinds == tokens) {
        (true, true) => return Ok(()),
        (false, true) => (b"tokenizer.ggml.scores", scores),
        (true, false) => (b"tokenizer.ggml.token_type", kinds),
        (false, false) => (b"tokenizer.ggml.tokens", tokens),
    };
    Err(Refusal::new(Reason::Vocabulary, u64::from(count), subject))
}

/// The pre-tokenizer, by its place in the list; `default` where the file of a byte-level vocabulary names
/// none, as in llama.cpp.
fn pretokenizer(keys: &TokenizerKeys, model: Model, prefix: &[u8]) -> Result<u32, Refusal> {
    const KEY: &[u8] = b"tokenizer.ggml.pre";
    const OF_CHARACTERS: &[u8] = b"gemma4";
    let usual = match model {
        Model::Characters => OF_CHARACTERS,
        _ => b"default",
    };
    let name = keys.pre.map_or(usual, |name| name.of(prefix));
    let fits = (name == OF_CHARACTERS) == (model == Model::Characters);
    let place = pattern::place(name).filter(|_| fits);
    place.ok_or(Refusal::of_text(Reason::Tokenizer, name, KEY))
}

fn missing(key: &[u8]) -> Refusal {
    Refusal::new(Reason::KeyMissing, 0, key)
}

#[cfg(test)]
mod tests {
    use super::super::testing::refused;
    use super::*;
    use crate::gguf::testing::Writer;

    #[test]
    fn counts_must_agree() {
        let base = || {
            Writer::new()
                .text("general.architecture", "llama")
                .text("tokenizer.ggml.model", "llama")
                .strings("tokenizer.ggml.tokens", &[b"a", b"b"])
        };
        let refusal =
            |count, key: &str| (Reason::Vocabulary, count, format!("tokenizer.ggml.{key}"));
        let scores = base().floats("tokenizer.ggml.scores", &[0.0]);
        assert_eq!(refused(&scores), refusal(1, "scores"));
        let both = base().floats("tokenizer.ggml.scores", &[0.0; 2]);
        let kinds = both.integers("tokenizer.ggml.token_type", &[1; 3]);
        assert_eq!(refused(&kinds), refusal(3, "token_type"));
        let tokens = base().floats("tokenizer.ggml.scores", &[0.0; 3]);
        let tokens = tokens.integers("tokenizer.ggml.token_type", &[1; 3]);
        assert_eq!(refused(&tokens), refusal(2, "tokens"));
    }

    #[test]
    fn what_a_tokenizer_needs_must_be_there() {
        let missing = |key: &str| (Reason::KeyMissing, 0, format!("tokenizer.ggml.{key}"));
        let base = || Writer::new().text("general.architecture", "x");
        assert_eq!(refused(&base()), missing("model"));
        let model = |name: &str| base().text("tokenizer.ggml.model", name);
        assert_eq!(refused(&model("llama")), missing("tokens"));
        let tokens = |name: &str| model(name).strings("tokenizer.ggml.tokens", &[b"a"]);
        assert_eq!(refused(&tokens("gpt2")), missing("merges"));
        let pre = |name: &str| tokens("gpt2").text("tokenizer.ggml.pre", name);
        assert_eq!(refused(&pre("gpt-2")), missing("merges"));
        let unknown = |key: &str| (Reason::Tokenizer, 0, format!("tokenizer.ggml.{key}"));
        assert_eq!(refused(&pre("unheard-of")), unknown("pre"));
        assert_eq!(refused(&pre("gemma4")), unknown("pre"));
        assert_eq!(refused(&tokens("gemma4")), missing("merges"));
        let other = tokens("gemma4").text("tokenizer.ggml.pre", "gpt-2");
        assert_eq!(refused(&other), unknown("pre"));
        assert_eq!(refused(&tokens("rwkv")), unknown("model"));
        let none = model("llama").strings("tokenizer.ggml.tokens", &[]);
        assert_eq!(
            refused(&none),
            (Reason::Count, 0, "tokenizer.ggml.tokens".to_owned())
        );
    }
}
