// SPDX-License-Identifier: GPL-2.0
//! The columns of a matrix of activations that one chunk writes.

use core::marker::PhantomData;
use core::ops::Range;

/// Some columns of a matrix in step memory; other chunks write the other columns.
pub struct Columns<'a> {
    // INVARIANT: `rows` rows of `stride` initialized values start at `base`; the columns of
    // `range`, which ends within `stride`, are referred to by this view alone for 'a.
    base: *mut f32,
    rows: usize,
    stride: usize,
    range: Range<usize>,
    memory: PhantomData<&'a mut [f32]>,
}

impl<'a> Columns<'a> {
    /// Views columns `range` of the matrix at `base`; columns past `stride` are left out.
    ///
    /// # Safety
    ///
    /// `rows * stride` initialized values at `base` stay for `'a`, and nobody else refers to those
    /// in the columns of `range` meanwhile.
    pub unsafe fn new(base: *mut f32, rows: usize, stride: usize, range: Range<usize>) -> Self {
        // INVARIANT: the caller's promise; the end is bounded here.
        let range = range.start..range.end.min(stride);
        Columns {
            base,
            rows,
            stride,
            range,
            memory: PhantomData,
        }
    }

    /// `count` values of `row` from column `first` of the matrix on; `None` when they are not all
    /// in the view.
    #[inline]
    pub fn row(&mut self, row: usize, first: usize, count: usize) -> Option<&mut [f32]> {
        let end = first.checked_add(count)?;
        if row >= self.rows || first < self.range.start || end > self.range.end {
            return None;
        }
        // SAFETY: Within the matrix and the view's columns, as just checked, so by the invariant
        // initialized and nobody else's; `&mut self` keeps the results of this view apart.
        Some(unsafe {
            let values = self.base.add(row * self.stride + first);
            core::slice::from_raw_parts_mut(values, count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_views_share_a_matrix() {
        let mut matrix = [0f32; 12];
        let base = matrix.as_mut_ptr();
        // SAFETY: The matrix outlives both views, and their columns are disjoint.
        let (mut left, mut right) = unsafe {
            (
                Columns::new(base, 3, 4, 0..3),
                Columns::new(base, 3, 4, 3..9),
            )
        };
        left.row(1, 1, 2).unwrap().fill(1.0);
        right.row(2, 3, 1).unwrap().fill(2.0);
        assert!(left.row(1, 2, 2).is_none());
        assert!(left.row(3, 0, 1).is_none());
        assert!(right.row(0, 3, 2).is_none());
        assert!(right.row(0, 2, 1).is_none());
        assert_eq!(matrix, [0., 0., 0., 0., 0., 1., 1., 0., 0., 0., 0., 2.]);
    }
}
