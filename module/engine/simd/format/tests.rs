// SPDX-License-Identifier: GPL-2.0
//! Every format at every level.

use super::*;
use crate::simd::activation;
use crate::simd::testing::{Guarded, Random};
use judge::weights;

mod judge;

/// `rows` rows of `columns` random weights as the file has them.
fn random_rows(format: Format, rows: usize, columns: usize, random: &mut Random) -> Vec<u8> {
    let mut file = Vec::new();
    for _ in 0..rows * columns / format.block() {
        // Extreme quanta now and then: sums must not overflow.
        let extreme = format.block() > 1 && random.below(8) == 0;
        let mut block: Vec<u8> = (0..format.file_block_bytes())
            .map(|_| random.next() as u8)
            .map(|byte| {
                if extreme {
                    [0, 0x80, 0xff][usize::from(byte) % 3]
                } else {
                    byte
                }
            })
            .collect();
        for number in format.finite() {
            number.tame(&mut block);
        }
        file.extend(block);
    }
    file
}

struct Case {
    columns: usize,
    file: Vec<u8>,
    /// Packed groups.
    groups: Guarded<u8>,
    count: usize,
    x: Vec<f32>,
    batch: usize,
}

fn case(format: Format, batch: usize, random: &mut Random) -> Case {
    let columns = format.block() * (1 + random.below(12 * 32 / format.block().max(32)));
    let rows = 1 + random.below(50);
    let count = rows.div_ceil(GROUP_ROWS);
    let file = random_rows(format, rows, columns, random);
    let bytes = format.group_bytes(columns).unwrap();
    let mut groups = Guarded::zeroed(count * bytes);
    let row_bytes = format.row_bytes(columns).unwrap();
    for (file, group) in file
        .chunks(GROUP_ROWS * row_bytes)
        .zip(groups.chunks_mut(bytes))
    {
        let mut exact = Guarded::zeroed(bytes);
        format
            .pack(&Guarded::copy(file), columns, &mut exact)
            .unwrap();
        group.copy_from_slice(&exact);
    }
    let x: Vec<f32> = (0..batch * columns).map(|_| random.float()).collect();
    Case {
        columns,
        file,
        groups,
        count,
        x,
        batch,
    }
}

impl Case {
    fn multiply(&self, format: Format, level: Level) -> Vec<u32> {
        let kind = format.activation();
        let bytes = self.batch * kind.bytes(self.columns).unwrap();
        let mut activation = Guarded::zeroed(bytes);
        activation::pack(level, kind, self.columns, &self.x, &mut activation).unwrap();
        let mut out = Guarded::zeroed(self.batch * self.count * GROUP_ROWS);
        format
            .multiply(
                level,
                &self.groups,
                self.columns,
                &activation,
                self.batch,
                &mut out,
            )
            .unwrap();
        out.iter().map(|y: &f32| y.to_bits()).collect()
    }
}

#[test]
fn every_level_equals_the_twin() {
    let mut random = Random(1);
    for &format in Format::ALL {
        for batch in (1..=9).chain([14, 16, 17, 31, 64]) {
            for _ in 0..6 {
                let case = case(format, batch, &mut random);
                let twin = case.multiply(format, Level::SCALAR);
                for level in Level::all() {
                    let loops = case.multiply(format, level);
                    assert_eq!(loops, twin, "{format:?} {level:?} batch {batch}");
                }
            }
        }
    }
}

#[test]
fn the_twin_is_a_matrix_product() {
    let mut random = Random(2);
    for &format in Format::ALL {
        for _ in 0..20 {
            let case = case(format, 3, &mut random);
            let products = case.multiply(format, Level::SCALAR);
            let rows = case.file.chunks(format.row_bytes(case.columns).unwrap());
            for (row, file) in rows.enumerate() {
                let weights = weights(format, file);
                for (t, x) in case.x.chunks(case.columns).enumerate() {
                    let terms = weights
                        .iter()
                        .zip(x)
                        .map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let exact: f64 = terms.clone().sum();
                    let largest: f64 = weights.iter().map(|w| f64::from(w.abs()) * 8.0).sum();
                    let bits = products[t * case.count * GROUP_ROWS + row];
                    let error = (f64::from(f32::from_bits(bits)) - exact).abs();
                    // Half a quantum of 8 / 127 for each activation, or rounding alone.
                    let bound = match format.activation() {
                        ActivationKind::F32 => 1e-6,
                        ActivationKind::Int8Per32 | ActivationKind::Int8Per256 => 0.51 / 127.0,
                    };
                    assert!(error <= bound * largest, "{format:?}: off by {error}");
                }
            }
        }
    }
}

