// SPDX-License-Identifier: GPL-2.0
//! Slices cut into pieces of equal length known only at run time, without a panic path.

/// Iterator over the whole pieces of a slice; see [`pieces`].
#[derive(Clone)]
pub struct Pieces<'a, T> {
    rest: &'a [T],
    length: usize,
}

/// Cuts `slice` into pieces of `length`; a shorter rest is left out, and a length of 0 gives none.
#[inline(always)]
pub fn pieces<T>(slice: &[T], length: usize) -> Pieces<'_, T> {
    Pieces {
        rest: slice,
        length,
    }
}

impl<'a, T> Iterator for Pieces<'a, T> {
    type Item = &'a [T];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [T]> {
        if self.length == 0 {
            return None;
        }
        let (piece, rest) = self.rest.split_at_checked(self.length)?;
        self.rest = rest;
        Some(piece)
    }
}

/// Iterator over the whole pieces of a mutable slice; see [`pieces_mut`].
pub struct PiecesMut<'a, T> {
    rest: &'a mut [T],
    length: usize,
}

/// [`pieces`] of a mutable slice.
#[inline(always)]
pub fn pieces_mut<T>(slice: &mut [T], length: usize) -> PiecesMut<'_, T> {
    PiecesMut {
        rest: slice,
        length,
    }
}

impl<'a, T> Iterator for PiecesMut<'a, T> {
    type Item = &'a mut [T];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a mut [T]> {
        if self.length == 0 {
            return None;
        }
        let (piece, rest) = core::mem::take(&mut self.rest).split_at_mut_checked(self.length)?;
        self.rest = rest;
        Some(piece)
    }
}

/// [`pieces`], and the shorter rest as the last of them.
#[inline(always)]
pub fn pieces_with_rest<T>(mut slice: &[T], length: usize) -> impl Iterator<Item = &[T]> {
    core::iter::from_fn(move || {
        let (piece, rest) = slice.split_at_checked(length).unwrap_or((slice, &[]));
        slice = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// [`pieces_with_rest`] of a mutable slice.
#[inline(always)]
pub fn pieces_with_rest_mut<T>(
    mut slice: &mut [T],
    length: usize,
) -> impl Iterator<Item = &mut [T]> {
    core::iter::from_fn(move || {
        let all = core::mem::take(&mut slice);
        let (piece, rest) = all.split_at_mut_checked(length.min(all.len()))?;
        slice = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_comes_last() {
        let mut numbers = [1, 2, 3, 4, 5];
        assert!(pieces_with_rest(&numbers, 3).eq([&[1, 2, 3][..], &[4, 5]]));
        assert!(pieces_with_rest(&numbers, 5).eq([[1, 2, 3, 4, 5]]));
        assert_eq!(pieces_with_rest(&numbers, 0).count(), 0);
        for (index, piece) in pieces_with_rest_mut(&mut numbers, 3).enumerate() {
            piece.fill(index);
        }
        assert_eq!(numbers, [0, 0, 0, 1, 1]);
        assert_eq!(pieces_with_rest_mut(&mut numbers, 0).count(), 0);
    }

    #[test]
    fn whole_pieces_in_order() {
        let mut numbers = [1, 2, 3, 4, 5, 6, 7];
        assert!(pieces(&numbers, 3).eq([[1, 2, 3], [4, 5, 6]]));
        assert_eq!(pieces(&numbers, 0).count(), 0);
        assert_eq!(pieces(&numbers, 8).count(), 0);
        pieces_mut(&mut numbers, 2).for_each(|piece| piece.fill(0));
        assert_eq!(numbers, [0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(pieces_mut(&mut numbers, 0).count(), 0);
    }
}
