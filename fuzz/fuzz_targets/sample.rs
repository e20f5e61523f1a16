// SPDX-License-Identifier: GPL-2.0
//! Any logits, parameters and history: a token of the vocabulary or an error, the same with any amount
//! of work a call, and never a token of logits that are not finite.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sislm_engine::abi::{BIAS_BANNED, Bias, Samplers, Sampling};
use sislm_fuzz::wall::{Drawing, Sampler};
use sislm_fuzz::{Random, models};

/// Values at the edges of f32.
const EDGES: [f32; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::MIN_POSITIVE,
    1e-45,
    f32::MAX,
    f32::MIN,
    88.0,
    -104.0,
    f32::INFINITY,
    f32::NAN,
];
/// Bytes of an input before the logits.
const HEAD: usize = 112;

fuzz_target!(init: { models(); }, |data: &[u8]| {
    let Some((head, rest)) = data.split_first_chunk::<HEAD>() else {
        return;
    };
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    // Half of the inputs keep near the ranges of the parameters.
    let near = |at: usize, most: u32| {
        if head[0] & 1 == 0 {
            word(at) % (most + 2)
        } else {
            word(at)
        }
    };
    let sampling = Sampling {
        temperature: near(4, 100_000_000),
        top_k: near(8, 300),
        top_p: near(12, 1_000_000),
        min_p: near(16, 1_000_000),
        typical_p: near(20, 1_000_000),
        repeat_penalty: near(24, 100_000_000),
        repeat_last: near(28, 100),
        presence_penalty: near(32, 100_000_000) as i32,
        frequency_penalty: near(36, 100_000_000) as i32,
        pad: 0,
    };
    let mut samplers = Samplers {
        dry_multiplier: near(44, 100_000_000),
        dry_base: near(48, 100_000_000),
        dry_allowed_length: near(52, 4),
        dry_last: near(56, 100),
        top_n_sigma: near(60, 100_000_000),
        xtc_probability: near(64, 1_000_000),
        xtc_threshold: near(68, 1_000_000),
        dynatemp_range: near(72, 100_000_000),
        dynatemp_exponent: near(76, 100_000_000),
        mirostat: near(80, 2),
        mirostat_tau: near(84, 100_000_000),
        mirostat_eta: near(88, 100_000_000),
        breaker_count: near(92, 1),
        ..Samplers::OFF
    };
    let breaker = head[100..].iter().filter(|byte| **byte != 0);
    for (to, byte) in samplers.breaker[0].iter_mut().zip(breaker) {
        (*to, samplers.breaker_length[0]) = (*byte, samplers.breaker_length[0] + 1);
    }
    if samplers.breaker_count == 0 {
        (samplers.breaker[0], samplers.breaker_length[0]) = ([0; 32], 0);
    }
    let model = &models()[usize::from(head[1]) % models().len()];
    let mut random = Random::new(u64::from(word(40)));
    let logits: Vec<f32> = (0..model.facts.vocabulary as usize)
        .map(|at| match (head[2] % 3, rest.get(at % rest.len().max(1))) {
            (0, Some(&edge)) => EDGES[usize::from(edge) % EDGES.len()],
            (1, Some(&byte)) => f32::from(byte) / 8.0 - 16.0,
            _ => f32::from_bits(random.number() as u32),
        })
        .collect();
    let history: Vec<u32> = (0..u32::from(head[3]).min(model.facts.context))
        .map(|_| random.below(model.facts.vocabulary))
        .collect();
    let mut biases = Vec::new();
    for id in 0..model.facts.vocabulary {
        if random.below(256) < u32::from(head[96]) {
            let bias = match random.below(3) {
                0 => BIAS_BANNED,
                _ => random.number() as i32 % 100_000_001,
            };
            biases.push(Bias { id, bias });
        }
    }
    let drawing = Drawing {
        sampling,
        samplers,
        biases,
    };
    let banned = |id| {
        drawing
            .biases
            .iter()
            .any(|one| (one.id, one.bias) == (id, BIAS_BANNED))
    };
    let run = |budget| {
        let mut sampler = Sampler::new(model, 7, budget).expect("a sampler");
        let token = sampler.sample(&logits, &drawing, &history);
        let again = sampler.sample(&logits, &drawing, &history);
        let score = sampler.score(&logits, history.first().copied(), 20);
        let score = score.map(|(p, top)| {
            (
                p,
                top.iter()
                    .map(|one| (one.id, one.log_probability))
                    .collect::<Vec<_>>(),
            )
        });
        (token, again, score)
    };
    let (token, again, score) = run(1 << 24);
    for budget in [1, 13] {
        let other = run(budget);
        assert_eq!(
            format!("{other:?}"),
            format!("{:?}", (&token, &again, &score))
        );
    }
    if let Ok(token) = token {
        assert!(token < model.facts.vocabulary && !banned(token));
        assert!(logits.iter().all(|logit| logit.is_finite()));
    }
    if let Ok((log_probability, top)) = score {
        assert!(log_probability <= 0 && top.is_sorted_by(|a, b| a.1 >= b.1));
    }
});
