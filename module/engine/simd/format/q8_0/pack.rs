// SPDX-License-Identifier: GPL-2.0
//! Interleaving by transposition, which every 64-bit Arm CPU does in vectors.

use super::{File, Group};
use crate::simd::group::GROUP_ROWS;
use crate::simd::neon::{load, transpose};
use core::arch::aarch64::*;

/// The quanta of a group, as decoding makes them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn interleave_quanta(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    let (fours, _) = rows.as_chunks::<4>();
    for (four, rows) in fours.iter().enumerate() {
        let quanta =
            |part: usize| transpose(rows.map(|row| load(&row.quanta.as_chunks::<4>().0[part])));
        let quanta = [quanta(0), quanta(1)];
        let chunks = group.quanta[four / 2].iter_mut();
        for (chunk, quanta) in chunks.zip(quanta.as_flattened()) {
            // SAFETY: Four rows of `chunk` have the 16 bytes that are written.
            unsafe { vst1q_u8(core::ptr::from_mut(&mut chunk[four % 2]).cast(), *quanta) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Q8_0;
    use super::*;
    use crate::simd::codec;
    use crate::simd::finite::Finite;
    use crate::simd::plain::{view, zeroed};
    use crate::simd::testing::Random;

    #[test]
    fn equals_decoding() {
        let mut random = Random(9);
        for _ in 0..200 {
            let mut bytes: Vec<u8> = (0..16 * 34).map(|_| random.next() as u8).collect();
            for block in bytes.chunks_mut(34) {
                let finite = <Q8_0 as codec::Codec>::FINITE;
                finite.iter().for_each(|number: &Finite| number.tame(block));
            }
            let files: &[File] = view(&bytes);
            let rows = core::array::from_fn(|lane| &files[lane]);
            let (mut decoded, mut vectors) = (zeroed::<Group>(), zeroed::<Group>());
            let decoded = core::slice::from_mut(&mut decoded);
            codec::interleave::<Q8_0>(&rows.map(Some), decoded).unwrap();
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { interleave_quanta(&rows, &mut vectors) };
            assert_eq!(vectors.quanta, decoded[0].quanta);
        }
    }
}
