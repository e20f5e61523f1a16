// SPDX-License-Identifier: GPL-2.0
//! The choice of experts: those with the largest scores, the first of equal ones.

use crate::math::exp::exp;
use crate::model::Part;
use crate::model::architecture::ExpertWeights;
use crate::model::experts::GROUPS_MAX;
use crate::model::experts::Told;
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

/// No expert.
const NONE: Route = Route {
    expert: 0,
    weight: 0.0,
};

/// Chooses experts of a row of `layer` by their `scores`, in descending order of these; the place behind them
/// in `routes` gets the weight of the shared expert, whose score is `shared`.
pub fn run(
    task: &Task<'_>,
    layer: u32,
    scores: &mut [f32],
    shared: Option<f32>,
    routes: &mut [Route],
) -> Option<()> {
    let (last, chosen) = routes.split_last_mut()?;
    last.weight = shared.map_or(1.0, sigmoid);
    match task.model.shape.architecture.experts?.weights {
        ExpertWeights::Told => {
            let bias = task.layer(layer)?.vector(Part::RouterChoice);
            let told = &task.model.shape.experts.told;
            choose_as_told(told, bias.values(task.arena), scores, chosen)?;
        }
        weights => {
            choose(scores.iter().copied(), chosen);
            weigh(weights, scores, chosen);
        }
    }
    let residual = task.model.shape.scales.residual;
    for route in routes {
        route.weight *= residual;
    }
    Some(())
}

/// Puts the largest of `scores` into `chosen`, descending.
#[inline(always)]
fn choose(scores: impl Iterator<Item = f32>, chosen: &mut [Route]) {
    for (expert, score) in (0..).zip(scores) {
        let filled = chosen.iter().take(expert as usize);
        let place = filled
            .take_while(|route| route.weight >= score || score.is_nan())
            .count();
        let mut next = Route {
            expert,
            weight: score,
        };
        for route in chosen.get_mut(place..).unwrap_or_default() {
            core::mem::swap(route, &mut next);
        }
    }
}

/// Chooses and weighs as keys say. `scores` become what the router gives; `bias` counts for the choice
/// alone.
#[inline(never)]
fn choose_as_told(
    told: &Told,
    bias: Option<&[f32]>,
    scores: &mut [f32],
    chosen: &mut [Route],
) -> Option<()> {
    if told.sigmoid {
        scores.iter_mut().for_each(|score| *score = sigmoid(*score));
    } else {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, max);
        scores
            .iter_mut()
            .for_each(|score| *score = exp(*score - largest));
        let total = scores.iter().sum::<f32>();
        scores.iter_mut().for_each(|score| *score /= total);
    }
    let given = &*scores;
    let wanted = |expert: usize| {
        let bias = bias.and_then(|bias| bias.get(expert)).copied();
        given.get(expert).copied().unwrap_or(f32::NAN) + bias.unwrap_or(0.0)
    };
    let each = given.len().checked_div(told.groups as usize)?;
    let mut groups = [NONE; GROUPS_MAX as usize];
    let groups = groups.get_mut(..told.groups_used as usize)?;
    // A group is as good as its two best.
    let group_score = |group: usize| {
        let mut best = [NONE; 2];
        choose((group * each..).take(each).map(wanted), &mut best);
        match best {
            [one, _] if each == 1 => one.weight,
            [one, other] => one.weight + other.weight,
        }
    };
    choose((0..told.groups as usize).map(group_score), groups);
    let in_group = |expert: usize| {
        let group = expert.checked_div(each).unwrap_or(0);
        groups.iter().any(|route| route.expert as usize == group)
    };
    let allowed = |expert: usize| match in_group(expert) {
        true => wanted(expert),
        false => f32::NEG_INFINITY,
    };
    choose((0..given.len()).map(allowed), chosen);
    let mut sum = 0.0;
    for route in chosen.iter_mut() {
        route.weight = *given.get(route.expert as usize)?;
        sum += route.weight;
    }
    let divisor = match told.normalized {
        true => max(LEAST_SUM, sum),
        false => 1.0,
    };
    for route in chosen {
        route.weight = route.weight / divisor * told.scale;
    }
    Some(())
}

/// The larger of two; `a` when `b` is no number.
fn max(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
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
        ExpertWeights::Softmax | ExpertWeights::Told => return,
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
                choose(scores.iter().copied(), &mut chosen);
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
            choose(scores.iter().copied(), &mut chosen);
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
        choose([f32::NAN; 5].into_iter(), &mut chosen);
        assert_eq!(chosen.map(|route| route.expert), [0, 1, 2]);
    }

    #[test]
    fn keys_say_how_experts_are_chosen_and_weighed() {
        // Groups of two: the second is the best with the bias, the third without.
        let scores = [0.5f32, -1.0, 0.25, 0.0, 1.0, 0.75];
        let bias = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let of = |sigmoid, normalized, groups, groups_used, bias: Option<&[f32]>| {
            let told = Told {
                sigmoid,
                normalized,
                scale: 2.0,
                groups,
                groups_used,
            };
            let (mut scores, mut chosen) = (scores, [NONE; 2]);
            choose_as_told(&told, bias, &mut scores, &mut chosen).expect("a choice");
            chosen
        };
        let near = |found: [Route; 2], experts: [u32; 2], weights: [f64; 2]| {
            for (route, (expert, weight)) in found.iter().zip(experts.iter().zip(weights)) {
                assert_eq!(route.expert, *expert);
                assert!((f64::from(route.weight) - 2.0 * weight).abs() < 1e-6);
            }
        };
        let exps = scores.map(|score| f64::from(score).exp());
        let all: f64 = exps.iter().sum();
        let sigmoids = exps.map(|exp| exp / (1.0 + exp));
        near(
            of(false, false, 1, 1, None),
            [4, 5],
            [exps[4] / all, exps[5] / all],
        );
        near(
            of(true, false, 1, 1, Some(&bias)),
            [2, 4],
            [sigmoids[2], sigmoids[4]],
        );
        let both = sigmoids[2] + sigmoids[3];
        near(
            of(true, true, 3, 1, Some(&bias)),
            [2, 3],
            [sigmoids[2] / both, sigmoids[3] / both],
        );
        near(
            of(true, false, 3, 1, None),
            [4, 5],
            [sigmoids[4], sigmoids[5]],
        );
    }
}
