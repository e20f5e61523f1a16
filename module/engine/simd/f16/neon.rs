// SPDX-License-Identifier: GPL-2.0
//! F16 with FCVTL, which every Armv8.0 CPU has.

use super::F16;
use crate::simd::float_loops::float_loops;
use crate::simd::neon::load_f16;

#[inline]
#[target_feature(enable = "neon")]
fn weights(column: &Column) -> Sums {
    let (halves, _) = column.as_chunks::<8>();
    match halves {
        [low, high] => {
            let ([a, b], [c, d]) = (load_f16(low), load_f16(high));
            [a, b, c, d]
        }
        _ => zeros(),
    }
}

float_loops!(F16);
