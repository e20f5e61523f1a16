// SPDX-License-Identifier: GPL-2.0
//! Sets of special tokens, as far as a search for them in text needs: their lengths and first
//! bytes, so that almost every position of a text is passed over without a look-up.

use crate::gguf::cells::{self, Cell};

use super::TOKEN_BYTES_MAX;

/// Cells of a set: one bit for each length from 1, then one for each first byte.
pub(super) const CELLS: usize = LENGTH_CELLS + 8;
const LENGTH_CELLS: usize = TOKEN_BYTES_MAX / 32;

/// Adds a token of `length` bytes, of which `first` is the first, to the set in `cells`.
pub(super) fn add(cells: &mut [Cell], first: u8, length: usize) {
    set_bit(cells, length.saturating_sub(1));
    set_bit(cells, LENGTH_CELLS * 32 + usize::from(first));
}

/// The greatest length, at most `most`, of a token in the set that may start with `first`.
pub(super) fn longest(cells: &[Cell], first: u8, most: usize) -> Option<usize> {
    if !bit(cells, LENGTH_CELLS * 32 + usize::from(first)) {
        return None;
    }
    let last = most.min(TOKEN_BYTES_MAX).checked_sub(1)?;
    let mut at = last >> 5;
    let mut bits = cells::get(cells, at)? & (!0 >> (31 - (last & 31)));
    while bits == 0 {
        at = at.checked_sub(1)?;
        bits = cells::get(cells, at)?;
    }
    Some((at << 5) + 32 - bits.leading_zeros() as usize)
}

fn bit(cells: &[Cell], number: usize) -> bool {
    cells::get(cells, number >> 5).is_some_and(|bits| bits >> (number & 31) & 1 == 1)
}

fn set_bit(cells: &mut [Cell], number: usize) {
    if let Some(bits) = cells::get(cells, number >> 5) {
        cells::set(cells, number >> 5, bits | 1 << (number & 31));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_descend() {
        let mut cells = [[0; 4]; CELLS];
        let texts = [
            &b"<s>"[..],
            b"<|end|>",
            &[b'x'; 32],
            &[b'y'; 33],
            &[b'z'; 1024],
        ];
        for text in texts {
            add(&mut cells, text[0], text.len());
        }
        for first in *b"<xyz" {
            let mut found = vec![];
            let mut most = usize::MAX;
            while let Some(length) = longest(&cells, first, most) {
                found.push(length);
                most = length - 1;
            }
            assert_eq!(found, [1024, 33, 32, 7, 3]);
        }
        assert_eq!(longest(&cells, b'<', 6), Some(3));
        assert_eq!(longest(&cells, b'<', 2), None);
        assert_eq!(longest(&cells, b'a', 1024), None);
    }
}
