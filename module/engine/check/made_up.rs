// SPDX-License-Identifier: GPL-2.0
//! Weights and activations from a generator.

use crate::sampling::Generator;
use crate::simd::format::Format;
use crate::simd::pieces::pieces_mut;

/// Fills whole rows of a file: finite, magnitudes below 2, quanta over their whole range.
pub(super) fn weights(format: Format, generator: &mut Generator, rows: &mut [u8]) {
    for block in pieces_mut(rows, format.file_block_bytes()) {
        for word in block.chunks_mut(4) {
            for (byte, random) in word.iter_mut().zip(generator.draw().to_le_bytes()) {
                *byte = random;
            }
        }
        for number in format.finite() {
            number.tame(block);
        }
    }
}

/// Fills activations: within 2 to the power of -8 to 7, some zero.
pub(super) fn activations(generator: &mut Generator, x: &mut [f32]) {
    let power = f32::from_bits((119 + (generator.draw() >> 28)) << 23);
    for x in x {
        let random = generator.draw();
        let fraction = (random >> 8) as f32 * (1.0 / 8_388_608.0) - 1.0;
        *x = if random & 7 == 0 {
            0.0
        } else {
            fraction * power
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_can_be_packed() {
        let mut generator = Generator::new(1);
        for &format in Format::ALL {
            for _ in 0..50 {
                let mut rows = vec![0; 16 * format.row_bytes(256).unwrap()];
                weights(format, &mut generator, &mut rows);
                let mut group = vec![0; format.group_bytes(256).unwrap()];
                assert_eq!(format.pack(&rows, 256, &mut group), Ok(()));
            }
        }
    }
}
