// SPDX-License-Identifier: MIT OR Apache-2.0
//! The embedding of a text.

use crate::{Digest, Pooling};

/// What EVALUATE makes of the hidden states of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// How it was made.
    pub pooling: Pooling,
    /// One row, or with [`Pooling::None`] one for each token.
    pub rows: Vec<Vec<f32>>,
}

impl Embedding {
    /// SHA-256 over the f32 bits of all rows, little-endian: of rows as the device gave them a witness of
    /// the numerics contract.
    pub fn digest(&self) -> Digest {
        Digest::of_values(self.rows.iter().flatten())
    }

    /// Divides each row by its 2-norm. A row of zeros, which has no direction, stays as it is.
    pub fn normalize(&mut self) {
        for row in &mut self.rows {
            let squares = row.iter().map(|value| f64::from(*value).powi(2));
            let norm = squares.sum::<f64>().sqrt();
            if norm > 0.0 {
                for value in row {
                    #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest")]
                    let rounded = (f64::from(*value) / norm) as f32;
                    *value = rounded;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_bits_of_all_rows() {
        let of = |rows: &[&[f32]]| {
            let rows = rows.iter().map(|row| row.to_vec()).collect();
            let pooling = Pooling::None;
            Embedding { pooling, rows }.digest().to_string()
        };
        // sha256sum of 00 00 80 3f 00 00 00 80.
        let known = "0cd40d287b3669a987311a242f957a55c86c626a988a6f0136e0b627684c9fdb";
        assert_eq!(of(&[&[1.0, -0.0]]), known);
        assert_eq!(of(&[&[1.0], &[-0.0]]), known);
        assert_ne!(of(&[&[1.0, 0.0]]), known);
    }

    #[test]
    fn rows_are_divided_by_their_norms() {
        let mut embedding = Embedding {
            pooling: Pooling::None,
            rows: vec![vec![3.0, 4.0], vec![0.0, 0.0], vec![-2.0, 0.0]],
        };
        embedding.normalize();
        assert_eq!(
            embedding.rows,
            [vec![0.6, 0.8], vec![0.0, 0.0], vec![-1.0, 0.0]]
        );
    }
}
