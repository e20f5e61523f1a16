// SPDX-License-Identifier: GPL-2.0
//! F32 in vectors of four rows.

use super::F32;
use crate::simd::float_loops::float_loops;

#[inline]
#[target_feature(enable = "neon")]
fn weights(column: &Column) -> Sums {
    let (quarters, _) = column.as_chunks::<4>();
    match quarters {
        [a, b, c, d] => [load_f32(a), load_f32(b), load_f32(c), load_f32(d)],
        _ => zeros(),
    }
}

float_loops!(F32);
