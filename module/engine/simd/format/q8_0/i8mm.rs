// SPDX-License-Identifier: GPL-2.0
//! Q8_0 with SMMLA: 8 weights of 2 rows with 8 activations of 2 rows at a time.

use super::{Group, Q8_0};
use crate::simd::integer_pair_loops::integer_pair_loops;
use core::arch::aarch64::*;

/// Two rows of the first four of the half, and two of the second.
type Weights = [[int8x16_t; 4]; 2];

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn prepare(group: &Group, half: usize, quarter: usize) -> Weights {
    let (pairs, _) = group.quanta[half].as_chunks::<2>();
    let mut weights = [[vdupq_n_s8(0); 4]; 2];
    for (j, pair) in pairs.iter().take(4).enumerate() {
        let [first, second] = if quarter == 0 {
            zip::<1>(pair)
        } else {
            zip::<2>(pair)
        };
        weights[0][j] = first;
        weights[1][j] = second;
    }
    weights
}

/// Rows 2 * `QUARTER` - 2 and 2 * `QUARTER` - 1 of both fours, 8 weights each.
///
/// In assembler, because the compiler loads all weights first and then lacks registers.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn zip<const QUARTER: usize>(chunks: &[[[[i8; 4]; 4]; 2]; 2]) -> [int8x16_t; 2] {
    let (first, second);
    // SAFETY: reads the 64 bytes of `chunks` only.
    unsafe {
        core::arch::asm!(
            "ldp {first:q}, {second:q}, [{chunks}]",
            "ldp {a:q}, {b:q}, [{chunks}, #32]",
            "zip{quarter} {first:v}.4s, {first:v}.4s, {a:v}.4s",
            "zip{quarter} {second:v}.4s, {second:v}.4s, {b:v}.4s",
            quarter = const QUARTER,
            chunks = in(reg) chunks,
            first = out(vreg) first, second = out(vreg) second,
            a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [first, second]
}

const FIRST: f32 = 1.0;

/// Adds the products with a pair to `sums`. Sums are at most 128 * 127 * 32 < 2^22.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_pair<const I: usize>(
    sums: &mut Eight,
    [first, second]: &Weights,
    scales: Eight,
    pairs: &[PairBlock; 2],
    magic: int32x4_t,
) {
    // SAFETY: reads one of the two pairs only.
    unsafe {
        core::arch::asm!(
            "ldr {d:q}, [{pairs}, #{at} + 80]",
            "mov {l:v}.16b, {magic:v}.16b",
            "ldp {a:q}, {b:q}, [{pairs}, #{at}]",
            "mov {u:v}.16b, {magic:v}.16b",
            "smmla {l:v}.4s, {l0:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u0:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l1:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u1:v}.16b, {b:v}.16b",
            "ldp {a:q}, {b:q}, [{pairs}, #{at} + 32]",
            "smmla {l:v}.4s, {l2:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u2:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l3:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u3:v}.16b, {b:v}.16b",
            "fmul {b:v}.4s, {sl:v}.4s, {d:v}.4s",
            "fmul {a:v}.4s, {su:v}.4s, {d:v}.4s",
            "fsub {l:v}.4s, {l:v}.4s, {magic:v}.4s",
            "fsub {u:v}.4s, {u:v}.4s, {magic:v}.4s",
            "fmla {sum_l:v}.4s, {l:v}.4s, {b:v}.4s",
            "fmla {sum_u:v}.4s, {u:v}.4s, {a:v}.4s",
            pairs = in(reg) pairs,
            at = const (I % 2) * size_of::<PairBlock>(),
            u0 = in(vreg) first[0], u1 = in(vreg) first[1],
            u2 = in(vreg) first[2], u3 = in(vreg) first[3],
            l0 = in(vreg) second[0], l1 = in(vreg) second[1],
            l2 = in(vreg) second[2], l3 = in(vreg) second[3],
            magic = in(vreg) magic, su = in(vreg) scales[0], sl = in(vreg) scales[1],
            sum_u = inout(vreg) sums[0], sum_l = inout(vreg) sums[1],
            u = out(vreg) _, l = out(vreg) _, d = out(vreg) _, a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

integer_pair_loops!(Q8_0, dotprod);
