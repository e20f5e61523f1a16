// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SDOT by element: 4 weights of 4 row pairs at a time.

use super::loops::q4_k_loops;
use super::scales::select;
use crate::simd::activation::WidePart;
use core::arch::aarch64::*;

/// Bytes of pairs, and their lower rows.
type Weights = ([int8x16_t; 8], [int8x16_t; 8]);

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(pairs: &[[[u8; 4]; 4]; 8]) -> Weights {
    let pairs = pairs.each_ref().map(|chunk| load(chunk));
    (pairs, pairs.map(|pairs| vandq_s8(pairs, vdupq_n_s8(15))))
}

/// The four loaded vectors, chunks `$first` and `$first + 1` of both halves, with two quarters of the
/// activations in `a`; before that the `$load` of others.
macro_rules! chunks {
    ($p:literal $q:literal $r:literal $s:literal, $first:literal $second:literal $(, $load:literal)*) => {
        concat!(
            $($load, "\n",)*
            chunks!($p $r, $first),
            chunks!($q $s, $second),
        )
    };
    ($p:literal $r:literal, $lane:literal) => {
        concat!(
            "sdot {u0:v}.4s, {", $p, ":v}.16b, {a:v}.4b[", $lane, "]\n",
            "sdot {u1:v}.4s, {", $r, ":v}.16b, {a:v}.4b[", $lane, "]\n",
            "and {", $p, ":v}.16b, {", $p, ":v}.16b, {fifteen:v}.16b\n",
            "and {", $r, ":v}.16b, {", $r, ":v}.16b, {fifteen:v}.16b\n",
            "sdot {l0:v}.4s, {", $p, ":v}.16b, {a:v}.4b[", $lane, "]\n",
            "sdot {l1:v}.4s, {", $r, ":v}.16b, {a:v}.4b[", $lane, "]\n",
        )
    };
}

