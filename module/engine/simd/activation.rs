// SPDX-License-Identifier: GPL-2.0
//! Activations packed for the loops.

use super::group::Error;
use super::level::{Instructions, Level};
use super::pieces::{pieces, pieces_mut, pieces_with_rest, pieces_with_rest_mut};
use super::plain::view_mut;
#[cfg(target_arch = "aarch64")]
use super::wide_tile::WideTile;

pub mod int8;
mod quantize;
pub mod wide;

pub use super::group::TILE_ROWS;
pub use int8::{INT8_BLOCK, Int8Block};
pub use wide::{WIDE_BLOCK, WideBlock, WidePart};

/// How activations are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActivationKind {
    /// As they are.
    F32,
    /// 8-bit blocks of 32 with a scale.
    Int8Per32,
    /// 8-bit blocks of 256 with a scale, for K-quants.
    Int8Per256,
}

impl ActivationKind {
    /// Bytes of a packed row; `None` when `columns` is no multiple of the block, or too large.
    pub fn bytes(self, columns: usize) -> Option<usize> {
        match self {
            ActivationKind::F32 => columns.checked_mul(4),
            ActivationKind::Int8Per32 => columns
                .is_multiple_of(INT8_BLOCK)
                .then_some(columns / INT8_BLOCK)?
                .checked_mul(size_of::<Int8Block>()),
            ActivationKind::Int8Per256 => columns
                .is_multiple_of(WIDE_BLOCK)
                .then_some(columns / WIDE_BLOCK)?
                .checked_mul(size_of::<WideBlock>()),
        }
    }
}

/// Packs the rows of a batch, `x` as `[row][columns]`, into `out` of `kind.bytes(columns)` per row.
///
/// Rows lie in tiles of [`TILE_ROWS`], block by block: `[tile][block][row of the tile]`; the last
/// tile may have fewer. So rows packed together are multiplied together, at the same `level`: with
/// SMMLA the rows of a full tile are interleaved in pairs. An activation that is not finite, or too
/// large to quantize (2^60), is refused with its block, counted in `x`.
pub fn pack(
    level: Level,
    kind: ActivationKind,
    columns: usize,
    x: &[f32],
    out: &mut [u8],
) -> Result<(), Error> {
    let bytes = kind.bytes(columns).ok_or(Error::Shape)?;
    let rows = x.len().checked_div(columns).ok_or(Error::Shape)?;
    if x.len() != rows.saturating_mul(columns) || out.len() != rows.saturating_mul(bytes) {
        return Err(Error::Shape);
    }
    let tiles = pieces_with_rest(x, columns.saturating_mul(TILE_ROWS));
    let out = pieces_with_rest_mut(out, bytes.saturating_mul(TILE_ROWS));
    let mut before: usize = 0;
    for (x, out) in tiles.zip(out) {
        let blocks = match kind {
            ActivationKind::F32 => pack_float_tile(columns, x, view_mut(out)),
            ActivationKind::Int8Per32 => pack_int8_tile(level, columns, x, view_mut(out)),
            ActivationKind::Int8Per256 => pack_wide_tile(level, columns, x, out),
        };
        let blocks = blocks.map_err(|block| Error::NotFinite {
            block: before.saturating_add(block),
        })?;
        before = before.saturating_add(blocks);
    }
    Ok(())
}

/// [`pack_tile`] of floats as they are; their finiteness is looked at for a whole tile first.
fn pack_float_tile(columns: usize, x: &[f32], out: &mut [[u8; 4]]) -> Result<usize, usize> {
    let infinity = f32::INFINITY.to_bits();
    if quantize::largest(x) >= infinity {
        let bad = x.iter().position(|x| !x.is_finite());
        return Err(bad.unwrap_or(0));
    }
    let rows = x.len().checked_div(columns).unwrap_or(0);
    for (row, x) in pieces(x, columns).enumerate() {
        let out = out.get_mut(row..).unwrap_or_default();
        if rows == 1 {
            for (out, x) in out.iter_mut().zip(x) {
                *out = x.to_le_bytes();
            }
        } else {
            for (out, x) in pieces_with_rest_mut(out, rows).zip(x) {
                if let Some(out) = out.first_mut() {
                    *out = x.to_le_bytes();
                }
            }
        }
    }
    Ok(x.len())
}

/// [`pack_tile`] of blocks of 32; a full tile is paired where the level has SMMLA.
fn pack_int8_tile(
    level: Level,
    columns: usize,
    x: &[f32],
    out: &mut [Int8Block],
) -> Result<usize, usize> {
    let (x, _) = x.as_chunks::<INT8_BLOCK>();
    let blocks = columns / INT8_BLOCK;
    match level.instructions() {
        Instructions::Scalar => pack_tile(blocks, x, out, |x, out| put(int8::quantize(x), out)),
        #[cfg(target_arch = "aarch64")]
        instructions => pack_tile(blocks, x, out, |x, out| {
            // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
            put(unsafe { int8::neon::quantize(x) }, out)
        })
        .inspect(|_| {
            if is_paired(instructions, blocks, x.len()) {
                super::pair::interleave(out);
            }
        }),
    }
}

