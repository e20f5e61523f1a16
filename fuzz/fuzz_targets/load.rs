// SPDX-License-Identifier: GPL-2.0
//! A file, loaded twice: with little work a call and small segments, and with all at once. Both refuse
//! it for the same reason, or give models that say and compute the same.

#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use sislm_fuzz::wall::Model;
use sislm_fuzz::{Random, load, outputs};

/// Most elements of a context's keys and values: larger ones only take time.
const CONTEXT_MAX: u64 = 1 << 24;

/// What a model says of itself, of a text, and of three tokens.
fn exercise(model: &Model, seed: u64, budget: u32) -> String {
    let (facts, mut random) = (&model.facts, Random::new(seed));
    assert!(facts.vocabulary > 0 && facts.context > 0);
    let mut said = format!(
        "{:?}",
        (
            (
                facts.architecture,
                facts.layers,
                facts.embedding,
                facts.heads,
                facts.kv_heads
            ),
            (
                facts.head_size,
                facts.feed_forward,
                facts.vocabulary,
                facts.context,
                facts.parameters
            ),
            (
                facts.tokenizer,
                facts.bos,
                facts.eos,
                facts.title,
                model.digest
            ),
        )
    );
    let text: Vec<u8> = (0..random.below(40))
        .map(|_| b"Hello, it's \xc3\xa9\xff <s>\n12"[random.below(21) as usize])
        .collect();
    for control in [false, true] {
        let ids = model.tokenize(&text, true, control, budget).expect("ids");
        for &id in &ids {
            assert!(id < facts.vocabulary);
            let piece = model.detokenize(id, false).expect("the text of an id");
            write!(said, "{id} {piece:?}").expect("memory");
        }
    }
    if u64::from(facts.context) * u64::from(facts.layers) > CONTEXT_MAX {
        return said;
    }
    let ids: Vec<u32> = (0..facts.context.min(3))
        .map(|_| random.below(facts.vocabulary))
        .collect();
    for kv_type in [0, 1] {
        let together = outputs(model, &ids, kv_type, true);
        assert_eq!(
            together,
            outputs(model, &ids, kv_type, false),
            "alone and together"
        );
        said += &together;
    }
    said
}

fuzz_target!(|data: &[u8]| {
    let small = load(data, 1 + data.len() as u32 % 64, 64 << 10);
    let large = load(data, 1 << 20, 32 << 20);
    match (small, large) {
        (Ok(small), Ok(large)) => {
            let seed = data.len() as u64;
            assert_eq!(exercise(&small, seed, 1), exercise(&large, seed, 1 << 20));
        }
        (Err(small), Err(large)) => assert_eq!(format!("{small:#}"), format!("{large:#}")),
        (small, large) => panic!("{:?} but {:?}", small.err(), large.err()),
    }
});