/// Adds the dot products of a part of 16 rows times their scales to `quanta`.
///
/// In assembler, because the compiler loads the weights of many parts ahead, and spills them.
#[inline]
#[target_feature(enable = "dotprod")]
fn part<const PART: usize>(
    quanta: &mut [int32x4_t; 4],
    scales: [uint8x16_t; 4],
    group: &Group,
    activation: &WideBlock,
) {
    const { assert!(PART < 8 && size_of::<WidePart>() == 64) };
    // SAFETY: reads the pairs and the activations of the part: the pointer to the pairs is that of
    // one of two parts, and what is added to it leads to the wanted one.
    unsafe {
        core::arch::asm!(
            "ldp {p:q}, {q:q}, [{pairs}, #{at}]",
            "ldp {r:q}, {s:q}, [{pairs}, #{at} + 128]",
            "ldr {a:q}, [{block}, #{values}]",
            "ldp {u0:q}, {l0:q}, [{block}, #{values} + 32]",
            "ldp {u1:q}, {l1:q}, [{block}, #{values} + 32]",
            chunks!("p" "q" "r" "s", 0 1,
                "ldp {w:q}, {x:q}, [{pairs}, #{at} + 32]",
                "ldp {y:q}, {z:q}, [{pairs}, #{at} + 160]"),
            chunks!("w" "x" "y" "z", 2 3,
                "ldp {p:q}, {q:q}, [{pairs}, #{at} + 64]",
                "ldp {r:q}, {s:q}, [{pairs}, #{at} + 192]"),
            "ldr {a:q}, [{block}, #{values} + 16]",
            chunks!("p" "q" "r" "s", 0 1,
                "ldp {w:q}, {x:q}, [{pairs}, #{at} + 96]",
                "ldp {y:q}, {z:q}, [{pairs}, #{at} + 224]"),
            chunks!("w" "x" "y" "z", 2 3),
            "sub {u0:v}.4s, {u0:v}.4s, {l0:v}.4s",
            "sub {u1:v}.4s, {u1:v}.4s, {l1:v}.4s",
            "tbl {p:v}.16b, {{{s0:v}.16b}}, {select:v}.16b",
            "tbl {q:v}.16b, {{{s1:v}.16b}}, {select:v}.16b",
            "tbl {r:v}.16b, {{{s2:v}.16b}}, {select:v}.16b",
            "tbl {s:v}.16b, {{{s3:v}.16b}}, {select:v}.16b",
            "mla {q0:v}.4s, {u0:v}.4s, {p:v}.4s",
            "mla {q1:v}.4s, {l0:v}.4s, {q:v}.4s",
            "mla {q2:v}.4s, {u1:v}.4s, {r:v}.4s",
            "mla {q3:v}.4s, {l1:v}.4s, {s:v}.4s",
            block = in(reg) activation,
            values = const 64 * PART,
            pairs = in(reg) core::ptr::from_ref(group).byte_add(core::mem::offset_of!(Group, pairs) + PART / 4 * 1024 + 512),
            at = const [-512, -256, 0, 256][PART % 4],
            fifteen = in(vreg) vdupq_n_s8(15),
            select = in(vreg) select(PART % 4),
            s0 = in(vreg) scales[0], s1 = in(vreg) scales[1],
            s2 = in(vreg) scales[2], s3 = in(vreg) scales[3],
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            q2 = inout(vreg) quanta[2], q3 = inout(vreg) quanta[3],
            u0 = out(vreg) _, l0 = out(vreg) _, u1 = out(vreg) _, l1 = out(vreg) _,
            p = out(vreg) _, q = out(vreg) _, r = out(vreg) _, s = out(vreg) _,
            w = out(vreg) _, x = out(vreg) _, y = out(vreg) _, z = out(vreg) _,
            a = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

/// Adds the dot products of a part of 8 rows times their scales to `quanta`.
///
/// In assembler for the same reason. The load of `start` fetches zeros for the lower rows. The upper
/// ones lack 8 each, so for these it fetches 16 * 8 * sum.
#[inline]
#[target_feature(enable = "dotprod")]
fn dots<const I: usize>(
    quanta: &mut [int32x4_t; 2],
    (pairs, below): &Weights,
    scales: [int32x4_t; 2],
    parts: &[WidePart; 2],
) {
    // SAFETY: reads one of the two parts only.
    unsafe {
        core::arch::asm!(
            "ldp {a:q}, {b:q}, [{parts}, #{at}]",
            "ldp {u:q}, {l:q}, [{parts}, #{at} + 32]",
            "sdot {u:v}.4s, {u0:v}.16b, {a:v}.4b[0]",
            "sdot {l:v}.4s, {l0:v}.16b, {a:v}.4b[0]",
            "sdot {u:v}.4s, {u1:v}.16b, {a:v}.4b[1]",
            "sdot {l:v}.4s, {l1:v}.16b, {a:v}.4b[1]",
            "sdot {u:v}.4s, {u2:v}.16b, {a:v}.4b[2]",
            "sdot {l:v}.4s, {l2:v}.16b, {a:v}.4b[2]",
            "sdot {u:v}.4s, {u3:v}.16b, {a:v}.4b[3]",
            "sdot {l:v}.4s, {l3:v}.16b, {a:v}.4b[3]",
            "sdot {u:v}.4s, {u4:v}.16b, {b:v}.4b[0]",
            "sdot {l:v}.4s, {l4:v}.16b, {b:v}.4b[0]",
            "sdot {u:v}.4s, {u5:v}.16b, {b:v}.4b[1]",
            "sdot {l:v}.4s, {l5:v}.16b, {b:v}.4b[1]",
            "sdot {u:v}.4s, {u6:v}.16b, {b:v}.4b[2]",
            "sdot {l:v}.4s, {l6:v}.16b, {b:v}.4b[2]",
            "sdot {u:v}.4s, {u7:v}.16b, {b:v}.4b[3]",
            "sdot {l:v}.4s, {l7:v}.16b, {b:v}.4b[3]",
            "sub {u:v}.4s, {u:v}.4s, {l:v}.4s",
            "mla {q0:v}.4s, {u:v}.4s, {s0:v}.4s",
            "mla {q1:v}.4s, {l:v}.4s, {s1:v}.4s",
            parts = in(reg) parts,
            at = const (I % 2) * size_of::<WidePart>(),
            s0 = in(vreg) scales[0], s1 = in(vreg) scales[1],
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            u0 = in(vreg) pairs[0], u1 = in(vreg) pairs[1],
            u2 = in(vreg) pairs[2], u3 = in(vreg) pairs[3],
            u4 = in(vreg) pairs[4], u5 = in(vreg) pairs[5],
            u6 = in(vreg) pairs[6], u7 = in(vreg) pairs[7],
            l0 = in(vreg) below[0], l1 = in(vreg) below[1],
            l2 = in(vreg) below[2], l3 = in(vreg) below[3],
            l4 = in(vreg) below[4], l5 = in(vreg) below[5],
            l6 = in(vreg) below[6], l7 = in(vreg) below[7],
            u = out(vreg) _, l = out(vreg) _, a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

#[inline]
#[target_feature(enable = "dotprod")]
fn less_minima(minima: [uint8x16_t; 2], sums: int8x16_t) -> int32x4_t {
    let [first, second] = minima.map(|minima| vreinterpretq_s8_u8(minima));
    let upper = vdotq_laneq_s32::<0>(vdupq_n_s32(0), first, sums);
    let upper = vdotq_laneq_s32::<1>(upper, second, sums);
    let both = vdotq_laneq_s32::<2>(vshlq_n_s32::<7>(upper), first, sums);
    vdotq_laneq_s32::<3>(both, second, sums)
}

q4_k_loops!("dotprod");
