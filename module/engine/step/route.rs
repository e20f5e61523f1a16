// SPDX-License-Identifier: GPL-2.0
//! The choice of experts: those with the largest scores, the first of equal ones.

use crate::math::exp::exp;
use crate::model::architecture::ExpertWeights;
use crate::simd::elementwise::sigmoid;
use crate::step::task::Task;

/// Least sum of weights that they are divided by: the smallest normal number of binary16.
const LEAST_SUM: f32 = f32::from_bits(0x3880_0000);

/// A chosen expert.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// The expert.
    pub expert: u32,
    /// What its output is multiplied by.
    pub weight: f32,
}

/// Chooses experts of a row by their `scores`, in descending order of these; the place behind them
/// in `routes` gets the weight of the shared expert, whose score is `shared`.
pub fn run(
    task: &Task<'_>,
    scores: &[f32],
    shared: Option<f32>,
    routes: &mut [Route],
) -> Option<()> {
    let (last, chosen) = routes.split_last_mut()?;
    last.weight = shared.map_or(1.0, sigmoid);
    choose(scores, chosen);
    weigh(
        task.model.shape.architecture.experts?.weights,
        scores,
        chosen,
    );
    let residual = task.model.shape.scales.residual;
    for route in routes {
        route.weight *= residual;
    }
    Some(())
}

/// Puts the largest of `scores` into `chosen`, descending.
fn choose(scores: &[f32], chosen: &mut [Route]) {
    for (expert, score) in (0..).zip(scores) {
        let filled = chosen.iter().take(expert as usize);
        let place = filled
            .take_while(|route| route.weight >= *score || score.is_nan())
            .count();
        let mut next = Route {
            expert,
            weight: *score,
        };
        for route in chosen.get_mut(place..).unwrap_or_default() {
            core::mem::swap(route, &mut next);
        }
    }
}

/// Turns the scores of `chosen` into weights.
fn weigh(weights: ExpertWeights, scores: &[f32], chosen: &mut [Route]) {
    let largest = chosen.first().map_or(0.0, |route| route.weight);
    let total = match weights {
        ExpertWeights::SoftmaxOfUsed => None,
        _ => Some(scores.iter().map(|score| exp(score - largest)).sum::<f32>()),
    };
    let mut sum = 0.0;
    for route in chosen.iter_mut() {
        route.weight = exp(route.weight - largest);
        if let Some(total) = total {
            route.weight /= total;
        }
        sum += route.weight;
    }
    let divisor = match weights {
        ExpertWeights::Softmax => return,
        ExpertWeights::Renormalized if sum < LEAST_SUM => LEAST_SUM,
        ExpertWeights::Renormalized | ExpertWeights::SoftmaxOfUsed => sum,
    };
    for route in chosen {
        route.weight /= divisor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Route = Route {
        expert: 0,
        weight: 0.0,
    };

    #[test]
    fn the_largest_are_chosen_in_order() {
        let mut seed = 1u32;
        for _ in 0..300 {
            let scores: Vec<f32> = (0..9)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    f32::from((seed >> 28) as u8)
                })
                .collect();
            for used in 1..=9 {
                let mut chosen = vec![NONE; used];
                choose(&scores, &mut chosen);
                let mut order: Vec<usize> = (0..9).collect();
                order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
                let experts: Vec<usize> =
                    chosen.iter().map(|route| route.expert as usize).collect();
                assert_eq!(experts, order[..used], "{scores:?}");
            }
        }
    }

    #[test]
    fn weights_are_those_of_the_softmax() {
        let scores = [1.0, 3.0, 2.0, -1.0];
        let all: f64 = scores
            .iter()
            .map(|score: &f32| f64::from(*score).exp())
            .sum();
        let of = |index: usize| f64::from(scores[index]).exp();
        for (weights, divisor) in [
            (ExpertWeights::Softmax, all),
            (ExpertWeights::Renormalized, of(1) + of(2)),
            (ExpertWeights::SoftmaxOfUsed, of(1) + of(2)),
        ] {
            let mut chosen = [NONE; 2];
            choose(&scores, &mut chosen);
            weigh(weights, &scores, &mut chosen);
            for (route, index) in chosen.iter().zip([1, 2]) {
                assert_eq!(route.expert, index as u32);
                assert!((f64::from(route.weight) - of(index) / divisor).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn without_a_number_experts_are_still_different_ones() {
        let mut chosen = [NONE; 3];
        choose(&[f32::NAN; 5], &mut chosen);
        assert_eq!(chosen.map(|route| route.expert), [0, 1, 2]);
    }
}
