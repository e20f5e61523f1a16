// SPDX-License-Identifier: GPL-2.0
//! The contract's section on sampling read word by word, with full sorts: what the machine is
//! compared with.

use super::candidate::Candidate;
use super::generator::Generator;
use super::memory::Memory;
use super::parameters::Parameters;
use super::sampler::Sampler;
use super::{Fault, Progress};
use crate::abi::{MILLION, Sampling};

/// Nothing is cut, nothing penalized.
pub const FREE: Sampling = Sampling {
    temperature: MILLION,
    repeat_last: 0,
    ..Sampling::GREEDY
};

/// One draw.
pub struct Case<'a> {
    /// How.
    pub sampling: Sampling,
    /// From what.
    pub logits: &'a [f32],
    /// After what.
    pub history: &'a [u32],
}

impl Case<'_> {
    /// Runs the machine with so much budget in each call.
    pub fn draw(&self, generator: &mut Generator, budget: u32) -> Result<u32, Fault> {
        let mut memory = Memory {
            logits: self.logits,
            window: &mut vec![0; self.history.len()],
            candidates: &mut vec![Candidate::new(0.0, 0); self.logits.len()],
        };
        let parameters = Parameters::new(&self.sampling).map_err(|_| Fault::Argument)?;
        let mut sampler = Sampler::new(parameters, &mut memory, self.history)?;
        while sampler.run(&mut memory, budget, generator)? == Progress::More {}
        Ok(sampler.token())
    }

    /// The section of the contract read word by word, with full sorts.
    fn specification(&self, u: f64) -> u32 {
        let m = &self.sampling;
        let fraction = |x: u32| f64::from(x as f32 / 1e6);
        let mut logits = self.logits.to_vec();
        let window = self.history.len().saturating_sub(m.repeat_last as usize);
        let window = &self.history[window..];
        for (id, logit) in logits.iter_mut().enumerate() {
            let count = window.iter().filter(|&&t| t as usize == id).count();
            if count != 0 {
                let repeat = m.repeat_penalty as f32 / 1e6;
                *logit = if *logit <= 0.0 {
                    *logit * repeat
                } else {
                    *logit / repeat
                };
                *logit -= count as f32 * (m.frequency_penalty as f32 / 1e6)
                    + m.presence_penalty as f32 / 1e6;
            }
        }
        let mut list: Vec<(f64, u32)> = logits
            .iter()
            .enumerate()
            .map(|(id, &l)| (f64::from(l), id as u32))
            .collect();
        list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        if m.temperature == 0 {
            return list[0].1;
        }
        if m.top_k != 0 {
            list.truncate(m.top_k as usize);
        }
        let softmax = |list: &[(f64, u32)], t: f64| -> Vec<f64> {
            let e: Vec<f64> = list.iter().map(|x| ((x.0 - list[0].0) / t).exp()).collect();
            let sum: f64 = e.iter().sum();
            e.iter().map(|x| x / sum).collect()
        };
        if m.typical_p < 1_000_000 {
            let p = softmax(&list, 1.0);
            let entropy: f64 = p
                .iter()
                .map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 })
                .sum();
            let mut order: Vec<usize> = (0..list.len()).collect();
            let far = |i: usize| (-p[i].ln() - entropy).abs();
            order.sort_by(|&a, &b| far(a).total_cmp(&far(b)));
            let mut sum = 0.0;
            let end = order.iter().position(|&i| {
                sum += p[i];
                sum >= fraction(m.typical_p)
            });
            order.truncate(end.map_or(list.len(), |end| end + 1));
            order.sort_unstable();
            list = order.iter().map(|&i| list[i]).collect();
        }
        if m.top_p < 1_000_000 {
            let p = softmax(&list, 1.0);
            let mut sum = 0.0;
            let end = p.iter().position(|p| {
                sum += p;
                sum >= fraction(m.top_p)
            });
            list.truncate(end.map_or(list.len(), |end| end + 1));
        }
        let p = softmax(&list, 1.0);
        list.retain({
            let mut p = p.iter().map(|x| x / p[0]);
            move |_| p.next().unwrap() >= fraction(m.min_p)
        });
        let p = softmax(&list, fraction(m.temperature));
        let mut sum = 0.0;
        let at = p.iter().position(|p| {
            sum += p;
            sum > u
        });
        list[at.unwrap_or(list.len() - 1)].1
    }
}

fn random_sampling(generator: &mut Generator) -> Sampling {
    let mut pick = |choices: &[u32]| choices[generator.draw() as usize % choices.len()];
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

#[test]
fn equals_the_specification() {
    let mut generator = Generator::new(11);
    for round in 0..3000 {
        let vocabulary = 1 + generator.draw() as usize % if round % 20 == 0 { 2000 } else { 60 };
        let sampling = random_sampling(&mut generator);
        let logits: Vec<f32> = (0..vocabulary)
            .map(|_| ((generator.uniform() - 0.5) * 16.0) as f32)
            // Ties, where no rounded sum depends on them.
            .map(|logit| match sampling.temperature {
                0 => logit.round(),
                _ => logit,
            })
            .collect();
        let history: Vec<u32> = (0..generator.draw() % 100)
            .map(|_| generator.draw() % vocabulary as u32)
            .collect();
        let case = Case {
            sampling,
            logits: &logits,
            history: &history,
        };
        let mut ours = Generator::new(round);
        let mut theirs = ours;
        let token = case.draw(&mut ours, u32::MAX).unwrap();
        let u = if case.sampling.temperature == 0 {
            0.0
        } else {
            theirs.uniform()
        };
        assert_eq!(token, case.specification(u), "round {round}");
        assert_eq!(ours, theirs, "one draw, none when greedy");
        let mut again = Generator::new(round);
        assert_eq!(
            case.draw(&mut again, 1),
            Ok(token),
            "budget 1, round {round}"
        );
    }
}

#[test]
fn typical_keeps_the_lowest_ids_of_equals() {
    let kept = |logits: &[f32], typical_p: u32, budget: u32| {
        let case = Case {
            sampling: Sampling { typical_p, ..FREE },
            logits,
            history: &[],
        };
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut generator = Generator::new(seed);
            let u = Generator::new(seed).uniform();
            let token = case.draw(&mut generator, budget).unwrap();
            assert_eq!(token, case.specification(u), "{logits:?}, seed {seed}");
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
