// SPDX-License-Identifier: GPL-2.0
//! Mutations of real headers, through parser, builder, tokenizer and back: nothing panics, and text
//! that can be kept is kept.

use std::fs;
use std::path::Path;

use crate::gguf::Parser;
use crate::gguf::testing::{Parsed, mutations, parse, parse_header};

use super::testing::{build_parsed, ids, text};
use super::{TokenKind, Vocabulary};

const SAMPLE: &[u8] =
    "Once  upon a time\n\n<s> it's 4 ½ é🦙\u{3000}<|endoftext|>\t<0x41>\u{2581} 'll".as_bytes();

/// Headers of the repository's models, and of the small ones in ../shared where they are.
fn headers() -> Vec<(Vec<u8>, u64)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut names = vec![
        "test_models/random-gpt2-q8_0.gguf",
        "test_models/random-llama-f16.gguf",
        "test_models/kernel-docs-7m-q4_0.gguf",
        "test_models/bert-unigram.gguf",
    ];
    if root.join("../shared/models").exists() {
        names.push("../shared/models/stories260K-q4_0.gguf");
        names.push("../shared/models/gpt2-makemore-names-q8_0.gguf");
        names.push("../shared/models/kinds/synth-embed-bert-cls.gguf");
    } else {
        eprintln!("SKIPPED: no ../shared/models");
    }
    let header = |name: &&str| {
        let mut file = fs::read(root.join(name)).expect("the file");
        let parsed = parse(&file, 1000).expect("a sound file");
        let data = file.len() as u64 - parsed.parser.header_bytes();
        file.truncate(parsed.parser.header_bytes() as usize);
        (file, data)
    };
    names.iter().map(header).collect()
}

/// Whether every byte has a token, so that no text can get lost.
fn is_complete(vocabulary: &Vocabulary<'_>) -> bool {
    (0..=255).all(|byte| {
        let id = vocabulary.byte_token(byte);
        id.is_some_and(|id| matches!(vocabulary.kind(id), TokenKind::Normal | TokenKind::Byte))
    })
}

/// Tensors that are accepted lie in the file, one after the other, and are found by their names.
fn check_tensors(parsed: &Parsed, header: &[u8], bytes: u64) {
    let tensors = parsed.parser.tensors(&parsed.table).expect("the table");
    let mut end = parsed.parser.data_offset();
    for place in 0..tensors.count() {
        let index = tensors.in_file_order(place).expect("a place");
        let info = tensors.get(index).expect("a tensor");
        assert!(info.offset >= end);
        end = info.offset + info.bytes;
        assert!(end <= bytes);
        assert_eq!(tensors.find(header, info.name.of(header)), Some(index));
    }
}

/// Mutates each header `count` times; gives how many were still sound.
fn run(seed: u64, count: u32) -> u32 {
    let (mut sound, mut kept) = (0, 0);
    for (header, data) in headers() {
        mutations(&header, seed, count, |header| {
            let bytes = header.len() as u64 + data;
            if Parser::new(header, bytes).is_none_or(|parser| parser.is_err()) {
                return;
            }
            let Ok(parsed) = parse_header(header, bytes, 1000) else {
                return;
            };
            check_tensors(&parsed, header, bytes);
            let Ok(tables) = build_parsed(&parsed, header, 1000) else {
                return;
            };
            let vocabulary = Vocabulary::view(&tables).expect("finished tables");
            sound += 1;
            let found = ids(&tables, SAMPLE, true, seed.is_multiple_of(2));
            assert!(found.iter().all(|&id| id < vocabulary.tokens()));
            text(&tables, &found);
            // In the middle of a text, where no space is put before it, and without parsed tokens.
            let plain = b"Hello,\x00\xff w\xc3rld";
            let found = ids(&tables, plain, false, false);
            let kinds = || found.iter().map(|&id| vocabulary.kind(id));
            // These have no text, and after that there is a space.
            let changes = |kind| {
                let silent = matches!(kind, TokenKind::Unused | TokenKind::Undefined);
                silent || kind == TokenKind::UserDefined
            };
            if is_complete(&vocabulary) && !kinds().any(changes) {
                kept += 1;
                assert_eq!(text(&tables, &found), plain);
            }
        });
    }
    assert!(kept > 0);
    sound
}

#[test]
fn thousands_of_mutated_headers() {
    let sound = run(7, 500);
    assert!(sound > 100, "{sound}");
}

/// Minutes to hours; `SEEDS` is a range of seeds, say `0..100`.
#[test]
#[ignore = "takes long"]
fn millions_of_mutated_headers() {
    let seeds = std::env::var("SEEDS").unwrap_or("0..100".to_owned());
    let (first, end) = seeds.split_once("..").expect("SEEDS=FIRST..END");
    let seeds = first.parse().expect("a number")..end.parse().expect("a number");
    let sound: u32 = seeds.map(|seed: u64| run(seed, 2_000)).sum();
    println!("{sound} headers were still sound");
    assert!(sound > 0);
}
