// SPDX-License-Identifier: GPL-2.0
//! One inner loop over made-up data, for its time.

use super::{made_up, take};
use crate::sampling::Generator;
use crate::simd::activation;
use crate::simd::format::{Format, GROUP_ROWS};
use crate::simd::level::Level;
use crate::simd::pieces::pieces_mut;

/// Weight bytes of one call, about.
const CHUNK: usize = 64 << 10;

/// What is multiplied; with 0 rows of activations the weights are dequantized instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    format: Format,
    rows: usize,
    columns: usize,
    groups: usize,
}

/// Memory of a shape, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Packed weights, bytes.
    pub packed: usize,
    /// Rows of a file for one group, bytes.
    file: usize,
    /// Packed activations, bytes.
    activation: usize,
    /// Activations, numbers.
    x: usize,
    /// Products of a chunk, numbers.
    out: usize,
}

impl Sizes {
    /// Bytes of the whole.
    pub fn bytes(&self) -> Option<usize> {
        let numbers = self.x.checked_add(self.out)?.checked_mul(4)?;
        self.packed
            .checked_add(self.file)?
            .checked_add(self.activation)?
            .checked_add(numbers)
    }

    /// Bytes before the numbers.
    pub fn raw(&self) -> Option<usize> {
        self.packed
            .checked_add(self.file)?
            .checked_add(self.activation)
    }
}

impl Shape {
    /// `None` outside the ranges of `struct sislm_bench`; `rows` 0 for dequantizing.
    pub fn new(format: u32, rows: u32, columns: u32, groups: u32) -> Option<Self> {
        let in_range = (0..=8).contains(&rows)
            && (32..=8192).contains(&columns)
            && columns.is_multiple_of(32)
            && (1..=1024).contains(&groups);
        let format = Format::from_number(format)?;
        in_range.then_some(Self {
            format,
            rows: rows as usize,
            columns: columns as usize,
            groups: groups as usize,
        })
    }

    /// What it needs.
    pub fn sizes(&self) -> Option<Sizes> {
        let group = self.format.group_bytes(self.columns)?;
        Some(Sizes {
            packed: group.checked_mul(self.groups)?,
            file: self
                .format
                .row_bytes(self.columns)?
                .checked_mul(GROUP_ROWS)?,
            activation: self
                .format
                .activation()
                .bytes(self.columns)?
                .checked_mul(self.rows)?,
            x: self.columns.checked_mul(self.rows)?,
            out: match self.rows {
                0 => self.columns,
                rows => self.chunk()?.checked_mul(GROUP_ROWS)?.checked_mul(rows)?,
            },
        })
    }

    /// Groups of one call.
    fn chunk(&self) -> Option<usize> {
        Some(
            CHUNK
                .checked_div(self.format.group_bytes(self.columns)?)?
                .min(self.groups)
                .max(1),
        )
    }
}

/// How far a shape has come; all zero before the first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bench {
    shape: Shape,
    /// Groups that hold weights.
    filled: usize,
    /// Groups multiplied in this pass.
    next: usize,
}

