// SPDX-License-Identifier: GPL-2.0
//! Attention in vectors, for as many heads as a constant says: keys and values are widened once.

use super::tile::{Cell, Cells, Quanta, Tile};
use super::{Head, TILE};
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
mod quanta;
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

/// The loops over a tile.
pub(super) trait Loops<'t>: Tile<'t> {
    /// As [`scores::scores`].
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; queries have the dimensions of the tile.
    unsafe fn scores<const H: usize>(
        &self,
        heads: &[Head<'_>; H],
        ends: [usize; H],
        scores: &mut [[f32; TILE]; H],
    );

    /// As [`weigh::weigh`].
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; sums have the dimensions of the tile, and `ends` are at most 32.
    unsafe fn weigh<const H: usize>(
        &self,
        p: &[[f32; TILE]; H],
        ends: [usize; H],
        heads: &mut [Head<'_>; H],
    );
}

impl<'t, T: Widen> Loops<'t> for Cells<'t, T> {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scores<const H: usize>(
        &self,
        heads: &[Head<'_>; H],
        ends: [usize; H],
        scores: &mut [[f32; TILE]; H],
    ) {
        // SAFETY: The tile has 32 positions; the caller's promise.
        unsafe { scores::scores(self.keys, heads, ends, scores) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn weigh<const H: usize>(
        &self,
        p: &[[f32; TILE]; H],
        ends: [usize; H],
        heads: &mut [Head<'_>; H],
    ) {
        // SAFETY: The tile has 32 positions; the caller's promise.
        unsafe { weigh::weigh(self.values, p, ends, heads) }
    }
}

impl<'t> Loops<'t> for Quanta<'t> {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn scores<const H: usize>(
        &self,
        heads: &[Head<'_>; H],
        ends: [usize; H],
        scores: &mut [[f32; TILE]; H],
    ) {
        // SAFETY: The tile has 32 positions; the caller's promise.
        unsafe { quanta::scores(self, heads, ends, scores) }
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn weigh<const H: usize>(
        &self,
        p: &[[f32; TILE]; H],
        ends: [usize; H],
        heads: &mut [Head<'_>; H],
    ) {
        // SAFETY: The tile has 32 positions; the caller's promise.
        unsafe { quanta::weigh(self, p, ends, heads) }
    }
}

/// As [`super::attend`].
#[target_feature(enable = "neon")]
pub(super) fn attend<'t, T: Loops<'t>>(
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
fn attend_heads<'t, T: Loops<'t>, const H: usize>(
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
        let tile = T::view(tile, size)?;
        let ends = heads.each_ref().map(|head| head.reach(first));
        // SAFETY: The tile has 32 positions, and queries and sums have its dimensions.
        unsafe {
            tile.scores(heads, ends, &mut p);
            for (p, head) in p.iter_mut().zip(heads.iter_mut()) {
                softmax::weights(p, first, head);
            }
            tile.weigh(&p, ends, heads);
        }
        first += TILE;
    }
    Some(())
}
