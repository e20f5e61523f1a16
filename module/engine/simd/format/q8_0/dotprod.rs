// SPDX-License-Identifier: GPL-2.0
//! Q8_0 with SDOT by element: 4 weights of 4 rows at a time.

use super::{Group, Q8_0};
use crate::simd::group::GROUP_ROWS;
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{load, load_f16};
use core::arch::aarch64::*;

/// As [weights 4j to 4j + 3][four rows].
type Weights = [[int8x16_t; 2]; 8];

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(group: &Group, half: usize) -> Weights {
    group.quanta[half]
        .each_ref()
        .map(|rows| rows.each_ref().map(|quanta| load(quanta)))
}

#[inline]
#[target_feature(enable = "dotprod")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots(weights: &Weights, activation: &Int8Block, _offsets: [int32x4_t; 2]) -> Eight {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let (mut first, mut second) = (vdupq_n_s32(0), vdupq_n_s32(0));
    macro_rules! chunk {
        ($j:literal, $a:ident, $lane:literal) => {
            first = vdotq_laneq_s32::<$lane>(first, weights[$j][0], $a);
            second = vdotq_laneq_s32::<$lane>(second, weights[$j][1], $a);
        };
    }
    chunk!(0, a0, 0);
    chunk!(1, a0, 1);
    chunk!(2, a0, 2);
    chunk!(3, a0, 3);
    chunk!(4, a1, 0);
    chunk!(5, a1, 1);
    chunk!(6, a1, 2);
    chunk!(7, a1, 3);
    [vcvtq_f32_s32(first), vcvtq_f32_s32(second)]
}

/// One activation row with whole groups.
///
/// In assembler: the compiler loads weights two by two, and takes 75 instructions for a block of 16
/// rows where this takes 65. The order is one that suits in-order pipelines (llvm-mca, Cortex-A55) and
/// out-of-order ones alike.
#[inline]
#[target_feature(enable = "dotprod")]
fn single(groups: &[Group], activation: &[Int8Block], out: &mut [[f32; GROUP_ROWS]]) {
    let blocks = activation.len();
    if blocks == 0 || out.is_empty() || blocks.checked_mul(out.len()) != Some(groups.len()) {
        return;
    }
    // SAFETY: reads the groups, `blocks` for each 16 products, and the activation, and writes the
    // products: neither is empty.
    unsafe {
        core::arch::asm!(
            "2:",
            "mov {a}, {activation}",
            "mov {left}, {blocks}",
            "movi v12.4s, #0",
            "movi v13.4s, #0",
            "movi v14.4s, #0",
            "movi v15.4s, #0",
            "3:",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "movi v4.4s, #0",
            "ldp q0, q1, [{a}], #80",
            "movi v5.4s, #0",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "sdot v4.4s, v16.16b, v0.4b[0]",
            "sdot v5.4s, v17.16b, v0.4b[0]",
            "sdot v4.4s, v18.16b, v0.4b[1]",
            "sdot v5.4s, v19.16b, v0.4b[1]",
            "sdot v4.4s, v20.16b, v0.4b[2]",
            "sdot v5.4s, v21.16b, v0.4b[2]",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "sdot v4.4s, v22.16b, v0.4b[3]",
            "sdot v5.4s, v23.16b, v0.4b[3]",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "sdot v5.4s, v17.16b, v1.4b[0]",
            "sdot v4.4s, v16.16b, v1.4b[0]",
            "ldur s30, [{a}, #-16]",
            "subs {left}, {left}, #1",
            "movi v7.4s, #0",
            "sdot v5.4s, v19.16b, v1.4b[1]",
            "sdot v4.4s, v18.16b, v1.4b[1]",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "sdot v5.4s, v21.16b, v1.4b[2]",
            "movi v6.4s, #0",
            "sdot v4.4s, v20.16b, v1.4b[2]",
            "sdot v7.4s, v17.16b, v0.4b[0]",
            "sdot v6.4s, v16.16b, v0.4b[0]",
            "sdot v4.4s, v22.16b, v1.4b[3]",
            "sdot v5.4s, v23.16b, v1.4b[3]",
            "sdot v7.4s, v19.16b, v0.4b[1]",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "sdot v6.4s, v18.16b, v0.4b[1]",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "sdot v7.4s, v21.16b, v0.4b[2]",
            "sdot v6.4s, v20.16b, v0.4b[2]",
            "scvtf v4.4s, v4.4s",
            "sdot v7.4s, v23.16b, v0.4b[3]",
            "sdot v6.4s, v22.16b, v0.4b[3]",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "sdot v7.4s, v17.16b, v1.4b[0]",
            "ldp q2, q3, [{w}], #32",
            "sdot v6.4s, v16.16b, v1.4b[0]",
            "fcvtl v24.4s, v2.4h",
            "sdot v7.4s, v19.16b, v1.4b[1]",
            "sdot v6.4s, v18.16b, v1.4b[1]",
            "fcvtl2 v27.4s, v3.8h",
            "sdot v7.4s, v21.16b, v1.4b[2]",
            "scvtf v5.4s, v5.4s",
            "sdot v6.4s, v20.16b, v1.4b[2]",
            "fcvtl v26.4s, v3.4h",
            "fcvtl2 v25.4s, v2.8h",
            "sdot v7.4s, v23.16b, v1.4b[3]",
            "sdot v6.4s, v22.16b, v1.4b[3]",
            "fmul v27.4s, v27.4s, v30.s[0]",
            "fmul v24.4s, v24.4s, v30.s[0]",
            "fmul v25.4s, v25.4s, v30.s[0]",
            "scvtf v7.4s, v7.4s",
            "scvtf v6.4s, v6.4s",
            "fmul v26.4s, v26.4s, v30.s[0]",
            "fmla v12.4s, v4.4s, v24.4s",
            "fmla v15.4s, v7.4s, v27.4s",
            "fmla v13.4s, v5.4s, v25.4s",
            "fmla v14.4s, v6.4s, v26.4s",
            "b.ne 3b",
            "stp q12, q13, [{out}], #32",
            "stp q14, q15, [{out}], #32",
            "subs {count}, {count}, #1",
            "b.ne 2b",
            w = inout(reg) groups.as_ptr() => _,
            activation = in(reg) activation.as_ptr(),
            a = out(reg) _,
            blocks = in(reg) blocks,
            left = out(reg) _,
            out = inout(reg) out.as_mut_ptr() => _,
            count = inout(reg) out.len() => _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _,
            out("v6") _, out("v7") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _,
            out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v30") _,
            options(nostack),
        );
    }
}

integer_loops!("dotprod", Q8_0, single);