/// [`pack_tile`] of blocks of 256; a full tile is paired where the level has SMMLA.
fn pack_wide_tile(level: Level, columns: usize, x: &[f32], out: &mut [u8]) -> Result<usize, usize> {
    let (x, _) = x.as_chunks::<WIDE_BLOCK>();
    let blocks = columns / WIDE_BLOCK;
    match level.instructions() {
        Instructions::Scalar => pack_tile(blocks, x, view_mut(out), wide::quantize),
        #[cfg(target_arch = "aarch64")]
        instructions if is_paired(instructions, blocks, x.len()) => {
            pack_paired(blocks, x, view_mut(out))
        }
        #[cfg(target_arch = "aarch64")]
        _ => pack_tile(blocks, x, view_mut(out), |x, out| {
            // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
            unsafe { wide::neon::quantize(x, out) }
        }),
    }
}

/// [`pack_tile`] of a full tile of blocks of 256 in pairs.
#[cfg(target_arch = "aarch64")]
fn pack_paired(
    blocks: usize,
    x: &[[f32; WIDE_BLOCK]],
    out: &mut [WideTile],
) -> Result<usize, usize> {
    let mut quantized = WideBlock::ZERO;
    for (row, x) in pieces(x, blocks).enumerate() {
        for (block, (x, tile)) in x.iter().zip(out.iter_mut()).enumerate() {
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { wide::neon::quantize(x, &mut quantized) }
                .ok_or(row.saturating_mul(blocks).saturating_add(block))?;
            tile.set(row, &quantized);
        }
    }
    Ok(x.len())
}

/// Whether a tile of `count` blocks, `blocks` to a row, is paired.
#[cfg(target_arch = "aarch64")]
fn is_paired(instructions: Instructions, blocks: usize, count: usize) -> bool {
    instructions == Instructions::I8mm && count.checked_div(blocks) == Some(TILE_ROWS)
}

/// Packs `x`, rows of `blocks`, each block by `pack`, to [block][row]; gives the number of blocks,
/// or `Err` with the first that `pack` refuses.
fn pack_tile<X, Block>(
    blocks: usize,
    x: &[X],
    out: &mut [Block],
    pack: impl Fn(&X, &mut Block) -> Option<()>,
) -> Result<usize, usize> {
    let rows = x.len().checked_div(blocks).unwrap_or(0);
    for (row, x) in pieces(x, blocks).enumerate() {
        for (block, (x, out)) in x.iter().zip(pieces_mut(out, rows)).enumerate() {
            if let Some(out) = out.get_mut(row) {
                pack(x, out).ok_or(row.saturating_mul(blocks).saturating_add(block))?;
            }
        }
    }
    Ok(x.len())
}

/// Puts a block in its place.
#[inline(always)]
fn put<Block>(block: Option<Block>, out: &mut Block) -> Option<()> {
    *out = block?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Guarded, Random};
    use super::*;

    #[test]
    fn every_level_equals_the_twin() {
        let mut random = Random(6);
        for round in 0..2000 {
            let scale = [1.0, 1e-18, 1e-20, 1e18, 1e-38][round % 5];
            let mut x: [f32; 32] = core::array::from_fn(|_| random.float() * scale);
            match random.below(8) {
                0 => x[random.below(32)] = f32::from_bits(random.next() as u32),
                1 => x = [0.0; 32],
                // Halfway between two integers, at 127 quanta of 1.
                2 => x = core::array::from_fn(|k| if k == 0 { -127.0 } else { k as f32 - 15.5 }),
                _ => {}
            }
            let mut twin = Guarded::zeroed(80);
            let kind = ActivationKind::Int8Per32;
            let x = Guarded::copy(&x);
            let result = pack(Level::SCALAR, kind, 32, &x, &mut twin);
            for level in Level::all() {
                let mut out = Guarded::zeroed(80);
                assert_eq!(pack(level, kind, 32, &x, &mut out), result);
                assert!(result.is_err() || *out == *twin, "{level:?} {:?}", &*x);
            }
        }
    }

    #[test]
    fn tiles_interleave_the_blocks_of_their_rows() {
        let x: [f32; 7 * 64] = core::array::from_fn(|k| k as f32 - 60.0);
        let kind = ActivationKind::Int8Per32;
        let mut out = [0u8; 7 * 160];
        pack(Level::SCALAR, kind, 64, &x, &mut out).unwrap();
        for (row, x) in x.chunks(64).enumerate() {
            let mut alone = [0u8; 160];
            pack(Level::SCALAR, kind, 64, x, &mut alone).unwrap();
            let rows = if row < 4 { 4 } else { 3 };
            for block in 0..2 {
                let at = row / 4 * 4 * 160 + (block * rows + row % 4) * 80;
                assert_eq!(out[at..at + 80], alone[block * 80..][..80]);
            }
        }
    }

    #[test]
    fn errors_name_the_block() {
        let mut x = [1.0; 7 * 64];
        (x[6 * 64 + 33], x[6 * 64 + 63]) = (f32::NAN, f32::INFINITY);
        let mut out = [0; 7 * 256];
        for (kind, block) in [
            (ActivationKind::Int8Per32, 13),
            (ActivationKind::F32, 6 * 64 + 33),
        ] {
            let out = &mut out[..7 * kind.bytes(64).unwrap()];
            let refused = pack(Level::SCALAR, kind, 64, &x, out);
            assert_eq!(refused, Err(Error::NotFinite { block }));
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let (x, mut out) = ([0.0; 128], [0; 320]);
        let kind = ActivationKind::Int8Per32;
        for (columns, length) in [(64, 319), (0, 0), (48, 320), (96, 320), (256, 320)] {
            let refused = pack(Level::SCALAR, kind, columns, &x, &mut out[..length]);
            assert_eq!(refused, Err(Error::Shape));
        }
        assert_eq!(pack(Level::SCALAR, kind, 64, &x, &mut out), Ok(()));
    }
}
