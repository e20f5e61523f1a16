// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 with SDOT by element.

use super::loops::blocks256_loops;
use crate::simd::dots::dotprod::{sixteen_fives, sixteen_pairs, sixteen_twos};
use crate::simd::neon::{load_two_four_times, widen_unsigned};
use crate::simd::quanta::Stored;
use crate::simd::quanta::twos::{Fours, FoursOf16};

blocks256_loops! { feature: "neon,dotprod", dots: dotprod }

/// One activation row with a block.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add<Q: Quanta, S: Scaling>(sums: &mut [Eight; 2], group: &Group<Q, S>, activation: &WideBlock) {
    let mut quanta = [[vdupq_n_s32(0); 2]; 2];
    // All parts are stored alike.
    match group.quanta[0].stored(&group.book) {
        Stored::Codes(_) => return add_unpacked(sums, group, activation),
        Stored::Twos => add_twos(&mut quanta, group, activation),
        Stored::Nibbles(_) | Stored::Fives(..) => {
            for (index, part) in group.quanta.iter().enumerate() {
                add_stored::<Q, S>(
                    &mut quanta,
                    part.stored(&group.book),
                    &group.scaling,
                    activation,
                    index,
                );
            }
        }
    }
    for (half, sums) in sums.iter_mut().enumerate() {
        let [upper, lower] = quanta[half];
        // Upper rows are there several times; the conversion divides by that, which is exact.
        let quanta = match group.quanta[0].stored(&group.book) {
            Stored::Nibbles(_) => [vcvtq_n_f32_s32::<4>(upper), vcvtq_f32_s32(lower)],
            Stored::Twos if half == 0 => [vcvtq_n_f32_s32::<6>(upper), vcvtq_n_f32_s32::<4>(lower)],
            Stored::Twos => [vcvtq_n_f32_s32::<2>(upper), vcvtq_f32_s32(lower)],
            _ => [upper, lower].map(|quanta| vcvtq_f32_s32(quanta)),
        };
        *sums = finish(*sums, &group.scaling, half, quanta, activation);
    }
}

/// Adds the products of all rows with 16 or 32 activations, times the scales of the part, to `quanta`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_dots<S: Scaling>(
    quanta: &mut [[int32x4_t; 2]; 2],
    dots: [[int32x4_t; 2]; 2],
    scales: int8x16_t,
) {
    let scales = if S::MINIMUM {
        widen_unsigned(scales)
    } else {
        [widen(scales, 0), widen(scales, 1)]
    };
    for (half, quanta) in quanta.iter_mut().enumerate() {
        *quanta = [0, 1].map(|i| vmlaq_s32(quanta[i], dots[half][i], scales[half][i]));
    }
}

/// Adds the products of all rows with a block of twos, each times its scale, to `quanta`: 64, 16, 4 and
/// 1 times. Other quanta and scales add nothing.
///
/// The integers stay within 32 bits: 256 * 64 * 3 * 127 times a scale of 127 is less than 2^30.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_twos<Q: Quanta, S: Scaling>(
    quanta: &mut [[int32x4_t; 2]; 2],
    group: &Group<Q, S>,
    block: &WideBlock,
) {
    if S::PARTS != 16 || size_of::<Q>() != size_of::<Fours>() {
        return;
    }
    let mut twos = group.quanta.as_ptr().cast::<FoursOf16>();
    let (starts, _) = block.starts.as_chunks();
    for (index, (part, starts)) in block.parts.iter().zip(starts).enumerate() {
        let mut add = |start: int32x4_t, a: &[i8; 16], part: usize| {
            // SAFETY: by its size the block has 16 of these, of which each of 16 parts takes the next.
            let ([a, b, c, d], rest) = unsafe { sixteen_twos(start, twos, load(a)) };
            twos = rest;
            add_dots::<S>(quanta, [[a, b], [c, d]], group.scaling.scales(part));
        };
        // Written out: a loop over both is not unrolled.
        let [start, end] = load_two_four_times(starts);
        add(start, &part.values[0], 2 * index);
        add(end, &part.values[1], 2 * index + 1);
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
    let mut add = |dots, scales| add_dots::<S>(quanta, dots, scales);
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
        Stored::Twos | Stored::Codes(_) => {}
    }
}
