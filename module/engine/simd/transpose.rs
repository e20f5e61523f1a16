// SPDX-License-Identifier: GPL-2.0
//! Packing of floating-point weights, whose blocks are single columns: a transposition.

use super::codec::RUN;
use super::group::GROUP_ROWS;

/// Turns 16 rows of [`RUN`] weights, of which those that are missing are zeros, into columns; `Err`
/// has the first column, and in it the first row, of a weight that is not finite. `magnitude` grows
/// with the absolute value of a weight, and is at least `infinity` where it is not finite.
pub(super) fn transpose<const N: usize, M: Ord + Copy>(
    rows: &[Option<&[[u8; N]; RUN]>; GROUP_ROWS],
    columns: &mut [[[u8; N]; GROUP_ROWS]; RUN],
    magnitude: impl Fn([u8; N]) -> M,
    infinity: M,
) -> Result<(), (usize, usize)> {
    for (lane, row) in rows.iter().enumerate() {
        let row = row.unwrap_or(&[[0; N]; RUN]);
        for (column, weight) in columns.iter_mut().zip(row) {
            column[lane % GROUP_ROWS] = *weight;
        }
    }
    // The largest first: it is found in vectors.
    let magnitudes = columns
        .as_flattened()
        .iter()
        .map(|weight| magnitude(*weight));
    if magnitudes.max().is_none_or(|largest| largest < infinity) {
        return Ok(());
    }
    let bad = |column: &[[u8; N]; GROUP_ROWS]| {
        let mut weights = column.iter();
        weights.position(|weight| magnitude(*weight) >= infinity)
    };
    let mut columns = columns.iter().enumerate();
    match columns.find_map(|(index, column)| Some((index, bad(column)?))) {
        Some(place) => Err(place),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns_and_the_first_bad_one_is_told() {
        let mut rows: [[[u8; 1]; RUN]; GROUP_ROWS] =
            core::array::from_fn(|lane| core::array::from_fn(|k| [(8 * lane + k) as u8]));
        let mut columns = [[[0]; GROUP_ROWS]; RUN];
        let mut pack = |rows: &[[[u8; 1]; RUN]; GROUP_ROWS]| {
            transpose(&rows.each_ref().map(Some), &mut columns, |[byte]| byte, 128)
        };
        assert_eq!(pack(&rows), Ok(()));
        for (row, column, first) in [(9, 5, (5, 9)), (3, 6, (5, 9)), (7, 5, (5, 7))] {
            rows[row][column] = [200];
            assert_eq!(pack(&rows), Err(first));
        }
        for (k, column) in columns.iter().enumerate() {
            for (lane, weight) in column.iter().enumerate() {
                assert_eq!(*weight, rows[lane][k]);
            }
        }
    }
}
