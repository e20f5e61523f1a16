// SPDX-License-Identifier: GPL-2.0
//! F16 with FCVTL, which every Armv8.0 CPU has.

use crate::simd::float::loops::{Activations, Columns, RUN, Sums};
use crate::simd::group::GROUP_ROWS;
use crate::simd::neon::load_f16;

/// The weights of a column, widened.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widen_column(column: &[[u8; 2]; GROUP_ROWS]) -> Sums {
    let (halves, _) = column.as_chunks::<8>();
    let ([a, b], [c, d]) = (load_f16(&halves[0]), load_f16(&halves[1]));
    [a, b, c, d]
}

/// Adds two columns, whose activations lie in lanes `$a` and `$b` of `$x`.
macro_rules! two_columns {
    ($x:literal, $a:literal, $b:literal) => {
        concat!(
            "ld1 {{ v16.8h, v17.8h, v18.8h, v19.8h }}, [{columns}], #64\n",
            "fcvtl v20.4s, v16.4h\n",
            "fcvtl2 v21.4s, v16.8h\n",
            "fcvtl v22.4s, v17.4h\n",
            "fcvtl2 v23.4s, v17.8h\n",
            "fcvtl v24.4s, v18.4h\n",
            "fcvtl2 v25.4s, v18.8h\n",
            "fcvtl v26.4s, v19.4h\n",
            "fcvtl2 v27.4s, v19.8h\n",
            concat!("fmla {s0:v}.4s, v20.4s, ", $x, ".s[", $a, "]\n"),
            concat!("fmla {s1:v}.4s, v21.4s, ", $x, ".s[", $a, "]\n"),
            concat!("fmla {s2:v}.4s, v22.4s, ", $x, ".s[", $a, "]\n"),
            concat!("fmla {s3:v}.4s, v23.4s, ", $x, ".s[", $a, "]\n"),
            concat!("fmla {s0:v}.4s, v24.4s, ", $x, ".s[", $b, "]\n"),
            concat!("fmla {s1:v}.4s, v25.4s, ", $x, ".s[", $b, "]\n"),
            concat!("fmla {s2:v}.4s, v26.4s, ", $x, ".s[", $b, "]\n"),
            concat!("fmla {s3:v}.4s, v27.4s, ", $x, ".s[", $b, "]\n"),
        )
    };
}

/// Adds sixteen columns.
macro_rules! sixteen_columns {
    () => {
        concat!(
            "ld1 {{ v8.4s, v9.4s, v10.4s, v11.4s }}, [{x}], #64\n",
            two_columns!("v8", "0", "1"),
            two_columns!("v8", "2", "3"),
            two_columns!("v9", "0", "1"),
            two_columns!("v9", "2", "3"),
            two_columns!("v10", "0", "1"),
            two_columns!("v10", "2", "3"),
            two_columns!("v11", "0", "1"),
            two_columns!("v11", "2", "3"),
        )
    };
}

/// Adds thirty-two columns at a time, each times its activation.
///
/// In assembler: the compiler loads two registers at a time, and so takes 304 instructions where
/// this takes 276.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_runs(sums: Sums, columns: Columns<'_, 2>, activation: Activations<'_>) -> Sums {
    const { assert!(RUN == 32) };
    let count = activation.len().min(columns.len());
    if count == 0 {
        return sums;
    }
    let [mut s0, mut s1, mut s2, mut s3] = sums;
    // SAFETY: reads `count` times thirty-two columns and as many activations.
    unsafe {
        core::arch::asm!(
            "2:",
            sixteen_columns!(),
            sixteen_columns!(),
            "subs {count}, {count}, #1",
            "b.ne 2b",
            x = inout(reg) activation.as_ptr() => _,
            columns = inout(reg) columns.as_ptr() => _,
            count = inout(reg) count => _,
            s0 = inout(vreg) s0, s1 = inout(vreg) s1, s2 = inout(vreg) s2, s3 = inout(vreg) s3,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v16") _, out("v17") _,
            out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            options(readonly, nostack),
        );
    }
    [s0, s1, s2, s3]
}
