// SPDX-License-Identifier: GPL-2.0
//! Normalisation of a row: RMSNorm (Zhang and Sennrich, 2019) and LayerNorm (Ba, Kiros and Hinton,
//! 2016).
//!
//! Sums run in 16 lanes, lane j over k = j mod 16 ascending, then as a tree: +8, +4, +2, +1.

use crate::math::fma::{fma, sqrt};

const LANES: usize = 16;

/// `out` = x / sqrt(mean(x^2) + `epsilon`) * `weight`; `None` unless `out` is as long as `x` and
/// `weight` at least so long.
pub fn rms(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) -> Option<()> {
    let weight = weight.get(..x.len()).filter(|_| out.len() == x.len())?;
    let square = |sum, x| fma(x, x, sum);
    let mean = sum(x, square) / x.len() as f32;
    let r = 1.0 / sqrt(mean + epsilon);
    for (out, (x, weight)) in out.iter_mut().zip(x.iter().zip(weight)) {
        *out = x * r * weight;
    }
    Some(())
}

/// [`rms`] without a weight, in place.
pub fn rms_without_weight(x: &mut [f32], epsilon: f32) {
    let mean = sum(x, |sum, x| fma(x, x, sum)) / x.len() as f32;
    let r = 1.0 / sqrt(mean + epsilon);
    for x in x {
        *x *= r;
    }
}

/// `out` = x / sqrt(sum(x^2) + `epsilon`); `None` unless `out` is as long as `x`.
pub fn unit(x: &[f32], epsilon: f32, out: &mut [f32]) -> Option<()> {
    if out.len() != x.len() {
        return None;
    }
    let square = sum(x, |sum, x| fma(x, x, sum));
    let r = 1.0 / sqrt(square + epsilon);
    for (out, x) in out.iter_mut().zip(x) {
        *out = x * r;
    }
    Some(())
}

/// `out` = (x - mean) / sqrt(variance + `epsilon`) * `weight` + `bias`; `None` unless `out` is as long
/// as `x`, and `weight` and `bias` at least so long.
pub fn layer(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) -> Option<()> {
    let weight = weight.get(..x.len()).filter(|_| out.len() == x.len())?;
    let bias = bias.get(..x.len())?;
    let (mean, r) = centre(x, epsilon);
    for (out, ((x, weight), bias)) in out.iter_mut().zip(x.iter().zip(weight).zip(bias)) {
        *out = fma((x - mean) * r, *weight, *bias);
    }
    Some(())
}

/// [`layer`] without a bias: `out` = (x - mean) / sqrt(variance + `epsilon`) * `weight`.
pub fn layer_without_bias(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) -> Option<()> {
    let weight = weight.get(..x.len()).filter(|_| out.len() == x.len())?;
    let (mean, r) = centre(x, epsilon);
    for (out, (x, weight)) in out.iter_mut().zip(x.iter().zip(weight)) {
        *out = (x - mean) * r * weight;
    }
    Some(())
}

/// Mean of `x`, and 1 / sqrt(variance + `epsilon`).
#[inline(always)]
fn centre(x: &[f32], epsilon: f32) -> (f32, f32) {
    let mean = sum(x, |sum, x| fma(x, 1.0, sum)) / x.len() as f32;
    let square = |sum, x: f32| fma(x - mean, x - mean, sum);
    let variance = sum(x, square) / x.len() as f32;
    (mean, 1.0 / sqrt(variance + epsilon))
}

/// Folds `x` in 16 lanes by `add(sum, x)` and adds the lanes up.
#[inline(always)]
fn sum(x: &[f32], add: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = add(*lane, *x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = add(*lane, *x);
    }
    tree(lanes)
}

/// The lanes added up as a tree: +8, +4, +2, +1.
#[inline(always)]
fn tree(lanes: [f32; LANES]) -> f32 {
    let eight: [f32; 8] = core::array::from_fn(|j| lanes[j] + lanes[j + 8]);
    let four: [f32; 4] = core::array::from_fn(|j| eight[j] + eight[j + 4]);
    let two: [f32; 2] = core::array::from_fn(|j| four[j] + four[j + 2]);
    two[0] + two[1]
}

#[cfg(test)]
mod tests {
    use super::super::testing::Random;
    use super::*;

