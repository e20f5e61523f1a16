// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 with SDOT by element.

use super::loops::blocks32_loops;
use crate::simd::dots::dotprod::{sixteen_codes, sixteen_fives, sixteen_pairs};
use crate::simd::quanta::Stored;
use crate::simd::quanta::nibbles::Pairs;

blocks32_loops! { feature: "neon,dotprod", dots: dotprod, whole: add_codes }

/// One activation row with all blocks of codes without minima; whether these are.
///
/// One address goes on from quanta to scales to the next block.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_codes<Q: Quanta, S: Scaling>(
    sums: &mut [Eight; 2],
    group: &[Group<Q, S>],
    activation: &[Int8Block],
) -> bool {
    let Some(first) = group.first() else {
        return true;
    };
    // The book is the format's: all blocks have the same.
    let book = match first.quanta.stored(&first.book) {
        Stored::Codes(book) if !S::MINIMUM && size_of::<Q>() == size_of::<Pairs>() => load(book),
        _ => return false,
    };
    let activation = activation.get(..group.len()).unwrap_or_default();
    let mut at = group.as_ptr();
    for activation in activation {
        let [a0, a1] = activation.values.each_ref().map(|values| load(values));
        let dots = [[vdupq_n_s32(0); 2]; 2];
        // SAFETY: `at` is a block, of which there are as many as activations. By its size it begins with
        // the pairs of 32 weights that codes are; scaling and book follow.
        let (dots, scales) = unsafe {
            let (dots, second) = sixteen_codes(dots, at.cast(), book, a0);
            let (dots, end) = sixteen_codes(dots, second, book, a1);
            let (scales, end) = S::all_scales(end.cast());
            at = end.cast::<Q::Book>().add(1).cast();
            (dots, scales)
        };
        let factors = load_f32(&activation.scale);
        for (half, sums) in sums.iter_mut().enumerate() {
            let dots = dots[half].map(|dots| vcvtq_f32_s32(dots));
            *sums = add_scaled(*sums, dots, scales[half], factors);
        }
    }
    true
}

/// One activation row with a block.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add<Q: Quanta, S: Scaling>(sums: &mut [Eight; 2], group: &Group<Q, S>, activation: &Int8Block) {
    let factors = load_f32(&activation.scale);
    let sum_128 = vdupq_laneq_s32::<2>(vreinterpretq_s32_f32(factors));
    let [upper, lower] = Q::lack(sum_128);
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let dots = match group.quanta.stored(&group.book) {
        Stored::Nibbles([first, second]) => {
            let start = [vaddq_s32(lower, vshlq_n_s32::<4>(upper)), lower];
            let dots = sixteen_pairs(sixteen_pairs([start; 2], first, a0), second, a1);
            // 16 times the upper rows; the conversion divides by 16, which is exact.
            dots.map(|[both, lower]| {
                let upper = vcvtq_n_f32_s32::<4>(vsubq_s32(both, lower));
                [upper, vcvtq_f32_s32(lower)]
            })
        }
        Stored::Fives([first, second], rest) => {
            let [[r0, r1], [s0, s1]] = rest.each_ref().map(|of_half| {
                let [first, second] = of_half;
                [load(first), load(second)]
            });
            let dots = sixteen_fives([[upper, lower]; 2], first, [r0, s0], a0);
            let dots = sixteen_fives(dots, second, [r1, s1], a1);
            dots.map(|dots| dots.map(|dots| vcvtq_f32_s32(dots)))
        }
        Stored::Twos | Stored::Codes(_) => {
            return add_unpacked(sums, group, activation);
        }
    };
    for (half, sums) in sums.iter_mut().enumerate() {
        let scaling = [group.scaling.scales(half), group.scaling.minima(half)];
        *sums = finish::<S>(*sums, dots[half], scaling, factors);
    }
}
