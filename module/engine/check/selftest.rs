// SPDX-License-Identifier: GPL-2.0
//! The loops of a level against their scalar twins, in made-up shapes.

use super::{made_up, take};
use crate::sampling::Generator;
use crate::simd::activation;
use crate::simd::format::{Format, GROUP_ROWS};
use crate::simd::level::Level;

/// Comparisons of a whole self-test.
pub const CASES: u64 = 512;
/// Most columns, groups and rows of a case: a case is about as long as a chunk.
const COLUMNS: usize = 256;
const GROUPS: usize = 2;
const ROWS: usize = 9;

/// Bytes of [`Memory::bytes`].
pub const BYTES: usize = 4 * COLUMNS * (GROUP_ROWS + GROUPS * GROUP_ROWS + ROWS);
/// Numbers of [`Memory::numbers`].
pub const NUMBERS: usize = ROWS * COLUMNS + 2 * ROWS * GROUPS * GROUP_ROWS;

/// Memory of a case.
pub struct Memory<'a> {
    /// [`BYTES`]: file rows, packed weights, packed activations; aligned to 64.
    pub bytes: &'a mut [u8],
    /// [`NUMBERS`]: activations and the two products.
    pub numbers: &'a mut [f32],
}

/// The shape of a case.
#[derive(Clone, Copy, Debug)]
struct Shape {
    format: Format,
    columns: usize,
    groups: usize,
    rows: usize,
}

impl Shape {
    fn new(generator: &mut Generator) -> Self {
        let pick = (u64::from(generator.draw()) * Format::ALL.len() as u64) >> 32;
        let format = Format::ALL
            .get(pick as usize)
            .copied()
            .unwrap_or(Format::F32);
        let blocks = COLUMNS.checked_div(format.block()).unwrap_or(0);
        let mut below =
            |limit: usize| ((u64::from(generator.draw()) * limit as u64) >> 32) as usize + 1;
        Self {
            format,
            columns: below(blocks) * format.block(),
            groups: below(GROUPS),
            rows: below(ROWS),
        }
    }
}

/// Makes comparison number `case`: whether `level` gives the bits of the scalar twins. `None` when
/// the memory is too small or the engine refuses its own data: a failure as well.
pub fn compare(level: Level, case: u64, memory: &mut Memory<'_>) -> Option<bool> {
    let mut generator = Generator::new(case);
    let shape = Shape::new(&mut generator);
    let Shape {
        format,
        columns,
        groups,
        rows,
    } = shape;
    let mut bytes = &mut *memory.bytes;
    let mut numbers = &mut *memory.numbers;

    let group_bytes = format.group_bytes(columns)?;
    let packed = take(&mut bytes, group_bytes.checked_mul(groups)?)?;
    let kind = format.activation();
    let activation = take(&mut bytes, kind.bytes(columns)?.checked_mul(rows)?)?;
    let file = take(
        &mut bytes,
        format.row_bytes(columns)?.checked_mul(GROUP_ROWS)?,
    )?;
    let x = take(&mut numbers, columns.checked_mul(rows)?)?;
    let length = groups.checked_mul(rows)?.checked_mul(GROUP_ROWS)?;
    let (ours, twin) = (take(&mut numbers, length)?, take(&mut numbers, length)?);

    for group in crate::simd::pieces::pieces_mut(packed, group_bytes) {
        made_up::weights(format, &mut generator, file);
        format.pack(file, columns, group).ok()?;
    }
    for row in crate::simd::pieces::pieces_mut(x, columns) {
        made_up::activations(&mut generator, row);
    }
    for (level, out) in [(level, &mut *ours), (Level::SCALAR, &mut *twin)] {
        activation::pack(level, kind, columns, x, activation).ok()?;
        format
            .multiply(level, packed, columns, activation, rows, out)
            .ok()?;
    }
    Some(
        ours.iter()
            .zip(&*twin)
            .all(|(a, b)| a.to_bits() == b.to_bits()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(64))]
    struct Aligned([u8; BYTES]);

    #[test]
    fn every_level_passes() {
        let mut bytes = Box::new(Aligned([0; BYTES]));
        let mut numbers = vec![0.0; NUMBERS];
        let mut memory = Memory {
            bytes: &mut bytes.0,
            numbers: &mut numbers,
        };
        for level in Level::all() {
            for case in 0..400 {
                let equal = compare(level, case, &mut memory);
                assert_eq!(equal, Some(true), "level {level:?}, case {case}");
            }
        }
    }

    #[test]
    fn shapes_reach_their_limits() {
        let mut generator = Generator::new(9);
        let shapes: Vec<Shape> = (0..100_000).map(|_| Shape::new(&mut generator)).collect();
        for &format in Format::ALL {
            let of = |f: fn(&Shape) -> usize| {
                shapes
                    .iter()
                    .filter(|s| s.format == format)
                    .map(f)
                    .max()
                    .unwrap()
            };
            assert_eq!(of(|s| s.columns), COLUMNS);
            assert_eq!((of(|s| s.groups), of(|s| s.rows)), (GROUPS, ROWS));
        }
        assert!(shapes.iter().any(|s| s.columns == 1));
    }

    #[test]
    fn too_little_memory_is_no_success() {
        let mut memory = Memory {
            bytes: &mut [],
            numbers: &mut [],
        };
        assert_eq!(compare(Level::SCALAR, 0, &mut memory), None);
    }
}
