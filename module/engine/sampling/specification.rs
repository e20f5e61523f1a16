// SPDX-License-Identifier: GPL-2.0
//! The contract's section on sampling read word by word in binary64, from the papers' equations and
//! with full sorts: what the machine is compared with, token by token and by its distributions.

use super::allowed::Allowed;
use super::candidate::Candidate;
use super::generator::{Carried, Generator};
use super::memory::{Given, Memory};
use super::parameters::Parameters;
use super::sampler::Sampler;
use super::{Fault, Progress};
use crate::abi::{BIAS_BANNED, Bias, MILLION, Samplers, Sampling};

/// Nothing is cut, nothing penalized.
pub(super) const FREE: Sampling = Sampling {
    temperature: MILLION,
    repeat_last: 0,
    ..Sampling::GREEDY
};

/// One draw.
#[derive(Clone)]
pub(super) struct Case<'a> {
    /// How.
    pub sampling: Sampling,
    /// And how.
    pub samplers: Samplers,
    /// What is added.
    pub biases: Vec<Bias>,
    /// What may be drawn.
    pub allowed: Allowed<'a>,
    /// From what.
    pub logits: &'a [f32],
    /// After what.
    pub history: &'a [u32],
}

impl<'a> Case<'a> {
    /// A draw without history, biases and what is off unless asked for.
    pub(super) fn new(sampling: Sampling, logits: &'a [f32]) -> Self {
        Self {
            sampling,
            samplers: Samplers::OFF,
            biases: Vec::new(),
            allowed: Allowed::ALL,
            logits,
            history: &[],
        }
    }

    /// Runs the machine with so much budget in each call.
    pub(super) fn draw(&self, generator: &mut Generator, budget: u32) -> Result<u32, Fault> {
        let mut carried = Carried {
            generator: *generator,
            limit: None,
        };
        let token = self.draw_on(&mut carried, budget);
        *generator = carried.generator;
        token
    }

    /// As [`Case::draw`], going on with what the draw before has left.
    pub(super) fn draw_on(&self, carried: &mut Carried, budget: u32) -> Result<u32, Fault> {
        let given = Given {
            logits: self.logits,
            history: self.history,
            biases: &self.biases,
            breakers: None,
            allowed: self.allowed,
        };
        let mut memory = Memory {
            window: &mut vec![0; self.history.len()],
            matches: &mut vec![0; self.history.len()],
            candidates: &mut vec![Candidate::new(0.0, 0); self.logits.len()],
            text: &mut [],
        };
        let parameters = Parameters::new(&self.sampling, &self.samplers);
        let parameters = parameters.map_err(|_| Fault::Argument)?;
        let mut sampler = Sampler::new(parameters, &given, &mut memory)?;
        while sampler.run(&given, &mut memory, budget, carried)? == Progress::More {}
        Ok(sampler.token())
    }

    /// The logits of the tokens that are neither banned nor left out, after biases, penalties and DRY.
    fn adjusted(&self) -> Vec<(f64, u32)> {
        let m = &self.sampling;
        let mut list = Vec::new();
        for (id, &logit) in (0..).zip(self.logits) {
            let bias = self.biases.iter().find(|bias| bias.id == id);
            let bias = bias.map_or(0, |bias| bias.bias);
            if bias == BIAS_BANNED || !self.allowed.contains(id) {
                continue;
            }
            let mut logit = logit + bias as f32 / 1e6;
            let count = last(self.history, m.repeat_last).iter();
            let count = count.filter(|&&token| token == id).count();
            if count != 0 {
                let repeat = m.repeat_penalty as f32 / 1e6;
                logit = if logit <= 0.0 {
                    logit * repeat
                } else {
                    logit / repeat
                };
                logit -= count as f32 * (m.frequency_penalty as f32 / 1e6)
                    + m.presence_penalty as f32 / 1e6;
            }
            let logit = (f64::from(logit) - self.dry(id)) as f32;
            list.push((f64::from(logit), id));
        }
        list
    }

    /// DRY's penalty of a token: of all places in the window where it stands, the one before which
    /// the window repeats its own end furthest.
    fn dry(&self, id: u32) -> f64 {
        let s = &self.samplers;
        let window = last(self.history, s.dry_last);
        let repeated = |end: usize| {
            let pairs = window[..end].iter().rev().zip(window.iter().rev());
            pairs.take_while(|(one, other)| one == other).count() as u32
        };
        // Before the first nothing is known.
        let longest = (1..window.len())
            .filter(|&place| window[place] == id)
            .map(repeated)
            .max();
        match longest.and_then(|longest| longest.checked_sub(s.dry_allowed_length)) {
            Some(excess) if s.dry_multiplier != 0 => {
                fraction(s.dry_multiplier) * fraction(s.dry_base).powf(f64::from(excess))
            }
            _ => 0.0,
        }
    }

