// SPDX-License-Identifier: GPL-2.0
//! What the machine draws, often, against the probabilities of the specification: Pearson's
//! chi-square test with fixed seeds.

use super::generator::{Carried, Generator};
use super::specification::{Case, FREE};
use crate::abi::{BIAS_BANNED, Bias, MILLION, Samplers, Sampling};

/// Draws of one test.
const DRAWS: u32 = 10_000;

/// The value that chi-square exceeds in one of 10,000 tests (Wilson and Hilferty 1931).
fn critical(freedom: f64) -> f64 {
    let ninth = 2.0 / (9.0 * freedom);
    freedom * (1.0 - ninth + 3.719 * ninth.sqrt()).powi(3)
}

/// What is expected, by id, over draws with XTC and without.
fn expected(case: &Case<'_>) -> Vec<f64> {
    let share = f64::from(case.samplers.xtc_probability) / f64::from(MILLION);
    let limit = 2.0 * f64::from(case.samplers.mirostat_tau) / f64::from(MILLION);
    let mut expected = vec![0.0; case.logits.len()];
    for (xtc, share) in [(true, share), (false, 1.0 - share)] {
        for (p, id) in case.probabilities(xtc, limit) {
            expected[id as usize] += p * share;
        }
    }
    expected
}

/// Whether the counts are what these probabilities give.
fn fit(counts: &[u32], probabilities: &[f64]) -> bool {
    let (mut sum, mut classes) = (0.0, 0.0);
    // Rare tokens are counted together: the test wants five of each class.
    let mut rare = (0.0, 0.0);
    let mut add = |count: f64, expected: f64| {
        sum += (count - expected).powi(2) / expected;
        classes += 1.0;
    };
    for (&count, &p) in counts.iter().zip(probabilities) {
        let (count, expected) = (f64::from(count), p * f64::from(DRAWS));
        if expected == 0.0 && count != 0.0 {
            return false;
        }
        if expected >= 5.0 {
            add(count, expected);
        } else {
            rare = (rare.0 + count, rare.1 + expected);
        }
    }
    if rare.1 >= 5.0 {
        add(rare.0, rare.1);
    }
    classes < 2.0 || sum <= critical(classes - 1.0)
}

/// Draws with one generator; mirostat begins anew each time, so that the draws are independent.
fn counts(case: &Case<'_>, seed: u64) -> Vec<u32> {
    let mut generator = Generator::new(seed);
    let mut counts = vec![0; case.logits.len()];
    for _ in 0..DRAWS {
        counts[case.draw(&mut generator, 4096).unwrap() as usize] += 1;
    }
    counts
}

/// 40 logits about as far apart as a model's likeliest.
fn logits() -> Vec<f32> {
    let mut generator = Generator::new(77);
    (0..40)
        .map(|_| (0..6).map(|_| generator.uniform() as f32).sum::<f32>() * 2.5)
        .collect()
}

