// SPDX-License-Identifier: GPL-2.0
//! Q4_0 with SDOT by element: 4 weights of 4 row pairs at a time.

use super::{Group, Q4_0};
use crate::simd::group::GROUP_ROWS;
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
/// takes 84 instructions for a block of 16 rows where this takes 76. The order is the one
/// that takes an in-order pipeline the fewest cycles (llvm-mca, Cortex-A55).
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
            "ld1 {{ v4.16b, v5.16b, v6.16b, v7.16b }}, [{w}], #64",
            "and v8.16b, v4.16b, v31.16b",
            "ld1 {{ v0.16b, v1.16b, v2.16b, v3.16b }}, [{a}], #64",
            "and v26.16b, v5.16b, v31.16b",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{w}], #64",
            "sdot v3.4s, v8.16b, v0.4b[0]",
            "ldp q28, q29, [{a}, #-32]",
            "sdot v2.4s, v4.16b, v0.4b[0]",
            "and v9.16b, v16.16b, v31.16b",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{w}], #64",
            "sdot v2.4s, v5.16b, v0.4b[1]",
            "and v27.16b, v17.16b, v31.16b",
            "and v8.16b, v6.16b, v31.16b",
            "sdot v2.4s, v6.16b, v0.4b[2]",
            "sdot v3.4s, v26.16b, v0.4b[1]",
            "sdot v29.4s, v9.16b, v0.4b[0]",
            "sdot v28.4s, v16.16b, v0.4b[0]",
            "sdot v2.4s, v7.16b, v0.4b[3]",
            "sdot v3.4s, v8.16b, v0.4b[2]",
            "sdot v29.4s, v27.16b, v0.4b[1]",
            "sdot v28.4s, v17.16b, v0.4b[1]",
            "and v26.16b, v7.16b, v31.16b",
            "and v9.16b, v18.16b, v31.16b",
            "and v27.16b, v19.16b, v31.16b",
            "ld1 {{ v4.16b, v5.16b, v6.16b, v7.16b }}, [{w}], #64",
            "sdot v28.4s, v18.16b, v0.4b[2]",
            "sdot v29.4s, v9.16b, v0.4b[2]",
            "sdot v3.4s, v26.16b, v0.4b[3]",
            "and v9.16b, v4.16b, v31.16b",
            "and v8.16b, v20.16b, v31.16b",
            "and v26.16b, v21.16b, v31.16b",
            "ldp q10, q11, [{w}], #32",
            "sdot v28.4s, v19.16b, v0.4b[3]",
            "sdot v29.4s, v27.16b, v0.4b[3]",
            "sdot v3.4s, v8.16b, v1.4b[0]",
            "fcvtl2 v24.4s, v10.8h",
            "sdot v28.4s, v4.16b, v1.4b[0]",
            "fcvtl2 v25.4s, v11.8h",
            "sdot v2.4s, v20.16b, v1.4b[0]",
            "and v8.16b, v22.16b, v31.16b",
            "and v27.16b, v5.16b, v31.16b",
            "sdot v3.4s, v26.16b, v1.4b[1]",
            "fcvtl v11.4s, v11.4h",
            "sdot v29.4s, v9.16b, v1.4b[0]",
            "fcvtl v10.4s, v10.4h",
            "sdot v2.4s, v21.16b, v1.4b[1]",
            "sdot v3.4s, v8.16b, v1.4b[2]",
            "sdot v28.4s, v5.16b, v1.4b[1]",
            "sdot v29.4s, v27.16b, v1.4b[1]",
            "sdot v2.4s, v22.16b, v1.4b[2]",
            "and v9.16b, v6.16b, v31.16b",
            "sdot v2.4s, v23.16b, v1.4b[3]",
            "sdot v28.4s, v6.16b, v1.4b[2]",
            "sdot v29.4s, v9.16b, v1.4b[2]",
            "and v27.16b, v7.16b, v31.16b",
            "and v26.16b, v23.16b, v31.16b",
            "ldr s30, [{a}], #16",
            "sdot v28.4s, v7.16b, v1.4b[3]",
            "sdot v29.4s, v27.16b, v1.4b[3]",
            "fmul v24.4s, v24.4s, v30.s[0]",
            "sdot v3.4s, v26.16b, v1.4b[3]",
            "sub v28.4s, v28.4s, v29.4s",
            "fmul v10.4s, v10.4s, v30.s[0]",
            "sub v2.4s, v2.4s, v3.4s",
            "scvtf v29.4s, v29.4s",
            "subs {left}, {left}, #1",
            "fmul v25.4s, v25.4s, v30.s[0]",
            "scvtf v2.4s, v2.4s, #4",
            "scvtf v3.4s, v3.4s",
            "scvtf v28.4s, v28.4s, #4",
            "fmul v11.4s, v11.4s, v30.s[0]",
            "fmla v15.4s, v29.4s, v25.4s",
            "fmla v13.4s, v3.4s, v24.4s",
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

/// A tile of four rows with a group.
#[inline]
#[target_feature(enable = "dotprod")]
fn four(group: &[Group], tile: &[Int8Block], out: &mut [f32], stride: usize) {
    let (tile, rest) = tile.as_chunks::<4>();
    let last = stride.checked_mul(3).and_then(|last| out.get(last..));
    let fits = last.is_some_and(|last| last.len() >= GROUP_ROWS);
    if group.is_empty() || tile.len() != group.len() || !rest.is_empty() || !fits {
        return;
    }
    // SAFETY: as just checked.
    unsafe {
        four_by_half::<0>(group, tile, out, stride);
        four_by_half::<1>(group, tile, out, stride);
    }
}