    /// The probabilities of what can be drawn, the most likely first; `xtc` says whether this is one of
    /// XTC's draws, `limit` is mirostat's in bits.
    pub(super) fn probabilities(&self, xtc: bool, limit: f64) -> Vec<(f64, u32)> {
        let (m, s) = (&self.sampling, &self.samplers);
        let mut list = self.adjusted();
        let sigma = deviation(&list);
        list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        if m.temperature == 0 && s.dynatemp_range == 0 {
            return vec![(1.0, list[0].1)];
        }
        if s.top_n_sigma != 0 {
            let least = list[0].0 - fraction(s.top_n_sigma) * sigma;
            list.retain(|x| x.0 >= least);
        }
        if m.top_k != 0 {
            list.truncate(m.top_k as usize);
        }
        if m.typical_p < MILLION {
            list = typical(&list, fraction(m.typical_p));
        }
        if m.top_p < MILLION {
            let p = softmax(&list, 1.0);
            let end = reached(p.iter().copied(), |sum| sum >= fraction(m.top_p));
            list.truncate(end.map_or(list.len(), |end| end + 1));
        }
        let p = softmax(&list, 1.0);
        list = select(&list, |i| p[i] / p[0] >= fraction(m.min_p));
        if xtc {
            let p = softmax(&list, 1.0);
            let likely = p.iter().take_while(|p| **p >= fraction(s.xtc_threshold));
            list.drain(..likely.count().saturating_sub(1));
        }
        let mut temperature = fraction(m.temperature);
        if s.dynatemp_range != 0 {
            let range = fraction(s.dynatemp_range);
            let (low, high) = ((temperature - range).max(0.0), temperature + range);
            let share = match list.len() {
                1 => 0.0,
                count => entropy(&softmax(&list, 1.0)) / (count as f64).ln(),
            };
            let share = share.clamp(0.0, 1.0).powf(fraction(s.dynatemp_exponent));
            temperature = (low + (high - low) * share).max(1e-6);
        }
        let mut p = softmax(&list, temperature);
        if s.mirostat != 0 {
            let kept = p.iter().take_while(|p| -p.log2() <= limit).count();
            list.truncate(kept.max(1));
            p = softmax(&list, temperature);
        }
        p.into_iter().zip(list).map(|(p, x)| (p, x.1)).collect()
    }

    /// The token of a draw, with what it leaves to the next.
    pub(super) fn token(&self, carried: &mut Carried) -> u32 {
        let (m, s) = (&self.sampling, &self.samplers);
        if m.temperature == 0 && s.dynatemp_range == 0 {
            return self.probabilities(false, 0.0)[0].1;
        }
        let generator = &mut carried.generator;
        let xtc = s.xtc_probability != 0 && generator.uniform() < fraction(s.xtc_probability);
        let u = generator.uniform();
        let tau = fraction(s.mirostat_tau);
        let limit = carried.limit.unwrap_or(2.0 * tau);
        let p = self.probabilities(xtc, limit);
        let at = reached(p.iter().map(|x| x.0), |sum| sum > u).unwrap_or(p.len() - 1);
        if s.mirostat != 0 {
            let error = -p[at].0.log2() - tau;
            carried.limit = Some(limit - fraction(s.mirostat_eta) * error);
        }
        p[at].1
    }
}

fn fraction(millionths: u32) -> f64 {
    f64::from(millionths as f32 / 1e6)
}

fn last(history: &[u32], count: u32) -> &[u32] {
    &history[history.len().saturating_sub(count as usize)..]
}

fn softmax(list: &[(f64, u32)], temperature: f64) -> Vec<f64> {
    let weights = list.iter().map(|x| ((x.0 - list[0].0) / temperature).exp());
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|x| x / sum).collect()
}

fn entropy(p: &[f64]) -> f64 {
    let terms = p.iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 });
    terms.sum()
}

/// Standard deviation of the logits.
fn deviation(list: &[(f64, u32)]) -> f64 {
    let mean = list.iter().map(|x| x.0).sum::<f64>() / list.len() as f64;
    let squares = list.iter().map(|x| (x.0 - mean).powi(2)).sum::<f64>();
    (squares / list.len() as f64).sqrt()
}