impl Bench {
    /// A bench without data yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            filled: 0,
            next: 0,
        }
    }

    /// Whether it is of this shape.
    pub fn is(&self, shape: Shape) -> bool {
        self.shape == shape
    }

    /// Goes on by about a chunk: data first, then a pass; `Some(true)` at the end of a pass.
    pub fn run(
        &mut self,
        level: Level,
        mut bytes: &mut [u8],
        mut numbers: &mut [f32],
    ) -> Option<bool> {
        let Shape {
            format,
            rows,
            columns,
            groups,
        } = self.shape;
        let sizes = self.shape.sizes()?;
        let packed = take(&mut bytes, sizes.packed)?;
        let file = take(&mut bytes, sizes.file)?;
        let activation = take(&mut bytes, sizes.activation)?;
        let x = take(&mut numbers, sizes.x)?;
        let out = take(&mut numbers, sizes.out)?;
        let group_bytes = format.group_bytes(columns)?;
        let first = if self.filled < groups {
            self.filled
        } else {
            self.next
        };
        let end = first.checked_add(self.shape.chunk()?)?.min(groups);
        let range = first.checked_mul(group_bytes)?..end.checked_mul(group_bytes)?;
        let chunk = packed.get_mut(range)?;
        if self.filled < groups {
            let mut generator = Generator::new(first as u64);
            for group in pieces_mut(chunk, group_bytes) {
                made_up::weights(format, &mut generator, file);
                format.pack(file, columns, group).ok()?;
            }
            if first == 0 {
                pieces_mut(x, columns).for_each(|row| made_up::activations(&mut generator, row));
            }
            self.filled = end;
            return Some(false);
        }
        self.next = if end == groups { 0 } else { end };
        if rows == 0 {
            for group in pieces_mut(chunk, group_bytes) {
                for lane in 0..GROUP_ROWS {
                    format.unpack_row(group, lane, columns, out).ok()?;
                }
            }
            return Some(end == groups);
        }
        if first == 0 {
            activation::pack(level, format.activation(), columns, x, activation).ok()?;
        }
        let length = end
            .checked_sub(first)?
            .checked_mul(GROUP_ROWS)?
            .checked_mul(rows)?;
        let out = out.get_mut(..length)?;
        format
            .multiply(level, chunk, columns, activation, rows, out)
            .ok()?;
        Some(end == groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_ends_and_starts_again() {
        for (&format, rows) in Format::ALL
            .iter()
            .flat_map(|format| [(format, 0), (format, 3)])
        {
            let shape = Shape::new(format.number(), rows, 2048, 5).unwrap();
            let sizes = shape.sizes().unwrap();
            let mut bytes = vec![0u64; sizes.raw().unwrap().div_ceil(8)];
            let bytes: &mut [u8] = crate::memory::pod::bytes_mut(&mut bytes);
            let mut numbers = vec![0.0; sizes.x + sizes.out];
            let mut bench = Bench::new(shape);
            let mut ends = Vec::new();
            for call in 0..100 {
                if bench.run(Level::SCALAR, bytes, &mut numbers).unwrap() {
                    ends.push(call);
                }
            }
            assert!(ends.len() > 2, "{format:?}");
            let pass = ends[1] - ends[0];
            assert!(ends.windows(2).all(|pair| pair[1] - pair[0] == pass));
            assert!(ends[0] > pass, "the data come first");
        }
    }

    #[test]
    fn rows_are_dequantized() {
        let shape = Shape::new(Format::Q4_0.number(), 0, 64, 3).unwrap();
        let sizes = shape.sizes().unwrap();
        let mut bytes = vec![0u64; sizes.raw().unwrap().div_ceil(8)];
        let bytes: &mut [u8] = crate::memory::pod::bytes_mut(&mut bytes);
        let mut numbers = vec![0.0; sizes.x + sizes.out];
        let mut bench = Bench::new(shape);
        while !bench.run(Level::SCALAR, bytes, &mut numbers).unwrap() {}
        // The last row of the last group.
        let group = Format::Q4_0.group_bytes(64).unwrap();
        let mut wanted = vec![0.0; 64];
        let last = &bytes[2 * group..3 * group];
        Format::Q4_0.unpack_row(last, 15, 64, &mut wanted).unwrap();
        assert_eq!(numbers, wanted);
        assert!(numbers.iter().any(|number| *number != 0.0));
    }

    #[test]
    fn shapes_outside_their_ranges_are_refused() {
        assert!(Shape::new(8, 1, 32, 1).is_some());
        assert!(Shape::new(8, 8, 8192, 1024).is_some());
        assert!(Shape::new(8, 0, 32, 1).is_some());
        for (format, rows, columns, groups) in [
            (4, 1, 32, 1),
            (8, 9, 32, 1),
            (8, 1, 0, 1),
            (8, 1, 33, 1),
            (8, 1, 8224, 1),
            (8, 1, 32, 0),
            (8, 1, 32, 1025),
        ] {
            assert_eq!(Shape::new(format, rows, columns, groups), None);
        }
    }
}