    /// The sum of `term(x)` in the contract's words: lane by lane, then the tree.
    fn by_the_contract(x: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
        let lane = |j: usize| {
            x.iter()
                .skip(j)
                .step_by(16)
                .fold(0.0, |sum, x| term(sum, *x))
        };
        let mut lanes: Vec<f32> = (0..16).map(lane).collect();
        for distance in [8, 4, 2, 1] {
            lanes = (0..distance)
                .map(|j| lanes[j] + lanes[j + distance])
                .collect();
        }
        lanes[0]
    }

    #[test]
    fn rms_by_the_contract() {
        let mut random = Random(7);
        for n in [1, 15, 16, 17, 64, 100, 768] {
            let x: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let weight: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let mut out = vec![0.0; n];
            rms(&x, &weight, 1e-5, &mut out).expect("one length");
            let mut bare = x.clone();
            rms_without_weight(&mut bare, 1e-5);
            let mean = by_the_contract(&x, |sum, x| x.mul_add(x, sum)) / n as f32;
            let r = 1.0 / (mean + 1e-5).sqrt();
            for k in 0..n {
                assert_eq!(out[k].to_bits(), (x[k] * r * weight[k]).to_bits());
                assert_eq!(bare[k].to_bits(), (x[k] * r).to_bits());
            }
        }
    }

    #[test]
    fn unit_by_the_contract() {
        let mut random = Random(9);
        for n in [1, 16, 33, 128] {
            let x: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let mut out = vec![0.0; n];
            unit(&x, 1e-6, &mut out).expect("one length");
            let r = 1.0 / (by_the_contract(&x, |sum, x| x.mul_add(x, sum)) + 1e-6).sqrt();
            for k in 0..n {
                assert_eq!(out[k].to_bits(), (x[k] * r).to_bits());
            }
            assert_eq!(unit(&x, 1e-6, &mut vec![0.0; n + 1]), None);
        }
    }

    #[test]
    fn layer_by_the_contract() {
        let mut random = Random(8);
        for n in [1, 15, 16, 17, 64, 100, 768] {
            let x: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let weight: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let bias: Vec<f32> = (0..n).map(|_| random.float()).collect();
            let mut out = vec![0.0; n];
            layer(&x, &weight, &bias, 1e-5, &mut out).expect("one length");
            let mean = by_the_contract(&x, |sum, x| sum + x) / n as f32;
            let centered: Vec<f32> = x.iter().map(|x| x - mean).collect();
            let variance = by_the_contract(&centered, |sum, x| x.mul_add(x, sum)) / n as f32;
            let r = 1.0 / (variance + 1e-5).sqrt();
            for k in 0..n {
                let exact = (centered[k] * r).mul_add(weight[k], bias[k]);
                assert_eq!(out[k].to_bits(), exact.to_bits());
            }
            layer_without_bias(&x, &weight, 1e-5, &mut out).expect("one length");
            for k in 0..n {
                let exact = centered[k] * r * weight[k];
                assert_eq!(out[k].to_bits(), exact.to_bits());
            }
        }
    }

    #[test]
    fn slices_of_other_lengths_are_not_paired() {
        let (x, short, long) = ([1.0; 4], [1.0; 3], [1.0; 16]);
        assert_eq!(rms(&x, &long, 1e-5, &mut [0.0; 4]), Some(()));
        assert_eq!(rms(&x, &short, 1e-5, &mut [0.0; 4]), None);
        assert_eq!(rms(&x, &long, 1e-5, &mut [0.0; 5]), None);
        assert_eq!(layer(&x, &long, &long, 1e-5, &mut [0.0; 4]), Some(()));
        assert_eq!(layer(&x, &long, &short, 1e-5, &mut [0.0; 4]), None);
        assert_eq!(layer(&x, &short, &long, 1e-5, &mut [0.0; 4]), None);
        assert_eq!(layer(&x, &long, &long, 1e-5, &mut [0.0; 3]), None);
        let out = &mut [0.0; 4];
        assert_eq!(layer_without_bias(&x, &long, 1e-5, out), Some(()));
        assert_eq!(layer_without_bias(&x, &short, 1e-5, out), None);
    }
}