/// What tells a case from a free draw.
type Change = fn(&mut Case<'_>);

const CHANGES: [(&str, Change); 16] = [
    ("free", |_| ()),
    ("temperature", |c| c.sampling.temperature = 600_000),
    ("top-k", |c| c.sampling.top_k = 7),
    ("top-p", |c| c.sampling.top_p = 700_000),
    ("min-p", |c| c.sampling.min_p = 100_000),
    ("typical", |c| c.sampling.typical_p = 500_000),
    ("repetition", |c| {
        (c.sampling.repeat_penalty, c.sampling.repeat_last) = (1_300_000, 64);
        c.sampling.presence_penalty = 200_000;
        c.sampling.frequency_penalty = 150_000;
    }),
    ("biases", |c| {
        let bias = |id, bias| Bias { id, bias };
        c.biases = vec![bias(0, 1_500_000), bias(3, BIAS_BANNED), bias(9, -700_000)];
    }),
    ("dry", |c| {
        c.samplers.dry_multiplier = 800_000;
        c.samplers.dry_base = 1_750_000;
        (c.samplers.dry_allowed_length, c.samplers.dry_last) = (1, u32::MAX);
    }),
    ("top-n-sigma", |c| c.samplers.top_n_sigma = 1_200_000),
    ("xtc", |c| {
        (c.samplers.xtc_probability, c.samplers.xtc_threshold) = (500_000, 60_000);
    }),
    ("xtc always", |c| {
        (c.samplers.xtc_probability, c.samplers.xtc_threshold) = (1_000_000, 60_000);
    }),
    ("dynamic temperature", |c| {
        (c.samplers.dynatemp_range, c.samplers.dynatemp_exponent) = (500_000, 1_500_000);
    }),
    ("dynamic temperature from 0", |c| {
        c.sampling.temperature = 0;
        (c.samplers.dynatemp_range, c.samplers.dynatemp_exponent) = (900_000, 1_000_000);
    }),
    ("mirostat", |c| {
        (c.samplers.mirostat, c.samplers.mirostat_tau) = (2, 2_000_000);
    }),
    ("all", |c| {
        c.sampling = Sampling {
            temperature: 1_300_000,
            top_k: 30,
            top_p: 950_000,
            min_p: 20_000,
            typical_p: 950_000,
            repeat_penalty: 1_100_000,
            repeat_last: 64,
            presence_penalty: 100_000,
            frequency_penalty: -50_000,
            pad: 0,
        };
        c.samplers = Samplers {
            dry_multiplier: 500_000,
            dry_base: 1_500_000,
            dry_allowed_length: 1,
            dry_last: 20,
            top_n_sigma: 2_500_000,
            xtc_probability: 300_000,
            xtc_threshold: 100_000,
            dynatemp_range: 400_000,
            dynatemp_exponent: 1_000_000,
            mirostat: 2,
            mirostat_tau: 2_200_000,
            ..Samplers::OFF
        };
        c.biases = vec![Bias {
            id: 1,
            bias: 900_000,
        }];
    }),
];

#[test]
fn draws_have_the_probabilities_of_the_specification() {
    let logits = logits();
    // Ends with 5 6, which stood before 7 and, longer, before 8.
    let history = [1, 2, 5, 6, 7, 3, 4, 5, 6, 8, 9, 3, 4, 5, 6];
    let free = Case::new(FREE, &logits);
    let freely = expected(&free);
    for (seed, (name, change)) in (100..).zip(CHANGES) {
        let mut case = Case {
            history: &history,
            ..free.clone()
        };
        change(&mut case);
        let (counts, expected) = (counts(&case, seed), expected(&case));
        assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{name}");
        assert!(fit(&counts, &expected), "{name}: {counts:?} {expected:?}");
        // The test tells this way of drawing from none at all.
        assert_eq!(fit(&counts, &freely), name == "free", "{name}");
    }
}

#[test]
fn a_wrong_temperature_does_not_fit() {
    let logits = logits();
    let warm = Sampling {
        temperature: 1_050_000,
        ..FREE
    };
    let counts = counts(&Case::new(warm, &logits), 7);
    assert!(fit(&counts, &expected(&Case::new(warm, &logits))));
    assert!(!fit(&counts, &expected(&Case::new(FREE, &logits))));
}

#[test]
fn mirostat_finds_its_target() {
    let mut generator = Generator::new(5);
    let logits: Vec<f32> = (0..400)
        .map(|_| (0..6).map(|_| generator.uniform() as f32).sum::<f32>() * 3.0)
        .collect();
    for tau in [2_000_000, 4_000_000] {
        let mut case = Case::new(FREE, &logits);
        case.samplers = Samplers {
            mirostat: 2,
            mirostat_tau: tau,
            mirostat_eta: 100_000,
            ..Samplers::OFF
        };
        let mut carried = Carried::new(9);
        let mut surprise = 0.0;
        for _ in 0..DRAWS / 10 {
            let limit = carried.limit.unwrap_or(2.0 * f64::from(tau) / 1e6);
            let token = case.draw_on(&mut carried, 4096).unwrap();
            let p = case.probabilities(false, limit);
            let drawn = p.iter().find(|x| x.1 == token).expect("a token left");
            surprise -= drawn.0.log2() / f64::from(DRAWS / 10);
        }
        assert!(
            (surprise - f64::from(tau) / 1e6).abs() < 0.05,
            "{tau}: {surprise}"
        );
    }
}
