// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 with SDOT by element.

use super::loops::blocks256_loops;
use crate::simd::dots::dotprod::{sixteen_fives, sixteen_pairs};
use crate::simd::quanta::Stored;

blocks256_loops! { feature: "neon,dotprod", dots: dotprod }

/// One activation row with a block.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add<Q: Quanta, S: Scaling>(sums: &mut [Eight; 2], group: &Group<Q, S>, activation: &WideBlock) {
    let mut quanta = [[vdupq_n_s32(0); 2]; 2];
    // All parts are stored alike.
    match group.quanta[0].stored() {
        Stored::Other => return add_unpacked(sums, group, activation),
        Stored::Nibbles(_) | Stored::Fives(..) => {}
    }
    for (index, part) in group.quanta.iter().enumerate() {
        add_stored::<Q, S>(
            &mut quanta,
            part.stored(),
            &group.scaling,
            activation,
            index,
        );
    }
    for (half, sums) in sums.iter_mut().enumerate() {
        let [upper, lower] = quanta[half];
        // 16 times the upper rows of nibbles; the conversion divides by 16, which is exact.
        let upper = match group.quanta[0].stored() {
            Stored::Nibbles(_) => vcvtq_n_f32_s32::<4>(upper),
            _ => vcvtq_f32_s32(upper),
        };
        let quanta = [upper, vcvtq_f32_s32(lower)];
        *sums = finish(*sums, &group.scaling, half, quanta, activation);
    }
}

/// Adds the products of all rows with 32 activations, each times its scale, to `quanta`; those of the
/// upper rows of nibbles times 16.
///
/// The integers of a block stay within 32 bits: 256 * 16 * 15 * 127 times a scale of 127 is less
/// than 2^30.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_stored<Q: Quanta, S: Scaling>(
    quanta: &mut [[int32x4_t; 2]; 2],
    stored: Stored<'_>,
    scaling: &S,
    block: &WideBlock,
    index: usize,
) {
    let part = &block.parts[index % 8];
    let [a0, a1] = part.values.each_ref().map(|values| load(values));
    let mut add = |dots: [[int32x4_t; 2]; 2], scales: int8x16_t| {
        for (half, quanta) in quanta.iter_mut().enumerate() {
            let scales = widen(scales, half);
            *quanta = [0, 1].map(|i| vmlaq_s32(quanta[i], dots[half][i], scales[i]));
        }
    };
    match stored {
        Stored::Nibbles([first, second]) => {
            let start = |sum_128: int32x4_t| {
                let [upper, lower] = Q::lack(sum_128);
                [[vaddq_s32(lower, vshlq_n_s32::<4>(upper)), lower]; 2]
            };
            let rows = |dots: [[int32x4_t; 2]; 2]| {
                dots.map(|[both, lower]| [vsubq_s32(both, lower), lower])
            };
            if S::PARTS == 8 {
                let dots = sixteen_pairs(start(load_i32(&part.start[0])), first, a0);
                add(rows(sixteen_pairs(dots, second, a1)), scaling.scales(index));
            } else {
                for (i, (pairs, a)) in [(first, a0), (second, a1)].into_iter().enumerate() {
                    let sum_128 = load_four_times(&block.starts[(2 * index + i) % 16]);
                    let dots = rows(sixteen_pairs(start(sum_128), pairs, a));
                    add(dots, scaling.scales(2 * index + i));
                }
            }
        }
        Stored::Fives([first, second], rest) => {
            let [[r0, r1], [s0, s1]] = rest.each_ref().map(|of_half| {
                let [first, second] = of_half;
                [load(first), load(second)]
            });
            if S::PARTS == 8 {
                let start = Q::lack(load_i32(&part.start[0]));
                let dots = sixteen_fives([start; 2], first, [r0, s0], a0);
                add(
                    sixteen_fives(dots, second, [r1, s1], a1),
                    scaling.scales(index),
                );
            } else {
                let of_part = |i: usize| {
                    let sum_128 = load_four_times(&block.starts[(2 * index + i) % 16]);
                    [Q::lack(sum_128); 2]
                };
                let dots = sixteen_fives(of_part(0), first, [r0, s0], a0);
                add(dots, scaling.scales(2 * index));
                let dots = sixteen_fives(of_part(1), second, [r1, s1], a1);
                add(dots, scaling.scales(2 * index + 1));
            }
        }
        Stored::Other => {}
    }
}