/// Adds the products of the next activation row to the sums `$above` and `$below`.
macro_rules! one_row {
    ($above:literal, $below:literal) => {
        concat!(
            "ld1 {{ v0.16b, v1.16b, v2.16b, v3.16b }}, [{a}], #64\n",
            "ldr s4, [{a}], #16\n",
            "sdot v2.4s, v16.16b, v0.4b[0]\n",
            "sdot v3.4s, v24.16b, v0.4b[0]\n",
            "sdot v2.4s, v17.16b, v0.4b[1]\n",
            "sdot v3.4s, v25.16b, v0.4b[1]\n",
            "sdot v2.4s, v18.16b, v0.4b[2]\n",
            "sdot v3.4s, v26.16b, v0.4b[2]\n",
            "sdot v2.4s, v19.16b, v0.4b[3]\n",
            "sdot v3.4s, v27.16b, v0.4b[3]\n",
            "sdot v2.4s, v20.16b, v1.4b[0]\n",
            "sdot v3.4s, v28.16b, v1.4b[0]\n",
            "sdot v2.4s, v21.16b, v1.4b[1]\n",
            "sdot v3.4s, v29.16b, v1.4b[1]\n",
            "sdot v2.4s, v22.16b, v1.4b[2]\n",
            "sdot v3.4s, v30.16b, v1.4b[2]\n",
            "sdot v2.4s, v23.16b, v1.4b[3]\n",
            "sdot v3.4s, v31.16b, v1.4b[3]\n",
            "fmul v0.4s, v6.4s, v4.s[0]\n",
            "fmul v1.4s, v7.4s, v4.s[0]\n",
            "sub v2.4s, v2.4s, v3.4s\n",
            "scvtf v3.4s, v3.4s\n",
            "scvtf v2.4s, v2.4s, #4\n",
            "fmla ",
            $below,
            ".4s, v3.4s, v1.4s\n",
            "fmla ",
            $above,
            ".4s, v2.4s, v0.4s\n",
        )
    };
}

/// A tile of four rows with half a group.
///
/// In assembler: weights, their lower rows and the sums take 24 registers, and the compiler
/// spills: it takes 128 instructions for a block where this takes 115.
///
/// # Safety
///
/// The tile has as many blocks as the group, at least one; `out` has 16 products from each of 0,
/// `stride`, 2 * `stride` and 3 * `stride` on.
#[inline]
#[target_feature(enable = "dotprod")]
unsafe fn four_by_half<const HALF: usize>(
    group: &[Group],
    tile: &[[Int8Block; 4]],
    out: &mut [f32],
    stride: usize,
) {
    const { assert!(HALF < 2 && core::mem::offset_of!(Group, scales) == 256) };
    let first = group.as_ptr().cast::<u8>();
    // SAFETY: reads the group and the tile, and writes 8 products of each row, by the caller's
    // promise.
    unsafe {
        core::arch::asm!(
            "movi v5.16b, #15",
            "movi v8.4s, #0",
            "movi v9.4s, #0",
            "movi v10.4s, #0",
            "movi v11.4s, #0",
            "movi v12.4s, #0",
            "movi v13.4s, #0",
            "movi v14.4s, #0",
            "movi v15.4s, #0",
            "2:",
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{low}], {block}",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{high}], {block}",
            "ldur q7, [{low}, #{scales}]",
            "and v24.16b, v16.16b, v5.16b",
            "and v25.16b, v17.16b, v5.16b",
            "and v26.16b, v18.16b, v5.16b",
            "and v27.16b, v19.16b, v5.16b",
            "and v28.16b, v20.16b, v5.16b",
            "and v29.16b, v21.16b, v5.16b",
            "and v30.16b, v22.16b, v5.16b",
            "and v31.16b, v23.16b, v5.16b",
            "fcvtl v6.4s, v7.4h",
            "fcvtl2 v7.4s, v7.8h",
            one_row!("v8", "v9"),
            one_row!("v10", "v11"),
            one_row!("v12", "v13"),
            one_row!("v14", "v15"),
            "subs {left}, {left}, #1",
            "b.ne 2b",
            "stp q8, q9, [{out}]",
            "add {out}, {out}, {stride}",
            "stp q10, q11, [{out}]",
            "add {out}, {out}, {stride}",
            "stp q12, q13, [{out}]",
            "add {out}, {out}, {stride}",
            "stp q14, q15, [{out}]",
            low = inout(reg) first.add(64 * HALF) => _,
            high = inout(reg) first.add(64 * HALF + 128) => _,
            block = in(reg) size_of::<Group>(),
            // From the next block's half of the lower weights back to this block's scales.
            scales = const if HALF == 0 { 256 - 288 } else { 256 + 16 - 64 - 288 },
            a = inout(reg) tile.as_ptr() => _,
            left = inout(reg) group.len() => _,
            out = inout(reg) out.as_mut_ptr().add(8 * HALF) => _,
            stride = in(reg) 4 * stride,
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

integer_loops!("dotprod", Q4_0, single, four);
