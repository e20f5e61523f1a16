// SPDX-License-Identifier: GPL-2.0
//! Activations packed for the loops.

use super::format::Error;
use super::level::Level;
use super::pieces::{pieces, pieces_mut};
use super::plain::{Plain, view_mut};

/// How activations are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ActivationKind {
    /// As they are.
    F32,
    /// 8-bit blocks of 32 with a scale.
    Int8Per32,
}

/// Weights and activations of an 8-bit block.
pub const INT8_BLOCK: usize = 32;
/// Rows that may be packed interleaved: work over a batch is cut at multiples of it only.
pub const TILE_ROWS: usize = 4;

/// 32 activations as integers: x is about scale * value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Int8Block {
    /// Values, -127 to 127.
    pub values: [[i8; 16]; 2],
    /// The i32 -8 * sum of the values, eight times: what taking 8 from each weight adds.
    pub offset: [[[u8; 4]; 4]; 2],
    /// The f32 scale.
    pub scale: [u8; 4],
    /// Zero.
    pub pad: [u8; 12],
}

// SAFETY: arrays of bytes, 32 + 32 + 4 + 12 without padding.
unsafe impl Plain for Int8Block {}
const _: () = assert!(size_of::<Int8Block>() == 80);

impl ActivationKind {
    /// Bytes of a packed row; `None` when `columns` is no multiple of the block, or too large.
    pub fn bytes(self, columns: usize) -> Option<usize> {
        match self {
            ActivationKind::F32 => columns.checked_mul(4),
            ActivationKind::Int8Per32 => columns
                .is_multiple_of(INT8_BLOCK)
                .then_some(columns / INT8_BLOCK)?
                .checked_mul(size_of::<Int8Block>()),
        }
    }
}

/// Packs the rows of a batch: `x` as [row][`columns`] into `out` as [row][`kind.bytes(columns)`].
///
/// Rows packed together are multiplied together, and a batch is cut at multiples of [`TILE_ROWS`]
/// only. A non-finite activation, or one too large to quantize (2^60), is refused with its block.
pub fn pack(
    _level: Level,
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
    let blocks = match kind {
        ActivationKind::F32 => columns,
        ActivationKind::Int8Per32 => columns / INT8_BLOCK,
    };
    for (row, (x, out)) in pieces(x, columns).zip(pieces_mut(out, bytes)).enumerate() {
        let packed = match kind {
            ActivationKind::F32 => copy(x, view_mut(out)),
            ActivationKind::Int8Per32 => quantize(x, view_mut(out)),
        };
        packed.map_err(|block| Error::NotFinite {
            block: row.saturating_mul(blocks).saturating_add(block),
        })?;
    }
    Ok(())
}

/// Copies finite activations; `Err` has the first that is not.
fn copy(x: &[f32], out: &mut [[u8; 4]]) -> Result<(), usize> {
    let mut finite = true;
    for (out, x) in out.iter_mut().zip(x) {
        finite &= x.is_finite();
        *out = x.to_le_bytes();
    }
    if finite {
        return Ok(());
    }
    Err(x.iter().take_while(|x| x.is_finite()).count())
}

/// Quantizes blocks of 32; `Err` has the first with a magnitude from 2^60 up or a NaN.
fn quantize(x: &[f32], out: &mut [Int8Block]) -> Result<(), usize> {
    let (blocks, _) = x.as_chunks::<INT8_BLOCK>();
    for (block, (x, out)) in blocks.iter().zip(out).enumerate() {
        *out = quantize_block(x).ok_or(block)?;
    }
    Ok(())
}

const LEAST: u32 = (127 - 60) << 23;
const LIMIT: u32 = (127 + 60) << 23;
/// 1.5 * 2^23: adding it rounds to an integer, nearest even, kept in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// One block: scale = amax / 127, values nearest to x * (127 / amax); all zero below 2^-60.
///
/// `None` when the largest magnitude is 2^60 or more, or a NaN.
#[inline(always)]
fn quantize_block(x: &[f32; INT8_BLOCK]) -> Option<Int8Block> {
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    let largest = x.iter().map(magnitude).fold(0, u32::max);
    if largest >= LIMIT {
        return None;
    }
    let amax = f32::from_bits(largest);
    let (scale, inverse) = if largest < LEAST {
        (0.0, 0.0)
    } else {
        (amax / 127.0, 127.0 / amax)
    };
    let mut values = [[0i8; 16]; 2];
    let mut sum = 0i32;
    for (value, x) in values.as_flattened_mut().iter_mut().zip(x) {
        let rounded = (x * inverse + ROUND)
            .to_bits()
            .wrapping_sub(ROUND.to_bits());
        *value = rounded as i8;
        sum = sum.wrapping_add(i32::from(rounded as i8));
    }
    Some(Int8Block {
        values,
        offset: [[sum.wrapping_mul(-8).to_le_bytes(); 4]; 2],
        scale: scale.to_le_bytes(),
        pad: [0; 12],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(x: [f32; 32]) -> Option<Int8Block> {
        quantize_block(&x)
    }

    #[test]
    fn a_block_by_the_contract() {
        let mut x = [0.0; 32];
        (x[0], x[1], x[2], x[31]) = (127.0, 0.5, 1.5, -126.5);
        let block = one(x).unwrap();
        assert_eq!(f32::from_le_bytes(block.scale), 1.0);
        assert_eq!(block.values[0][..4], [127, 0, 2, 0]);
        assert_eq!(block.values[1][15], -126);
        assert_eq!(block.offset, [[(-24i32).to_le_bytes(); 4]; 2]);
    }

    #[test]
    fn the_ends_of_the_range() {
        let tiny = one([2f32.powi(-60).next_down(); 32]).unwrap();
        assert_eq!(
            (f32::from_le_bytes(tiny.scale), tiny.values),
            (0.0, [[0; 16]; 2])
        );
        let least = one([-(2f32.powi(-60)); 32]).unwrap();
        assert_eq!(least.values, [[-127; 16]; 2]);
        assert_eq!(f32::from_le_bytes(least.scale), 2f32.powi(-60) / 127.0);
        assert!(one([2f32.powi(60).next_down(); 32]).is_some());
        for bad in [2f32.powi(60), f32::INFINITY, f32::NAN, -f32::NAN] {
            let mut x = [1.0; 32];
            x[17] = bad;
            assert!(one(x).is_none());
        }
    }

    #[test]
    fn rows_lie_apart_and_errors_name_the_block() {
        let x: [f32; 128] = core::array::from_fn(|k| k as f32 - 60.0);
        let kind = ActivationKind::Int8Per32;
        let mut out = [0u8; 320];
        pack(Level::SCALAR, kind, 64, &x, &mut out).unwrap();
        let mut second = [0u8; 160];
        pack(Level::SCALAR, kind, 64, &x[64..], &mut second).unwrap();
        assert_eq!(out[160..], second);
        let mut bad = x;
        bad[127] = f32::NAN;
        let refused = pack(Level::SCALAR, kind, 64, &bad, &mut out);
        assert_eq!(refused, Err(Error::NotFinite { block: 3 }));
        let refused = pack(Level::SCALAR, ActivationKind::F32, 64, &bad, &mut [0; 512]);
        assert_eq!(refused, Err(Error::NotFinite { block: 127 }));
        for (columns, length) in [(64, 319), (0, 320), (48, 320), (128, 320)] {
            let refused = pack(Level::SCALAR, kind, columns, &x, &mut out[..length]);
            let fits = columns == 128 && length == 320;
            assert_eq!(refused.is_ok(), fits, "{columns} {length}");
        }
    }
}