#[test]
fn rows_come_back() {
    let mut random = Random(3);
    for &format in Format::ALL {
        let case = case(format, 1, &mut random);
        let rows = case.file.chunks(format.row_bytes(case.columns).unwrap());
        let bytes = format.group_bytes(case.columns).unwrap();
        for (row, file) in rows.enumerate() {
            let group = &case.groups[row / GROUP_ROWS * bytes..][..bytes];
            let mut out = Guarded::zeroed(case.columns);
            format
                .unpack_row(group, row % GROUP_ROWS, case.columns, &mut out)
                .unwrap();
            assert_eq!(*out, *weights(format, file), "{format:?}");
        }
    }
}

#[test]
fn missing_rows_are_zeros() {
    for &format in Format::ALL {
        let columns = 256;
        let file = random_rows(format, 3, columns, &mut Random(4));
        let mut group = vec![0xaa; format.group_bytes(columns).unwrap()];
        format.pack(&file, columns, &mut group).unwrap();
        let mut out = [1.0; 256];
        format.unpack_row(&group, 3, columns, &mut out).unwrap();
        assert!(out.iter().all(|x| *x == 0.0), "{format:?}");
    }
}

#[test]
fn not_finite_is_refused_with_its_block() {
    for &format in Format::ALL {
        let columns = 512;
        let mut group = vec![0; format.group_bytes(columns).unwrap()];
        let (blocks, bytes) = (16 * columns / format.block(), format.file_block_bytes());
        for number in format.finite() {
            for block in [0, 1, blocks / 2, blocks - 1] {
                let mut file = random_rows(format, 16, columns, &mut Random(5));
                number.spoil(&mut file[block * bytes..][..bytes]);
                let refused = format.pack(&file, columns, &mut group);
                assert_eq!(refused, Err(Error::NotFinite { block }), "{format:?}");
            }
        }
    }
}

#[test]
fn lengths_that_do_not_fit_are_refused() {
    let format = Format::Q4_0;
    let shape = Err(Error::Shape);
    let (mut group, mut out) = ([0; 576], [0.0; 64]);
    assert_eq!(format.group_bytes(48), None);
    assert_eq!(format.group_bytes(usize::MAX - 31), None);
    assert_eq!(format.pack(&[0; 36], 48, &mut group), shape);
    assert_eq!(format.pack(&[0; 36], 0, &mut group), shape);
    assert_eq!(format.pack(&[], 64, &mut group), shape);
    assert_eq!(format.pack(&[0; 37], 64, &mut group), shape);
    assert_eq!(format.pack(&[0; 18], 64, &mut group), shape);
    assert_eq!(format.pack(&[0; 17 * 36], 64, &mut group), shape);
    assert_eq!(format.pack(&[0; 36], 64, &mut group[1..]), shape);
    assert_eq!(format.pack(&[0; 36], 64, &mut group), Ok(()));
    assert_eq!(format.unpack_row(&group, 16, 64, &mut out), shape);
    assert_eq!(format.unpack_row(&group, 0, 64, &mut out[1..]), shape);
    assert_eq!(format.unpack_row(&group[1..], 0, 64, &mut out), shape);
    let level = Level::SCALAR;
    let mut product = |group: &[u8], columns, activation: &[u8], rows, width: usize| {
        format.multiply(level, group, columns, activation, rows, &mut out[..width])
    };
    assert_eq!(product(&group, 64, &[0; 320], 2, 32), Ok(()));
    assert_eq!(product(&group, 64, &[0; 320], 2, 31), shape);
    assert_eq!(product(&group, 64, &[0; 320], 1, 16), shape);
    assert_eq!(product(&group, 64, &[0; 319], 2, 32), shape);
    assert_eq!(product(&group[..288], 64, &[0; 320], 2, 32), shape);
    assert_eq!(product(&group, 0, &[], 2, 0), shape);
}

#[test]
fn numbers_come_back() {
    for &format in Format::ALL {
        assert_eq!(Format::from_number(format.number()), Some(format));
    }
    let names: std::collections::BTreeSet<_> =
        Format::ALL.iter().map(|format| format.name()).collect();
    assert_eq!(names.len(), Format::ALL.len());
    assert_eq!(Format::from_number(4), None);
}