/// The first place at which the sum so far is enough.
fn reached(values: impl Iterator<Item = f64>, enough: impl Fn(f64) -> bool) -> Option<usize> {
    let mut sum = 0.0;
    let mut values = values;
    values.position(|value| {
        sum += value;
        enough(sum)
    })
}

fn select(list: &[(f64, u32)], keep: impl Fn(usize) -> bool) -> Vec<(f64, u32)> {
    let kept = list.iter().enumerate().filter(|(i, _)| keep(*i));
    kept.map(|(_, x)| *x).collect()
}

fn typical(list: &[(f64, u32)], share: f64) -> Vec<(f64, u32)> {
    let p = softmax(list, 1.0);
    let entropy = entropy(&p);
    let far = |i: usize| (-p[i].ln() - entropy).abs();
    let mut order: Vec<usize> = (0..list.len()).collect();
    order.sort_by(|&a, &b| far(a).total_cmp(&far(b)));
    let end = reached(order.iter().map(|&i| p[i]), |sum| sum >= share);
    order.truncate(end.map_or(list.len(), |end| end + 1));
    order.sort_unstable();
    order.iter().map(|&i| list[i]).collect()
}

/// One of the choices, by the generator.
fn pick(generator: &mut Generator, choices: &[u32]) -> u32 {
    choices[generator.draw() as usize % choices.len()]
}

fn random_sampling(generator: &mut Generator) -> Sampling {
    let mut pick = |choices: &[u32]| pick(generator, choices);
    Sampling {
        temperature: pick(&[0, 1, 300_000, 800_000, 1_000_000, 2_500_000]),
        top_k: pick(&[0, 0, 1, 2, 40, 5000]),
        top_p: pick(&[1, 100_000, 900_000, 1_000_000, 1_000_000]),
        min_p: pick(&[0, 0, 50_000, 300_000, 1_000_000]),
        typical_p: pick(&[1_000_000, 1_000_000, 900_000, 200_000, 1]),
        repeat_penalty: pick(&[1_000_000, 1_100_000, 2_000_000]),
        repeat_last: pick(&[0, 4, 64]),
        presence_penalty: pick(&[0, 500_000]) as i32,
        frequency_penalty: -(pick(&[0, 250_000]) as i32),
        pad: 0,
    }
}

fn random_samplers(generator: &mut Generator) -> Samplers {
    let mut pick = |choices: &[u32]| pick(generator, choices);
    Samplers {
        dry_multiplier: pick(&[0, 0, 800_000, 3_000_000]),
        dry_base: pick(&[1_000_000, 1_750_000]),
        dry_allowed_length: pick(&[0, 1, 2, 3]),
        dry_last: pick(&[0, 5, 64, u32::MAX]),
        top_n_sigma: pick(&[0, 0, 500_000, 1_500_000]),
        xtc_probability: pick(&[0, 0, 500_000, 1_000_000]),
        xtc_threshold: pick(&[0, 50_000, 150_000, 600_000]),
        dynatemp_range: pick(&[0, 0, 500_000, 1_000_000]),
        dynatemp_exponent: pick(&[0, 500_000, 1_000_000, 2_000_000]),
        mirostat: pick(&[0, 0, 2]),
        mirostat_tau: pick(&[500_000, 2_000_000, 5_000_000]),
        mirostat_eta: pick(&[0, 100_000, 1_000_000]),
        ..Samplers::OFF
    }
}

fn random_biases(generator: &mut Generator, vocabulary: usize) -> Vec<Bias> {
    let one = 1 + pick(generator, &[0, 2, 5]);
    let mut biases: Vec<Bias> = (0..vocabulary as u32)
        .map(|id| Bias {
            id,
            bias: pick(
                generator,
                &[0x8000_0000, 0, 2_500_000, -3_000_000i32 as u32],
            ) as i32,
        })
        .collect();
    biases.retain(|_| generator.draw() % 6 < one);
    // Not all may be banned.
    if biases.len() == vocabulary {
        biases.pop();
    }
    biases
}

