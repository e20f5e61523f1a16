// SPDX-License-Identifier: GPL-2.0
//! The ids of llama.cpp for texts of all kinds, by the Unigram vocabulary of `test_models`.

// CAST: Sizes of what is in memory.
#![expect(clippy::cast_possible_truncation)]

use sislm_engine::gguf::{Parser, Progress};
use sislm_engine::tokenizer::{self, Builder, Text, Tokenizer, Vocabulary};

const FILE: &[u8] = include_bytes!("../../../test_models/bert-unigram.gguf");
const CASES: &str = include_str!("../../../test_models/bert-unigram.ids");

fn tables() -> Vec<u8> {
    let parser = Parser::new(FILE, FILE.len() as u64).expect("24 bytes");
    let mut parser = parser.expect("a header");
    let mut table = vec![0; parser.table_bytes() as usize];
    while parser.run(FILE, &mut table, 1000).expect("a header") != Progress::Done {}
    let keys = parser.keys(FILE, &table).expect("the table");
    let mut builder = Builder::new(&keys).expect("a known tokenizer");
    let mut tables = vec![0; builder.table_bytes() as usize];
    while builder.run(FILE, &mut tables, 7).expect("a vocabulary") != tokenizer::Progress::Done {}
    tables
}

fn ids(vocabulary: &Vocabulary<'_>, text: &[u8], control: bool, budget: u32) -> Vec<u32> {
    let bytes = Tokenizer::work_bytes(vocabulary, text.len()).expect("a short text");
    // What was in the memory before does not matter.
    let mut work = vec![0xa5; bytes as usize];
    let mut machine = Tokenizer::new(true, control);
    let text = Text::plain(text);
    while !machine
        .run(vocabulary, text, &mut work, budget)
        .expect("room")
    {}
    let cells = work.as_chunks().0.iter().take(machine.count() as usize);
    cells.map(|&cell| u32::from_le_bytes(cell)).collect()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().as_chunks::<2>().0.iter();
    let byte = |pair: &[u8; 2]| {
        let digits = str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(digits, 16).expect("two digits")
    };
    pairs.map(byte).collect()
}

#[test]
fn ids_are_those_of_llama_cpp() {
    let tables = tables();
    let vocabulary = Vocabulary::view(&tables).expect("finished tables");
    let cases = CASES.lines().filter(|line| !line.starts_with('#'));
    let mut seen = 0;
    for case in cases {
        let [text, plain, parsed] = *case.split('|').collect::<Vec<_>>() else {
            panic!("{case}");
        };
        let text = bytes(text);
        for (control, expected) in [(false, plain), (true, parsed)] {
            let numbers = expected.split_whitespace().map(str::parse);
            let expected: Result<Vec<u32>, _> = numbers.collect();
            let expected = expected.expect("ids");
            for budget in [1, 1000] {
                let found = ids(&vocabulary, &text, control, budget);
                let shown = String::from_utf8_lossy(&text);
                assert_eq!(found, expected, "{shown:?}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 320);
}
