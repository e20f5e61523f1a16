// SPDX-License-Identifier: GPL-2.0
//! How far logits are from exact ones when keys and values are stored as scaled integers.

use super::file;
use super::layout::tokens;
use super::load::Model;
use super::load::load;
use super::step::Step;
use crate::abi::ROW_LOGITS;

/// All logits of a sequence whose keys and values have type `kv_type`.
fn logits(model: &Model, kv_type: u32) -> Vec<f32> {
    let step = Step::new(model, kv_type);
    let tokens = tokens(model, 60);
    let sequence = step.sequence(60, kv_type);
    let mut all = Vec::new();
    for (position, token) in (0..).zip(tokens) {
        let result = step.run(&[sequence.row(position, token, ROW_LOGITS)]);
        all.extend(result[0].clone().expect("finite").expect("logits"));
    }
    all
}

/// The root of the mean square.
fn size(values: impl ExactSizeIterator<Item = f32>) -> f64 {
    let count = values.len() as f64;
    (values.map(|x| f64::from(x).powi(2)).sum::<f64>() / count).sqrt()
}

#[test]
fn logits_of_scaled_integers_are_near_those_of_f32() {
    for (name, most) in [
        ("random-llama-f16.gguf", 0.03),
        ("random-llama-q4_k.gguf", 0.03),
        ("random-gpt2-q8_0.gguf", 0.03),
    ] {
        let model = load(&file(name), 1000, 1024).expect("a sound file");
        let exact = logits(&model, 1);
        let off = |kv_type| {
            let found = logits(&model, kv_type);
            let errors = found.iter().zip(&exact).map(|(a, b)| a - b);
            size(errors) / size(exact.iter().copied())
        };
        let (half, scaled) = (off(0), off(2));
        assert!(
            half < scaled && scaled < most,
            "{name}: {scaled}, {half} of binary16"
        );
    }
}
