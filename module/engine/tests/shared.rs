// SPDX-License-Identifier: GPL-2.0
//! Tokenizer cases and models in `../shared`, beside the repository, where they exist: the cases of
//! llama.cpp's vocabularies, and the prompts of models' reference outputs.

// CAST: Sizes of what is in memory.
#![expect(clippy::cast_possible_truncation)]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sislm_engine::gguf::{Parser, Progress};
use sislm_engine::tokenizer::{self, Builder, Text, Tokenizer, Vocabulary};

/// `../shared/NAME`; says so when there is none.
fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")).join(name);
    if path.exists() {
        return Some(path);
    }
    // Not by a macro, whose output the harness keeps to itself.
    let _ = writeln!(
        io::stderr(),
        "\nskip shared/{name} not beside the repository"
    );
    None
}

/// The vocabulary tables of a file, made with the budget given in each call.
fn tables(file: &[u8], budget: u32) -> Vec<u8> {
    let mut parser = Parser::new(file, file.len() as u64)
        .expect("24 bytes")
        .expect("a header");
    let mut table = vec![0; parser.table_bytes() as usize];
    // The file comes in pieces, as the module reads it.
    let mut known = 24;
    loop {
        match parser
            .run(&file[..known], &mut table, budget)
            .expect("a good header")
        {
            Progress::Done => break,
            Progress::More => {}
            Progress::Short { need } => {
                assert!(need as usize > known);
                known = (need as usize).max(known * 2).min(file.len());
            }
        }
    }
    let keys = parser.keys(file, &table).expect("the table");
    let mut builder = Builder::new(&keys).expect("a known tokenizer");
    let mut tables = vec![0; builder.table_bytes() as usize];
    while builder
        .run(file, &mut tables, budget)
        .expect("a sound vocabulary")
        != tokenizer::Progress::Done
    {}
    tables
}

fn ids(vocabulary: &Vocabulary<'_>, text: &[u8], budget: u32) -> Vec<u32> {
    ids_of(vocabulary, text, budget, true, false)
}

fn ids_of(
    vocabulary: &Vocabulary<'_>,
    text: &[u8],
    budget: u32,
    first: bool,
    control: bool,
) -> Vec<u32> {
    let size = Tokenizer::work_bytes(vocabulary, text.len()).expect("a short text");
    let mut work = vec![0; size as usize];
    let mut machine = Tokenizer::new(first, control);
    while !machine
        .run(vocabulary, Text::plain(text), &mut work, budget)
        .expect("room")
    {}
    let ids = work
        .as_chunks::<4>()
        .0
        .iter()
        .take(machine.count() as usize);
    ids.map(|&cell| u32::from_le_bytes(cell)).collect()
}

fn text(vocabulary: &Vocabulary<'_>, ids: &[u32]) -> Vec<u8> {
    let mut text = vec![];
    let mut piece = [0; tokenizer::TOKEN_BYTES_MAX];
    let mut first = true;
    for &id in ids {
        let length = vocabulary.piece(id, first, &mut piece).expect("room");
        text.extend(&piece[..length]);
        first &= vocabulary.is_control(id);
    }
    text
}

