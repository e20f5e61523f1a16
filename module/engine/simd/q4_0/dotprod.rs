// SPDX-License-Identifier: GPL-2.0
//! Q4_0 with SDOT by element: 4 weights of 4 row pairs at a time.

use super::{Group, Q4_0};
use crate::simd::format::GROUP_ROWS;
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{load, load_f16};
use core::arch::aarch64::*;

/// Bytes of pairs, and their lower rows.
type Weights = ([int8x16_t; 8], [int8x16_t; 8]);

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(group: &Group, half: usize) -> Weights {
    let pairs: [int8x16_t; 8] = core::array::from_fn(|j| load(group.chunk(half, j)));
    (pairs, pairs.map(|pairs| vandq_s8(pairs, vdupq_n_s8(15))))
}

#[inline]
#[target_feature(enable = "dotprod")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots((pairs, below): &Weights, activation: &Int8Block, offsets: [int32x4_t; 2]) -> Eight {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let [mut both, mut lower] = offsets;
    macro_rules! chunk {
        ($j:literal, $a:ident, $lane:literal) => {
            both = vdotq_laneq_s32::<$lane>(both, pairs[$j], $a);
            lower = vdotq_laneq_s32::<$lane>(lower, below[$j], $a);
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
    // 16 A + B less B; the conversion divides by 16, which is exact.
    [
        vcvtq_n_f32_s32::<4>(vsubq_s32(both, lower)),
        vcvtq_f32_s32(lower),
    ]
}

/// One activation row with whole groups.
///
/// In assembler: the compiler loads weights two by two, copies offsets it sees to be equal, and
/// takes 84 instructions for a block of 16 rows where this takes 76.
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
            "movi v31.16b, #15",
            "2:",
            "mov {a}, {activation}",
            "mov {left}, {blocks}",
            "movi v12.4s, #0",
            "movi v13.4s, #0",
            "movi v14.4s, #0",
            "movi v15.4s, #0",
            "3:",
            "ld1 {{ v0.16b, v1.16b, v2.16b, v3.16b }}, [{a}], #64",
            "ldp q28, q29, [{a}, #-32]",
            "ldr s30, [{a}], #16",
            "ld1 {{ v4.16b, v5.16b, v6.16b, v7.16b }}, [{w}], #64",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "and v8.16b, v4.16b, v31.16b",
            "and v9.16b, v16.16b, v31.16b",
            "sdot v2.4s, v4.16b, v0.4b[0]",
            "sdot v28.4s, v16.16b, v0.4b[0]",
            "sdot v3.4s, v8.16b, v0.4b[0]",
            "sdot v29.4s, v9.16b, v0.4b[0]",
            "and v26.16b, v5.16b, v31.16b",
            "and v27.16b, v17.16b, v31.16b",
            "sdot v2.4s, v5.16b, v0.4b[1]",
            "sdot v28.4s, v17.16b, v0.4b[1]",
            "sdot v3.4s, v26.16b, v0.4b[1]",
            "sdot v29.4s, v27.16b, v0.4b[1]",
            "and v8.16b, v6.16b, v31.16b",
            "and v9.16b, v18.16b, v31.16b",
            "sdot v2.4s, v6.16b, v0.4b[2]",
            "sdot v28.4s, v18.16b, v0.4b[2]",
            "sdot v3.4s, v8.16b, v0.4b[2]",
            "sdot v29.4s, v9.16b, v0.4b[2]",
            "and v26.16b, v7.16b, v31.16b",
            "and v27.16b, v19.16b, v31.16b",
            "sdot v2.4s, v7.16b, v0.4b[3]",
            "sdot v28.4s, v19.16b, v0.4b[3]",
            "sdot v3.4s, v26.16b, v0.4b[3]",
            "sdot v29.4s, v27.16b, v0.4b[3]",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "ld1 {{ v4.16b, v5.16b, v6.16b, v7.16b }}, [{w}], #64",
            "ldp q10, q11, [{w}], #32",
            "and v8.16b, v20.16b, v31.16b",
            "and v9.16b, v4.16b, v31.16b",
            "sdot v2.4s, v20.16b, v1.4b[0]",
            "sdot v28.4s, v4.16b, v1.4b[0]",
            "sdot v3.4s, v8.16b, v1.4b[0]",
            "sdot v29.4s, v9.16b, v1.4b[0]",
            "and v26.16b, v21.16b, v31.16b",
            "and v27.16b, v5.16b, v31.16b",
            "sdot v2.4s, v21.16b, v1.4b[1]",
            "sdot v28.4s, v5.16b, v1.4b[1]",
            "sdot v3.4s, v26.16b, v1.4b[1]",
            "sdot v29.4s, v27.16b, v1.4b[1]",
            "and v8.16b, v22.16b, v31.16b",
            "and v9.16b, v6.16b, v31.16b",
            "sdot v2.4s, v22.16b, v1.4b[2]",
            "sdot v28.4s, v6.16b, v1.4b[2]",
            "sdot v3.4s, v8.16b, v1.4b[2]",
            "sdot v29.4s, v9.16b, v1.4b[2]",
            "and v26.16b, v23.16b, v31.16b",
            "and v27.16b, v7.16b, v31.16b",
            "sdot v2.4s, v23.16b, v1.4b[3]",
            "sdot v28.4s, v7.16b, v1.4b[3]",
            "sdot v3.4s, v26.16b, v1.4b[3]",
            "sdot v29.4s, v27.16b, v1.4b[3]",
            "fcvtl2 v24.4s, v10.8h",
            "fcvtl v10.4s, v10.4h",
            "fcvtl2 v25.4s, v11.8h",
            "fcvtl v11.4s, v11.4h",
            "fmul v10.4s, v10.4s, v30.s[0]",
            "fmul v24.4s, v24.4s, v30.s[0]",
            "fmul v11.4s, v11.4s, v30.s[0]",
            "fmul v25.4s, v25.4s, v30.s[0]",
            "subs {left}, {left}, #1",
            "sub v2.4s, v2.4s, v3.4s",
            "sub v28.4s, v28.4s, v29.4s",
            "scvtf v3.4s, v3.4s",
            "scvtf v29.4s, v29.4s",
            "scvtf v2.4s, v2.4s, #4",
            "scvtf v28.4s, v28.4s, #4",
            "fmla v13.4s, v3.4s, v24.4s",
            "fmla v15.4s, v29.4s, v25.4s",
            "fmla v12.4s, v2.4s, v10.4s",
            "fmla v14.4s, v28.4s, v11.4s",
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
            out("v6") _, out("v7") _, out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _, out("v16") _, out("v17") _,
            out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _, out("v29") _,
            out("v30") _, out("v31") _,
            options(nostack),
        );
    }
}

integer_loops!("dotprod", Q4_0, single);
