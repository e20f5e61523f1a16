// SPDX-License-Identifier: GPL-2.0
//! The malformed files of test_models/malformed, each with the refusal it must meet.
//!
//! Only what the header and the vocabulary show is looked at here: defects of the model's shape and
//! of its weights must pass.

use std::fs;
use std::path::PathBuf;

use sislm_engine::gguf::{Parser, Progress, Refusal};
use sislm_engine::tokenizer::{self, Builder};

/// Parses the header and builds the vocabulary.
fn read(file: &[u8]) -> Result<(), Refusal> {
    let mut parser = Parser::new(file, file.len() as u64).expect("a whole file")?;
    let mut table = vec![0; parser.table_bytes() as usize];
    while parser.run(file, &mut table, 100)? != Progress::Done {}
    let mut builder = Builder::new(parser.metadata(), file)?;
    let mut tables = vec![0; builder.table_bytes() as usize];
    while builder.run(file, &mut tables, 100)? != tokenizer::Progress::Done {}
    Ok(())
}

/// The reason as the UAPI header names it: `TensorShape` is `TENSOR_SHAPE`.
fn name(refusal: &Refusal) -> String {
    let mut name = String::new();
    for letter in format!("{:?}", refusal.reason).chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[test]
fn defects_are_refused_for_their_reason() {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test_models/malformed"
    ));
    let reasons = fs::read_to_string(folder.join("REASONS")).expect("the list of files");
    let mut refused = 0;
    for line in reasons.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [file, reasons, subject] = fields[..] else {
            panic!("{line}")
        };
        let bytes = fs::read(folder.join(format!("{file}.gguf"))).expect("the file");
        let Err(refusal) = read(&bytes) else {
            let headers = [
                "NOT_GGUF",
                "VERSION",
                "COUNT",
                "VOCABULARY",
                "TOKENIZER",
                "KEY_TYPE",
            ];
            assert!(!headers.contains(&reasons), "{file} passed");
            continue;
        };
        refused += 1;
        assert!(
            reasons.split(',').any(|reason| reason == name(&refusal)),
            "{file}: {refusal:?}"
        );
        if subject != "-" {
            let end = refusal
                .subject
                .iter()
                .position(|&byte| byte == 0)
                .expect("a NUL");
            let found = String::from_utf8_lossy(&refusal.subject[..end]);
            assert_eq!(found, subject, "{file}");
        }
    }
    assert!(refused >= 60, "{refused}");
}