/// The cases `NAME.inp` and `NAME.out` against the vocabulary of a file.
fn run_cases(file: &str, name: &str) {
    let Some(path) = shared(file) else { return };
    let file = fs::read(path).expect("the file");
    let tables = tables(&file, 1000);
    let vocabulary = Vocabulary::view(&tables).expect("finished tables");
    let read = |suffix: &str| {
        let path = shared(&format!("vocab/{name}.{suffix}")).expect("both halves of the cases");
        fs::read_to_string(path).expect("text")
    };
    let (input, output) = (read("inp"), read("out"));
    // The separator follows every input.
    let mut inputs: Vec<&str> = input.split("\n__ggml_vocab_test__\n").collect();
    assert_eq!(inputs.pop(), Some(""));
    let outputs: Vec<&str> = output.lines().collect();
    assert_eq!(inputs.len(), outputs.len());
    assert!(inputs.len() > 40);
    for (input, output) in inputs.iter().zip(outputs) {
        let expected: Vec<u32> = output
            .split_whitespace()
            .map(|id| id.parse().expect("an id"))
            .collect();
        let mut found = ids(&vocabulary, input.as_bytes(), 1000);
        assert_eq!(text(&vocabulary, &found), input.as_bytes());
        assert_eq!(ids(&vocabulary, input.as_bytes(), 1), found);
        if vocabulary.adds_bos() {
            assert_eq!(Some(found.remove(0)), vocabulary.bos());
        }
        assert_eq!(found, expected, "{name}: {input:?}");
    }
}

/// The cases `NAME.json` of a vocabulary: its settings, and ids with and without BOS and control
/// tokens.
fn run_settings(name: &str) {
    let read = |suffix: &str| {
        let path = shared(&format!("vocab/{name}{suffix}")).expect("both halves of the cases");
        fs::read(path).expect("the file")
    };
    let tables = tables(&read(""), 1000);
    let vocabulary = Vocabulary::view(&tables).expect("finished tables");
    let json = String::from_utf8(read(".json")).expect("text");
    let (settings, cases) = json.split_once("\"cases\": [").expect("cases");
    assert!(settings.contains(&format!("\"add_bos\": {}", vocabulary.adds_bos())));
    for (key, id) in [("bos", vocabulary.bos()), ("eos", vocabulary.eos())] {
        let id = id.expect("an id");
        assert!(settings.contains(&format!("\"{key}\": {id},")), "{key}");
    }
    let cases: Vec<&str> = cases.split("\"text\": \"").skip(1).collect();
    assert_eq!(cases.len(), 48);
    for case in cases {
        let (input, rest) = case.split_once('"').expect("a closed text");
        let input = input.replace("\\n", "\n");
        let first = rest.contains("\"add_special\": true");
        let control = rest.contains("\"parse_special\": true");
        let expected = values(rest, "ids", '[', "]")[0];
        let expected: Vec<u32> = expected
            .split(',')
            .filter(|id| !id.trim().is_empty())
            .map(|id| id.trim().parse().expect("an id"))
            .collect();
        let found = ids_of(&vocabulary, input.as_bytes(), 1000, first, control);
        assert_eq!(found, expected, "{name}: {input:?} {first} {control}");
    }
}

#[test]
fn cases_of_pretokenizers() {
    let Some(folder) = shared("vocab") else {
        return;
    };
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("a file").file_name();
        let name = name.to_str().expect("a name");
        let wanted = name.starts_with("tok-") && name.ends_with(".gguf");
        if !wanted {
            continue;
        }
        println!("{name}");
        run_cases(&format!("vocab/{name}"), name);
        run_settings(name);
        seen += 1;
    }
    assert!(seen >= 30, "{seen}");
}

#[test]
fn cases_of_qwen2_and_starcoder() {
    run_cases("vocab/ggml-vocab-qwen2.gguf", "ggml-vocab-qwen2.gguf");
    run_cases(
        "vocab/ggml-vocab-starcoder.gguf",
        "ggml-vocab-starcoder.gguf",
    );
}

#[test]
fn cases_of_gpt_2() {
    run_cases("vocab/ggml-vocab-gpt-2.gguf", "ggml-vocab-gpt-2.gguf");
}

#[test]
fn cases_of_llama_spm() {
    run_cases(
        "vocab/ggml-vocab-llama-spm.gguf",
        "ggml-vocab-llama-spm.gguf",
    );
}

#[test]
fn cases_of_phi_3() {
    run_cases("vocab/ggml-vocab-phi-3.gguf", "ggml-vocab-phi-3.gguf");
}

#[test]
fn cases_of_stories260k() {
    run_cases("models/stories260K-f32.gguf", "stories260K");
}