/// A mask of runs and single tokens, of which one at least can be drawn.
fn random_mask(generator: &mut Generator, biases: &[Bias], vocabulary: usize) -> Vec<u32> {
    let kinds = [0, u32::MAX, 0x0f0f_0ff0];
    let mut mask: Vec<u32> = (0..vocabulary.div_ceil(32))
        .map(|_| pick(generator, &kinds) ^ 1 << (generator.draw() % 32))
        .collect();
    let banned = |id: &u32| {
        let mut biases = biases.iter().filter(|bias| bias.bias == BIAS_BANNED);
        biases.any(|bias| bias.id == *id)
    };
    let free = (0..vocabulary as u32).find(|id| !banned(id)).unwrap();
    mask[free as usize / 32] |= 1 << (free % 32);
    mask
}

/// Compares the machine with this file, one draw after the other of a turn.
fn compare(case: &Case<'_>, seed: u64) {
    let mut theirs = Carried::new(seed);
    let (mut ours, mut slowly) = (theirs, theirs);
    for draw in 0..3 {
        let expected = case.token(&mut theirs);
        let token = case.draw_on(&mut ours, u32::MAX);
        assert_eq!(token, Ok(expected), "seed {seed}, draw {draw}");
        let token = case.draw_on(&mut slowly, 1);
        assert_eq!(token, Ok(expected), "seed {seed}, draw {draw}, budget 1");
        assert_eq!(ours, slowly);
        assert_eq!(ours.generator, theirs.generator, "draws of the generator");
        match (ours.limit, theirs.limit) {
            (Some(ours), Some(theirs)) => {
                assert!((ours - theirs).abs() < 1e-9, "seed {seed}: {ours} {theirs}")
            }
            (ours, theirs) => assert_eq!(ours, theirs),
        }
    }
}

#[test]
fn equals_the_specification() {
    let mut generator = Generator::new(11);
    for round in 0..4000 {
        let vocabulary = 1 + generator.draw() as usize % if round % 20 == 0 { 2000 } else { 60 };
        let sampling = random_sampling(&mut generator);
        let samplers = match round % 2 {
            0 => Samplers::OFF,
            _ => random_samplers(&mut generator),
        };
        let biases = match round % 3 {
            0 => random_biases(&mut generator, vocabulary),
            _ => Vec::new(),
        };
        let logits: Vec<f32> = (0..vocabulary)
            .map(|_| ((generator.uniform() - 0.5) * 16.0) as f32)
            // Ties, where no rounded sum depends on them.
            .map(
                |logit| match (sampling.temperature, samplers.dynatemp_range) {
                    (0, 0) => logit.round(),
                    _ => logit,
                },
            )
            .collect();
        // Few kinds of tokens make many repetitions.
        let kinds = vocabulary.min(if round % 4 == 1 { 3 } else { 5000 }) as u32;
        let history: Vec<u32> = (0..generator.draw() % 100)
            .map(|_| generator.draw() % kinds)
            .collect();
        let mask = random_mask(&mut generator, &biases, vocabulary);
        let case = Case {
            sampling,
            samplers,
            biases,
            allowed: match round % 5 {
                0 => Allowed::new(&mask),
                _ => Allowed::ALL,
            },
            logits: &logits,
            history: &history,
        };
        compare(&case, round);
    }
}

#[test]
fn typical_keeps_the_lowest_ids_of_equals() {
    let kept = |logits: &[f32], typical_p: u32, budget: u32| {
        let sampling = Sampling { typical_p, ..FREE };
        let case = Case::new(sampling, logits);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut generator = Generator::new(seed);
            let token = case.draw(&mut generator, budget).unwrap();
            let expected = case.token(&mut Carried::new(seed));
            assert_eq!(token, expected, "{logits:?}, seed {seed}");
            seen.insert(token);
        }
        seen.into_iter().collect::<Vec<u32>>()
    };
    for budget in [1, u32::MAX] {
        assert_eq!(kept(&[0.0; 4], 500_000, budget), [0, 1]);
        assert_eq!(kept(&[0.0; 7], 200_000, budget), [0, 1]);
        assert_eq!(kept(&[1.0, 1.0, 0.0, -3.0], 300_000, budget), [0]);
        assert_eq!(kept(&[-3.0, 1.0, 0.0, 1.0], 300_000, budget), [1]);
        // Those next to the mean, then part of those above it.
        assert_eq!(
            kept(&[0.0, 3.0, 0.0, 2.5, 2.5, 3.0], 500_000, budget),
            [1, 3, 4]
        );
        assert_eq!(kept(&[2.0, 2.0, 2.0, 1.9], 999_999, budget), [0, 1, 2, 3]);
    }
}
