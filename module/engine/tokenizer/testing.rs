// SPDX-License-Identifier: GPL-2.0
//! Small vocabularies for tests.

use crate::abi::Literal;
use crate::gguf::testing::{Parsed, Writer, parse};
use crate::gguf::{Array, Kind, Refusal};

use super::{Builder, Progress, TOKEN_BYTES_MAX, Text, Tokenizer, TokenizerKeys, Vocabulary};

/// A token: text, kind, score.
pub(crate) type Token = (&'static str, i32, f32);

/// A SentencePiece vocabulary without byte tokens.
pub(crate) const PIECES: &[Token] = &[
    ("<unk>", 2, 0.0),
    ("<s>", 3, 0.0),
    ("</s>", 3, 0.0),
    ("\n", 4, 0.0),
    ("▁", 1, -10.0),
    ("a", 1, -11.0),
    ("b", 1, -12.0),
    ("c", 1, -13.0),
    ("ab", 1, -2.0),
    ("bc", 1, -1.0),
    ("▁a", 1, -3.0),
    ("abc", 1, -4.0),
    ("<", 1, -20.0),
    ("s", 1, -20.0),
    (">", 1, -20.0),
    ("<s", 1, -20.0),
    ("é", 1, -20.0),
    ("<pad>", 4, 0.0),
    ("<pad><pad>", 4, 0.0),
];

/// A Unigram vocabulary.
pub(crate) const UNIGRAM: &[Token] = &[
    ("<pad>", 3, 0.0),
    ("</s>", 3, 0.0),
    ("<unk>", 2, 0.0),
    ("<0x41>", 6, 0.0),
    ("▁", 1, -3.0),
    ("▁a", 1, -2.0),
    ("a", 1, -4.0),
    ("b", 1, -3.0),
    ("c", 1, -2.0),
    ("▁ab", 1, -2.5),
    ("bc", 1, -3.0),
    ("bb", 1, -3.5),
    ("<u>", 4, -9.0),
];

/// A Unigram file of these tokens.
pub(crate) fn unigram(tokens: &[Token]) -> Writer {
    pieces("t5", tokens)
}

/// The same with a map of characters.
pub(crate) fn with_map(writer: Writer, map: &[u8]) -> Writer {
    let key = "tokenizer.ggml.precompiled_charsmap";
    writer.array(key, Kind::U8, map.len() as u64, map)
}

/// A map of texts to others, as SentencePiece makes it: units by the places where they fit first.
pub(crate) fn character_map(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut texts = vec![];
    let mut entries: Vec<(&[u8], u32)> = pairs
        .iter()
        .map(|(from, to)| {
            let place = texts.len() as u32;
            texts.extend(to.as_bytes());
            texts.push(0);
            (from.as_bytes(), place)
        })
        .collect();
    entries.sort_unstable();
    let mut units: Vec<Option<u32>> = vec![None; 1 << 16];
    units[0] = Some(0);
    // Beginnings with entries below them, and the unit of each.
    let mut open = vec![(0, vec![])];
    while let Some((unit, front)) = open.pop() {
        let below = entries.iter().filter(|(from, _)| from.starts_with(&front));
        let value = below.clone().find(|(from, _)| *from == front);
        let mut bytes: Vec<u8> = below
            .filter_map(|(from, _)| from.get(front.len()).copied())
            .collect();
        bytes.dedup();
        let mut wanted = bytes.clone();
        // The unit of a text, or of none, by which no other's children are as far.
        wanted.push(0);
        let is_free = |children: &u32| {
            wanted
                .iter()
                .all(|&byte| units[(children ^ u32::from(byte)) as usize].is_none())
        };
        let children = (256..1 << 15).find(is_free).expect("room");
        let far = unit ^ children;
        units[unit as usize] =
            units[unit as usize].map(|bits| bits | far << 10 | u32::from(value.is_some()) << 8);
        units[children as usize] = Some(value.map_or(0, |&(_, place)| 1 << 31 | place));
        for byte in bytes {
            let child = children ^ u32::from(byte);
            units[child as usize] = Some(u32::from(byte));
            open.push((child, [&front[..], &[byte]].concat()));
        }
    }
    let used = units.iter().rposition(Option::is_some).expect("the root") + 1;
    let mut map = (4 * used as u32).to_le_bytes().to_vec();
    map.extend(
        units[..used]
            .iter()
            .flat_map(|unit| unit.unwrap_or(0).to_le_bytes()),
    );
    map.extend(texts);
    map
}

/// A SentencePiece file of these tokens.
pub(crate) fn sentence_piece(tokens: &[Token]) -> Writer {
    pieces("llama", tokens)
}

/// A file of these tokens with scores.
fn pieces(model: &str, tokens: &[Token]) -> Writer {
    let texts: Vec<&[u8]> = tokens.iter().map(|token| token.0.as_bytes()).collect();
    let kinds: Vec<i32> = tokens.iter().map(|token| token.1).collect();
    let scores: Vec<f32> = tokens.iter().map(|token| token.2).collect();
    Writer::new()
        .text("general.architecture", "llama")
        .text("tokenizer.ggml.model", model)
        .strings("tokenizer.ggml.tokens", &texts)
        .floats("tokenizer.ggml.scores", &scores)
        .integers("tokenizer.ggml.token_type", &kinds)
}

/// A byte-level file of these tokens and merges, with GPT-2's pre-tokenizer.
pub(super) fn byte_level(tokens: &[&str], kinds: &[i32], merges: &[&str]) -> Writer {
    byte_level_of("gpt-2", tokens, kinds, merges)
}

/// A file of these tokens and merges of characters.
pub(super) fn characters(tokens: &[&str], kinds: &[i32], merges: &[&str]) -> Writer {
    let texts: Vec<&[u8]> = tokens.iter().map(|token| token.as_bytes()).collect();
    let merges: Vec<&[u8]> = merges.iter().map(|merge| merge.as_bytes()).collect();
    Writer::new()
        .text("general.architecture", "gemma4")
        .text("tokenizer.ggml.model", "gemma4")
        .strings("tokenizer.ggml.tokens", &texts)
        .integers("tokenizer.ggml.token_type", kinds)
        .strings("tokenizer.ggml.merges", &merges)
        .u32("tokenizer.ggml.unknown_token_id", 0)
}

/// A WordPiece file of these tokens; those in brackets are control tokens.
pub(super) fn word_piece(tokens: &[&str]) -> Writer {
    let texts: Vec<&[u8]> = tokens.iter().map(|token| token.as_bytes()).collect();
    let kind = |token: &&str| if token.starts_with('[') { 3 } else { 1 };
    let kinds: Vec<i32> = tokens.iter().map(kind).collect();
    let place = |name: &str| tokens.iter().position(|token| *token == name);
    let mut writer = Writer::new()
        .text("general.architecture", "bert")
        .text("tokenizer.ggml.model", "bert")
        .strings("tokenizer.ggml.tokens", &texts)
        .integers("tokenizer.ggml.token_type", &kinds);
    for (key, name) in [
        ("bos", "[CLS]"),
        ("seperator", "[SEP]"),
        ("unknown", "[UNK]"),
    ] {
        if let Some(id) = place(name) {
            writer = writer.u32(&format!("tokenizer.ggml.{key}_token_id"), id as u32);
        }
    }
    writer
}

/// As [`byte_level`], with another pre-tokenizer.
pub(super) fn byte_level_of(pre: &str, tokens: &[&str], kinds: &[i32], merges: &[&str]) -> Writer {
    let texts: Vec<&[u8]> = tokens.iter().map(|token| token.as_bytes()).collect();
    let merges: Vec<&[u8]> = merges.iter().map(|merge| merge.as_bytes()).collect();
    Writer::new()
        .text("general.architecture", "gpt2")
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", pre)
        .strings("tokenizer.ggml.tokens", &texts)
        .integers("tokenizer.ggml.token_type", kinds)
        .strings("tokenizer.ggml.merges", &merges)
}

/// The tables of a file, made with the budget given in each call.
pub(super) fn build(file: &[u8], budget: u32) -> Result<Vec<u8>, Refusal> {
    let parsed = parse(file, 1000)?;
    build_parsed(&parsed, file, budget)
}

/// As [`build`], of a header that is parsed.
pub(super) fn build_parsed(
    parsed: &Parsed,
    header: &[u8],
    budget: u32,
) -> Result<Vec<u8>, Refusal> {
    let keys = parsed.parser.keys(header, &parsed.table);
    let mut builder = Builder::new(&keys.expect("the table"))?;
    let mut tables = vec![0; builder.table_bytes() as usize];
    while builder.run(header, &mut tables, budget)? != Progress::Done {}
    Ok(tables)
}

/// The tables of a sound file.
pub(crate) fn tables(writer: &Writer) -> Vec<u8> {
    build(&writer.finish(), 100).expect("a sound vocabulary")
}

/// The ids of a text; with every budget the same.
pub(super) fn ids(tables: &[u8], text: &[u8], first: bool, control: bool) -> Vec<u32> {
    ids_of(tables, Text::plain(text), first, control)
}

/// The ids of a text with literal parts, in which control tokens are parsed elsewhere.
pub(super) fn ids_of_parts(tables: &[u8], bytes: &[u8], literal: &[Literal]) -> Vec<u32> {
    ids_of(tables, Text { bytes, literal }, false, true)
}

fn ids_of(tables: &[u8], text: Text<'_>, first: bool, control: bool) -> Vec<u32> {
    let vocabulary = Vocabulary::view(tables).expect("finished tables");
    let size = Tokenizer::work_bytes(&vocabulary, text.bytes.len()).expect("a short text");
    let run = |budget| {
        let mut work = vec![0; size as usize];
        let mut machine = Tokenizer::new(first, control);
        while !machine
            .run(&vocabulary, text, &mut work, budget)
            .expect("room")
        {}
        let ids = work
            .as_chunks::<4>()
            .0
            .iter()
            .take(machine.count() as usize);
        ids.map(|&cell| u32::from_le_bytes(cell))
            .collect::<Vec<u32>>()
    };
    let found = run(1000);
    assert_eq!(run(1), found);
    found
}

/// The text of ids; the first is the first of a text.
pub(super) fn text(tables: &[u8], ids: &[u32]) -> Vec<u8> {
    let vocabulary = Vocabulary::view(tables).expect("finished tables");
    let mut piece = [0; TOKEN_BYTES_MAX];
    let mut text = vec![];
    for (at, &id) in ids.iter().enumerate() {
        let length = vocabulary.piece(id, at == 0, &mut piece).expect("room");
        text.extend(&piece[..length]);
    }
    text
}

/// Where the elements of an array are.
pub(super) fn array_of(file: &[u8], key: impl Fn(&TokenizerKeys) -> Option<Array>) -> Array {
    let parsed = parse(file, 1000).expect("a sound file");
    let keys = parsed.parser.keys(file, &parsed.table);
    let keys = TokenizerKeys::read(&keys.expect("the table"));
    key(&keys.expect("a tokenizer")).expect("the array")
}

/// Reason, detail and subject of the refusal that a file meets.
pub(super) fn refused(writer: &Writer) -> (crate::gguf::Reason, u64, String) {
    let refusal = build(&writer.finish(), 10).expect_err("a refusal");
    let end = refusal
        .subject
        .iter()
        .position(|&byte| byte == 0)
        .expect("a NUL");
    let subject = String::from_utf8(refusal.subject[..end].to_vec()).expect("ASCII");
    (refusal.reason, refusal.detail, subject)
}

/// The notes on a file, and the ids that end a turn.
pub(super) fn built(writer: &Writer) -> (u32, Vec<u32>) {
    let file = writer.finish();
    let parsed = parse(&file, 1000).expect("a sound file");
    let keys = parsed.parser.keys(&file, &parsed.table).expect("the table");
    let mut builder = Builder::new(&keys).expect("a tokenizer");
    let mut tables = vec![0; builder.table_bytes() as usize];
    while builder.run(&file, &mut tables, 3).expect("a vocabulary") != Progress::Done {}
    let vocabulary = Vocabulary::view(&tables).expect("finished tables");
    let marked = (0..vocabulary.tokens())
        .filter(|&id| vocabulary.ends(id))
        .collect();
    let ends = builder.ends();
    assert_eq!(&ends.ids[..ends.count as usize], &marked);
    (builder.notes(), marked)
}