/// The values of `"KEY": ...` in a reference file, as they stand up to `end`.
fn values<'a>(json: &'a str, key: &str, start: char, end: &str) -> Vec<&'a str> {
    let key = format!("\"{key}\": {start}");
    json.match_indices(&key)
        .map(|(at, key)| {
            let rest = &json[at + key.len()..];
            &rest[..rest.find(end).expect("a closed value")]
        })
        .collect()
}

/// The prompts of the reference outputs beside the models of a folder; gives their number.
fn run_prompts(folder: &Path) -> u32 {
    let mut prompts_seen = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let Ok(json) = fs::read_to_string(path.with_extension("ref.json")) else {
            continue;
        };
        let file = fs::read(&path).expect("the file");
        let tables = tables(&file, 100_000);
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        let prompts = values(&json, "prompt", '"', "\"");
        let expected = values(&json, "prompt_ids", '[', "]");
        assert_eq!(prompts.len(), expected.len());
        for (prompt, expected) in prompts.iter().zip(expected) {
            let ids_of = |list: &str| {
                list.split(',')
                    .map(|id| id.trim().parse().expect("an id"))
                    .collect()
            };
            let expected: Vec<u32> = ids_of(expected);
            let mut found = ids(&vocabulary, prompt.as_bytes(), 1000);
            if prompt.is_empty() && found.is_empty() {
                // The reference needs a token to start from.
                found.extend(vocabulary.bos());
            }
            assert_eq!(found, expected, "{}: {prompt:?}", path.display());
            assert_eq!(text(&vocabulary, &found), prompt.as_bytes());
            prompts_seen += 1;
        }
    }
    prompts_seen
}

#[test]
fn prompts_of_reference_outputs() {
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_models"));
    assert!(run_prompts(here) >= 9);
    let Some(models) = shared("models") else {
        return;
    };
    assert!(run_prompts(&models) >= 60);
}

/// The texts of embeddings beside the models of a folder: their ids, first of a text, with control
/// tokens as text.
#[test]
fn texts_of_reference_embeddings() {
    let Some(folder) = shared("models/kinds") else {
        return;
    };
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let Ok(json) = fs::read_to_string(path.with_extension("embd.json")) else {
            continue;
        };
        let file = fs::read(&path).expect("the file");
        let tables = tables(&file, 1000);
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        let texts = values(&json, "text", '"', "\"");
        let expected = values(&json, "ids", '[', "]");
        assert_eq!(texts.len(), expected.len());
        for (text, expected) in texts.iter().zip(expected) {
            let list = expected.split(',').map(|id| id.trim().parse());
            let expected: Vec<u32> = list.map(|id| id.expect("an id")).collect();
            let text = unescaped(text);
            let found = ids(&vocabulary, text.as_bytes(), 1000);
            assert_eq!(found, expected, "{}: {text:?}", path.display());
            assert_eq!(ids(&vocabulary, text.as_bytes(), 1), found);
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// A text as JSON has it, with `\u` of the basic plane alone.
fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at(4);
        let code = u32::from_str_radix(code, 16).expect("four digits");
        all.push(char::from_u32(code).expect("a character"));
        all.push_str(rest);
    }
    all
}

#[test]
fn lines_for_the_default_model_come_back() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../test_models"));
    let file = fs::read(folder.join("kernel-docs-7m-q4_0.gguf")).expect("the default model");
    let tables = tables(&file, 100_000);
    let vocabulary = Vocabulary::view(&tables).expect("finished tables");
    for lines in [
        "a\nb",
        "\n",
        "\n\n b\n",
        "Locks:\n\n  * mutex\n  * spinlock\n",
        " x\r\n\ty",
    ] {
        let ids = ids(&vocabulary, lines.as_bytes(), 1000);
        assert_eq!(text(&vocabulary, &ids), lines.as_bytes(), "{ids:?}");
    }
}
