// SPDX-License-Identifier: GPL-2.0
//! Attention in vectors, for as many heads as a constant says: keys and values are widened once.

use super::{Cell, Head, Stored, TILE};
use crate::simd::neon::{Eight, load_f16, load_f32};

/// Widens the 32 halves of v16 to v19 into v20 to v27.
macro_rules! widen {
    () => {
        concat!(
            "fcvtl v20.4s, v16.4h\n",
            "fcvtl2 v21.4s, v16.8h\n",
            "fcvtl v22.4s, v17.4h\n",
            "fcvtl2 v23.4s, v17.8h\n",
            "fcvtl v24.4s, v18.4h\n",
            "fcvtl2 v25.4s, v18.8h\n",
            "fcvtl v26.4s, v19.4h\n",
            "fcvtl2 v27.4s, v19.8h\n",
        )
    };
}

mod exp;
mod scores;
mod softmax;
mod weigh;

/// A stored type that vectors widen.
pub(super) trait Widen: Cell + scores::Dimensions + weigh::Positions {
    /// Eight values.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD.
    unsafe fn eight(values: &[Self; 8]) -> Eight;
}

impl Widen for [u8; 2] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        load_f16(values)
    }
}

impl Widen for [u8; 4] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        let [a, b, c, d, e, f, g, h] = *values;
        [load_f32(&[a, b, c, d]), load_f32(&[e, f, g, h])]
    }
}

/// As [`super::attend`].
#[target_feature(enable = "neon")]
pub(super) fn attend<'t, T: Widen>(
    heads: &mut [Head<'_>],
    start: usize,
    tiles: impl Iterator<Item = &'t [u8]>,
) -> Option<()> {
    match heads.len() {
        1 => attend_heads::<T, 1>(heads.first_chunk_mut()?, start, tiles),
        2 => attend_heads::<T, 2>(heads.first_chunk_mut()?, start, tiles),
        3 => attend_heads::<T, 3>(heads.first_chunk_mut()?, start, tiles),
        4 => attend_heads::<T, 4>(heads.first_chunk_mut()?, start, tiles),
        _ => None,
    }
}

/// [`attend`] with `H` heads.
#[inline]
#[target_feature(enable = "neon")]
fn attend_heads<'t, T: Widen, const H: usize>(
    heads: &mut [Head<'_>; H],
    start: usize,
    tiles: impl Iterator<Item = &'t [u8]>,
) -> Option<()> {
    let size = heads.first()?.query.len();
    let same = |head: &Head<'_>| head.query.len() == size && head.partial.sum.len() == size;
    if !heads.iter().all(same) {
        return None;
    }
    let mut p = [[0.0; TILE]; H];
    let mut first = start;
    for tile in tiles {
        let tile = Stored::<T>::view(tile, size)?;
        let ends = heads.each_ref().map(|head| head.reach(first));
        // SAFETY: The tile has 32 positions, and queries and sums have its dimensions.
        unsafe {
            scores::scores(tile.keys, heads, ends, &mut p);
            for (p, head) in p.iter_mut().zip(heads.iter_mut()) {
                softmax::weights(p, first, head);
            }
            weigh::weigh(tile.values, &p, ends, heads);
        }
        first += TILE;
    }
    Some(())
}
