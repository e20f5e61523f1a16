// SPDX-License-Identifier: GPL-2.0
//! The weights of a row in the file, by the definitions of the formats: what packing is judged by.

use crate::math::half::f16_to_f32;
use crate::simd::format::Format;
use crate::simd::grids;

fn half(bytes: &[u8]) -> f32 {
    f16_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Lower nibbles, then upper ones.
fn nibbles(bytes: &[u8]) -> Vec<u8> {
    let low = bytes.iter().map(|byte| byte & 15);
    low.chain(bytes.iter().map(|byte| byte >> 4)).collect()
}

/// The weights of a row.
pub(super) fn weights(format: Format, row: &[u8]) -> Vec<f32> {
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
        Format::IQ4NL => scaled(half(block), codes(&UNEVEN, &nibbles(&block[2..]))),
        Format::IQ4XS => each(256, |k| {
            let (b, upper) = (k / 32, u16::from_le_bytes([block[2], block[3]]));
            let low = block[4 + b / 2] >> (4 * (b % 2)) & 15;
            let scale = i32::from(low) + 16 * i32::from(upper >> (2 * b) & 3) - 32;
            let nibble = block[8 + 16 * b + k % 16] >> (k % 32 / 16 * 4) & 15;
            half(block) * (scale * UNEVEN[usize::from(nibble)]) as f32
        }),
        Format::MXFP4 => {
            let quanta = codes(&DOUBLED, &nibbles(&block[1..]));
            let power = 2f64.powi(i32::from(block[0]) - 128);
            quanta
                .into_iter()
                .map(|q| (power * f64::from(q)) as f32)
                .collect()
        }
        Format::NVFP4 => each(64, |k| {
            let nibble = block[4 + k / 16 * 8 + k % 8] >> (k % 16 / 8 * 4) & 15;
            let byte = block[k / 16] & 127;
            let (exponent, mantissa) = (i32::from(byte / 8), f64::from(byte % 8));
            let scale = match byte {
                127 => 0.0,
                0..8 => mantissa / 8.0 * 2f64.powi(-6),
                _ => (1.0 + mantissa / 8.0) * 2f64.powi(exponent - 7),
            };
            (scale / 2.0 * f64::from(DOUBLED[usize::from(nibble)])) as f32
        }),
        Format::TQ1_0 => {
            let trit = |byte: usize, n: u32| {
                let part = (u32::from(block[byte]) * 3u32.pow(n)) % 256;
                (part * 3 / 256) as f32 - 1.0
            };
            let first = (0..160).map(|k| trit(k % 32, k as u32 / 32));
            let second = (0..80).map(|k| trit(32 + k % 16, k as u32 / 16));
            let third = (0..16).map(|k| trit(48 + k % 4, k as u32 / 4));
            let trits = first.chain(second).chain(third);
            trits.map(|trit| half(&block[52..]) * trit).collect()
        }
        Format::TQ2_0 => each(256, |k| {
            let quantum = block[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
            half(&block[64..]) * (f32::from(quantum) - 1.0)
        }),
        Format::Q1_0 => each(128, |k| {
            let bit = block[2 + k / 8] >> (k % 8) & 1;
            if bit == 1 { half(block) } else { -half(block) }
        }),
        Format::Q2_0 => each(64, |k| {
            let quantum = block[2 + k / 4] >> (k % 4 * 2) & 3;
            half(block) * (f32::from(quantum) - 1.0)
        }),
        Format::IQ2XXS => each(256, |k| {
            let (b, l, j) = (k / 32, k % 32 / 8, k % 8);
            let signs = word(block, 2 + 8 * b + 4);
            let index = usize::from(block[2 + 8 * b + l]);
            let scale = half(block) * (0.5 + (signs >> 28) as f32) / 4.0;
            scale * TWO[of_eight(grids::IQ2_XXS[index], j)] * minus(seven(signs >> (7 * l)), j)
        }),
        Format::IQ2XS => each(256, |k| {
            let entry = usize::from(block[2 + k / 8 * 2]) + 256 * usize::from(block[3 + k / 8 * 2]);
            let step = block[66 + k / 32] >> (k % 32 / 16 * 4) & 15;
            let scale = half(block) * (0.5 + f32::from(step)) / 4.0;
            let signs = seven((entry / 512) as u32);
            scale * TWO[of_eight(grids::IQ2_XS[entry % 512], k % 8)] * minus(signs, k % 8)
        }),
        Format::IQ2S => each(256, |k| {
            let high = usize::from(block[66 + k / 32] >> (k % 32 / 8 * 2) & 3);
            let index = usize::from(block[2 + k / 8]) + 256 * high;
            let step = block[74 + k / 32] >> (k % 32 / 16 * 4) & 15;
            let scale = half(block) * (0.5 + f32::from(step)) / 4.0;
            scale * TWO[of_eight(grids::IQ2_S[index], k % 8)] * minus(block[34 + k / 8], k % 8)
        }),
        Format::IQ3XXS => each(256, |k| {
            let signs = word(block, 66 + k / 32 * 4);
            let index = usize::from(block[2 + k / 4]);
            let scale = half(block) * (0.5 + (signs >> 28) as f32) / 2.0;
            let magnitude = [4.0, 12.0, 20.0, 28.0, 36.0, 44.0, 52.0, 62.0];
            let signs = seven(signs >> (k % 32 / 8 * 7));
            scale * magnitude[of_four(grids::IQ3_XXS[index], k % 4)] * minus(signs, k % 8)
        }),
        Format::IQ3S => each(256, |k| {
            let high = usize::from(block[66 + k / 32] >> (k % 32 / 4) & 1);
            let index = usize::from(block[2 + k / 4]) + 256 * high;
            let step = block[106 + k / 64] >> (k % 64 / 32 * 4) & 15;
            let scale = half(block) * f32::from(1 + 2 * step);
            let magnitude = 1.0 + 2.0 * of_four(grids::IQ3_S[index], k % 4) as f32;
            scale * magnitude * minus(block[74 + k / 8], k % 8)
        }),
        Format::IQ1S => each(256, |k| {
            let part = u16::from_le_bytes([block[34 + k / 32 * 2], block[35 + k / 32 * 2]]);
            let high = usize::from(part >> (k % 32 / 8 * 3) & 7);
            let delta = if part & 0x8000 == 0 { 0.125 } else { -0.125 };
            let scale = half(block) * f32::from(2 * (part >> 12 & 7) + 1);
            let index = usize::from(block[2 + k / 8]) + 256 * high;
            scale * (of_eight(grids::IQ1_S[index], k % 8) as f32 - 1.0 + delta)
        }),
        Format::IQ1M => each(256, |k| {
            let scales = |i: usize| u16::from_le_bytes([block[48 + 2 * i], block[49 + 2 * i]]);
            let bits = (0..4).map(|i| (scales(i) & 0xf000) >> (12 - 4 * i)).sum();
            let step = scales(k / 64) >> (k % 64 / 16 * 3) & 7;
            let high = block[32 + k / 16] >> (k % 16 / 8 * 4) & 15;
            let delta = if high & 8 == 0 { 0.125 } else { -0.125 };
            let index = usize::from(block[k / 8]) + 256 * usize::from(high & 7);
            let scale = f16_to_f32(bits) * f32::from(2 * step + 1);
            scale * (of_eight(grids::IQ1_S[index], k % 8) as f32 - 1.0 + delta)
        }),
    }
}

const UNEVEN: [i32; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];
const DOUBLED: [i32; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];
/// The magnitudes of the formats IQ2.
const TWO: [f32; 3] = [8.0, 25.0, 43.0];

fn each(count: usize, weight: impl Fn(usize) -> f32) -> Vec<f32> {
    (0..count).map(weight).collect()
}

fn codes(quanta: &[i32; 16], codes: &[u8]) -> Vec<i32> {
    codes
        .iter()
        .map(|code| quanta[usize::from(*code)])
        .collect()
}

fn word(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(block[at..at + 4].try_into().unwrap())
}

/// Code `k` of an entry of eight.
fn of_eight(entry: u16, k: usize) -> usize {
    usize::from(entry) / 4usize.pow(k as u32) % 4
}

/// Code `k` of an entry of four.
fn of_four(entry: u16, k: usize) -> usize {
    usize::from(entry) / 8usize.pow(k as u32) % 8
}

/// Seven signs and the eighth that makes the number of minus signs even.
fn seven(bits: u32) -> u8 {
    let bits = bits as u8 % 128;
    if bits.count_ones().is_multiple_of(2) {
        bits
    } else {
        bits + 128
    }
}

fn minus(signs: u8, k: usize) -> f32 {
    if signs >> k & 1 == 0 { 1.0 } else { -1.0 }
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
