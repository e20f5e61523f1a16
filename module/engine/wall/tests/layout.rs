// SPDX-License-Identifier: GPL-2.0
//! Neither the layout of a model in memory nor the company of a row changes a bit of its logits.

use super::file;
use super::load::Model;
use super::load::load;
use super::load::load_in;
use super::load::segment_sizes;
use super::step::Sequence;
use super::step::Step;
use crate::abi::ROW_LOGITS;
use crate::abi::Row;

/// Bits of logits.
fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|value| value.to_bits()).collect()
}

/// Models of test_models that are run by the tests of numbers.
const MODELS: [&str; 4] = [
    "random-llama-q4_0.gguf",
    "random-llama-f16.gguf",
    "random-llama-q4_k.gguf",
    "random-gpt2-q8_0.gguf",
];

/// Tokens of a sequence that touches the whole vocabulary.
pub(super) fn tokens(model: &Model, count: u32) -> Vec<u32> {
    (0..count)
        .map(|i| (i * i * 31 + 7) % model.facts.vocabulary)
        .collect()
}

/// Bits of all logits, computed alone and row by row in one large segment, with keys and values of type `kv_type`.
fn alone(file: &[u8], count: u32, kv_type: u32) -> Vec<Vec<u32>> {
    let model = load(file, 1000, 1024).expect("a sound file");
    let step = Step::new(&model, 1);
    let sequence = step.sequence(count, kv_type);
    let mut all = Vec::new();
    for (position, token) in (0..).zip(tokens(&model, count)) {
        let row = sequence.row(position, token, ROW_LOGITS);
        let result = step.run(&[row]).remove(0);
        all.push(bits(&result.expect("finite").expect("logits")));
    }
    all
}

#[test]
fn company_and_cuts_change_no_bit() {
    for (name, kv_type) in MODELS.iter().flat_map(|name| [(name, 0), (name, 2)]) {
        let expected = alone(&file(name), 40, kv_type);
        for segment in segment_sizes(&file(name)) {
            let model = load_in(&file(name), 1000, 1024, segment).expect("a sound file");
            let step = Step::new(&model, 1);
            // In one batch with sequences of the other types before.
            let [other, scaled] = [1, 2 - kv_type].map(|kv_type| step.sequence(40, kv_type));
            let wide = step.sequence(40, kv_type);
            let mut rows = vec![scaled.row(0, 5, 0), other.row(0, 6, ROW_LOGITS)];
            let tokens = tokens(&model, 40);
            rows.extend((0..).zip(&tokens).map(|(position, token)| {
                let wanted = [0, 13, 39].contains(&position);
                wide.row(position, *token, if wanted { ROW_LOGITS } else { 0 })
            }));
            let results = step.run(&rows);
            for (index, expected) in expected.iter().enumerate() {
                let found = results[index + 2].clone().expect("finite");
                assert_eq!(found.is_some(), [0, 13, 39].contains(&index));
                if let Some(found) = found {
                    assert_eq!(bits(&found), *expected, "{name}, row {index}, {segment}");
                }
            }
            assert!(results[1].clone().expect("finite").is_some());
        }
    }
}

/// Runs the same tokens in `sequences` sequences, with up to `rows` rows of each in a pass. Sequence s
/// is delayed by s passes, so that their rows are of different positions.
fn in_company(
    model: &Model,
    kv_type: u32,
    (sequences, rows): (u32, u32),
    expected: &[Vec<u32>],
    name: &str,
) {
    let step = Step::new(model, kv_type);
    let count = expected.len() as u32;
    let tokens = tokens(model, count);
    let all: Vec<Sequence> = (0..sequences)
        .map(|_| step.sequence(count, kv_type))
        .collect();
    let mut done = vec![0; all.len()];
    for pass in 0.. {
        let mut batch = Vec::new();
        for (index, sequence) in all.iter().enumerate().take(pass + 1) {
            let last = (done[index] + rows).min(count);
            for position in done[index]..last {
                let logits = position + 1 == last;
                let flags = if logits { ROW_LOGITS } else { 0 };
                let row = sequence.row(position, tokens[position as usize], flags);
                batch.push((row, logits.then_some(position)));
            }
            done[index] = last;
        }
        if batch.is_empty() {
            break;
        }
        let rows: Vec<Row> = batch.iter().map(|(row, _)| *row).collect();
        for (result, (_, position)) in step.run(&rows).into_iter().zip(&batch) {
            let logits = result.expect("finite");
            let position = position.map(|position| &expected[position as usize]);
            assert_eq!(
                logits.map(|logits| bits(&logits)).as_ref(),
                position,
                "{name}"
            );
        }
    }
    assert_eq!(done, vec![count; all.len()]);
}

#[test]
fn every_layout_and_company_gives_the_same_bits() {
    const COMPANY: [(u32, u32); 7] = [(1, 2), (1, 3), (1, 8), (2, 1), (8, 1), (3, 5), (8, 8)];
    for name in MODELS {
        let expected = alone(&file(name), 21, 0);
        let scaled = alone(&file(name), 21, 2);
        for (turn, segment) in segment_sizes(&file(name)).into_iter().enumerate() {
            let model = load_in(&file(name), 1000, 1024, segment).expect("a sound file");
            for (index, company) in COMPANY.into_iter().enumerate() {
                let (sequences, rows) = company;
                let what = format!("{name}, {segment}: {sequences} sequences of {rows} rows");
                in_company(&model, 0, company, &expected, &what);
                if turn == 0 || index == turn {
                    in_company(&model, 2, company, &scaled, &what);
                }
            }
        }
    }
}
