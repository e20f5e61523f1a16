// SPDX-License-Identifier: GPL-2.0
//! A text, tokenized with different amounts of work a call and back: the ids are the same, and the
//! text of ids that are no control tokens is the text, but for Unigram's, which changes characters.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sislm_fuzz::models;

/// The space of SentencePiece, which a text cannot keep apart from a real one.
const SPACE: &[u8] = "\u{2581}".as_bytes();
/// `SISLM_TOKENIZER_*` of SentencePiece.
const SENTENCE_PIECE: u32 = 1;
/// The same of Unigram.
const UNIGRAM: u32 = 5;

fuzz_target!(init: { models(); }, |data: &[u8]| {
    let Some((&choice, text)) = data.split_first() else {
        return;
    };
    let model = &models()[usize::from(choice & 7) % models().len()];
    let (first, control) = (choice & 8 != 0, choice & 16 != 0);
    let ids = model.tokenize(text, first, control, 1 << 24).expect("ids");
    for budget in [if text.len() < 200 { 1 } else { 61 }, 13] {
        assert_eq!(
            model.tokenize(text, first, control, budget).expect("ids"),
            ids
        );
    }
    assert!(ids.iter().all(|&id| id < model.facts.vocabulary));
    let (mut back, mut start) = (vec![], first);
    for &id in &ids {
        back.extend(model.detokenize(id, start).expect("the text of an id"));
        start &= id == model.facts.bos;
    }
    let ambiguous = model.facts.tokenizer == SENTENCE_PIECE
        && text.windows(SPACE.len()).any(|part| part == SPACE);
    if !control && !ambiguous && model.facts.tokenizer != UNIGRAM {
        assert_eq!(back, text);
    }
});
