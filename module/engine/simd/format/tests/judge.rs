// SPDX-License-Identifier: GPL-2.0
//! The weights of a row in the file, by the definitions of the formats: what packing is judged by.

use crate::math::half::f16_to_f32;
use crate::simd::format::Format;

fn half(bytes: &[u8]) -> f32 {
    f16_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Lower nibbles, then upper ones.
fn nibbles(bytes: &[u8]) -> Vec<u8> {
    let low = bytes.iter().map(|byte| byte & 15);
    low.chain(bytes.iter().map(|byte| byte >> 4)).collect()
}

/// The weights of a row.
pub fn weights(format: Format, row: &[u8]) -> Vec<f32> {
    row.chunks(format.file_block_bytes())
        .flat_map(|block| weights_of_block(format, block))
        .collect()
}

fn weights_of_block(format: Format, block: &[u8]) -> Vec<f32> {
    let scaled = |scale: f32, quanta: Vec<i32>| -> Vec<f32> {
        quanta.into_iter().map(|q| scale * q as f32).collect()
    };
    match format {
        Format::F32 => vec![f32::from_le_bytes(block.try_into().unwrap())],
        Format::F16 => vec![half(block)],
        Format::Bf16 => vec![f32::from_bits(
            u32::from(block[0]) << 16 | u32::from(block[1]) << 24,
        )],
        Format::Q8_0 => scaled(
            half(block),
            block[2..].iter().map(|q| i32::from(*q as i8)).collect(),
        ),
        Format::Q4_0 => {
            let quanta = nibbles(&block[2..]).into_iter();
            scaled(half(block), quanta.map(|q| i32::from(q) - 8).collect())
        }
        Format::Q4_1 => with_minimum(block, nibbles(&block[4..])),
        Format::Q5_0 => {
            let quanta = fives(&block[2..6], &block[6..]).into_iter();
            scaled(half(block), quanta.map(|q| i32::from(q) - 16).collect())
        }
        Format::Q5_1 => with_minimum(block, fives(&block[4..8], &block[8..])),
        Format::Q2K => weights_q2_k(block),
        Format::Q3K => weights_q3_k(block),
        Format::Q4K => weights_q4_k(block, |_, _| 0, &block[16..]),
        Format::Q5K => weights_q4_k(
            block,
            |part, k| (block[16 + k] >> part & 1) << 4,
            &block[48..],
        ),
        Format::Q6K => weights_q6_k(block),
    }
}

/// Nibbles with a fifth bit each.
fn fives(high: &[u8], quanta: &[u8]) -> Vec<u8> {
    let bit = |k: usize| high[k / 8] >> (k % 8) & 1;
    let quanta = nibbles(quanta).into_iter().enumerate();
    quanta.map(|(k, q)| q + 16 * bit(k)).collect()
}

/// Scale and minimum begin the block.
fn with_minimum(block: &[u8], quanta: Vec<u8>) -> Vec<f32> {
    let (scale, minimum) = (half(block), half(&block[2..]));
    let weight = |q: u8| scale.mul_add(f32::from(q), minimum);
    quanta.into_iter().map(weight).collect()
}

/// After dequantize_row_q2_K of ggml.
fn weights_q2_k(block: &[u8]) -> Vec<f32> {
    let (d, dmin) = (half(&block[80..]), half(&block[82..]));
    let mut out = Vec::new();
    for k in 0..256 {
        let (scale, minimum) = (block[k / 16] & 15, block[k / 16] >> 4);
        let quantum = block[16 + k / 128 * 32 + k % 32] >> (k / 32 % 4 * 2) & 3;
        let minimum = dmin * f32::from(minimum);
        out.push((d * f32::from(scale)).mul_add(f32::from(quantum), -minimum));
    }
    out
}

/// After dequantize_row_q3_K of ggml, whose scales are four words put together.
fn weights_q3_k(block: &[u8]) -> Vec<f32> {
    let word = |i: usize| u32::from_le_bytes(block[96 + 4 * i..][..4].try_into().unwrap());
    let (low, high, top) = (word(0), word(1), word(2));
    let (nibble, pair) = (0x0f0f_0f0f, 0x0303_0303);
    let scales = [
        low & nibble | (top & pair) << 4,
        high & nibble | (top >> 2 & pair) << 4,
        low >> 4 & nibble | (top >> 4 & pair) << 4,
        high >> 4 & nibble | (top >> 6 & pair) << 4,
    ];
    let scales: Vec<u8> = scales.iter().flat_map(|word| word.to_le_bytes()).collect();
    let d = half(&block[108..]);
    let mut out = Vec::new();
    for k in 0..256 {
        let lower = block[32 + k / 128 * 32 + k % 32] >> (k / 32 % 4 * 2) & 3;
        let less = if block[k % 32] >> (k / 32) & 1 == 0 {
            4.0
        } else {
            0.0
        };
        let scale = d * (f32::from(scales[k / 16]) - 32.0);
        out.push(scale * (f32::from(lower) - less));
    }
    out
}

/// After dequantize_row_q4_K of ggml; `upper(part, k)` are the bits above the nibbles.
fn weights_q4_k(block: &[u8], upper: impl Fn(usize, usize) -> u8, quanta: &[u8]) -> Vec<f32> {
    let (d, dmin, packed) = (half(block), half(&block[2..]), &block[4..16]);
    let scale_and_minimum = |j: usize| match j {
        0..4 => (packed[j] & 63, packed[j + 4] & 63),
        _ => (
            packed[j + 4] & 15 | (packed[j - 4] >> 6) << 4,
            packed[j + 4] >> 4 | (packed[j] >> 6) << 4,
        ),
    };
    let mut out = Vec::new();
    for (n, quanta) in quanta.chunks(32).enumerate() {
        for (part, shift) in [(2 * n, 0), (2 * n + 1, 4)] {
            let (scale, minimum) = scale_and_minimum(part);
            let (scale, minimum) = (d * f32::from(scale), dmin * f32::from(minimum));
            out.extend(quanta.iter().enumerate().map(|(k, q)| {
                let quantum = q >> shift & 15 | upper(part, k);
                scale.mul_add(f32::from(quantum), -minimum)
            }));
        }
    }
    out
}

/// After dequantize_row_q6_K of ggml.
fn weights_q6_k(block: &[u8]) -> Vec<f32> {
    let d = half(&block[208..]);
    let mut out = vec![0.0; 256];
    for n in 0..2 {
        let (lower, upper) = (&block[64 * n..], &block[128 + 32 * n..]);
        let scales = &block[192 + 8 * n..];
        for l in 0..32 {
            let quanta = [
                lower[l] & 15 | (upper[l] & 3) << 4,
                lower[l + 32] & 15 | (upper[l] >> 2 & 3) << 4,
                lower[l] >> 4 | (upper[l] >> 4 & 3) << 4,
                lower[l + 32] >> 4 | (upper[l] >> 6 & 3) << 4,
            ];
            for (quarter, quantum) in quanta.into_iter().enumerate() {
                let scale = d * f32::from(scales[l / 16 + 2 * quarter] as i8);
                out[128 * n + 32 * quarter + l] = scale * (f32::from(quantum) - 32.0);
            }
        }
    }
    out
}
