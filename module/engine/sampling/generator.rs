// SPDX-License-Identifier: GPL-2.0
//! The named generator: PCG-XSH-RR 64/32 (O'Neill 2014, "PCG: A Family of Simple Fast
//! Space-Efficient Statistically Good Algorithms for Random Number Generation").

/// Multiplier of the reference implementation.
const MULTIPLIER: u64 = 6_364_136_223_846_793_005;
/// Stream used for every seed; the reference implementation's default.
const STREAM: u64 = 0xda3e_39cb_94b9_5bdb;

/// State of one generator; `stream` is odd.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generator {
    /// The number that changes with each draw.
    pub state: u64,
    /// The increment.
    pub stream: u64,
}

impl Generator {
    /// The generator of a seed, in the one stream this project uses.
    pub fn new(seed: u64) -> Self {
        Self::with_stream(seed, STREAM)
    }

    /// As `pcg32_srandom_r` of the reference implementation.
    fn with_stream(seed: u64, stream: u64) -> Self {
        let mut generator = Self { state: 0, stream };
        generator.draw();
        generator.state = generator.state.wrapping_add(seed);
        generator.draw();
        generator
    }

    /// 32 bits; the state advances once.
    pub fn draw(&mut self) -> u32 {
        let old = self.state;
        self.state = old.wrapping_mul(MULTIPLIER).wrapping_add(self.stream);
        // CAST: The upper bits fall away.
        #[expect(clippy::cast_possible_truncation)]
        let mixed = (((old >> 18) ^ old) >> 27) as u32;
        mixed.rotate_right((old >> 59) as u32)
    }

    /// A multiple of 2^-24 in [0, 1), from one draw.
    pub fn uniform(&mut self) -> f64 {
        f64::from(self.draw() >> 8) * (1.0 / 16_777_216.0)
    }
}

/// What one draw of a turn hands to the next.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Carried {
    /// The generator.
    pub generator: Generator,
    /// Mirostat's limit in bits, once it has begun.
    pub limit: Option<f64>,
}

impl Carried {
    /// The first draw of a turn with this seed.
    pub fn new(seed: u64) -> Self {
        Self {
            generator: Generator::new(seed),
            limit: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_reference_implementation() {
        let mut generator = Generator::with_stream(42, (54 << 1) | 1);
        let expected = [
            0xa15c_02b7,
            0x7b47_f409,
            0xba1d_3330,
            0x83d2_f293,
            0xbfa4_784b,
            0xcbed_606e,
        ];
        for number in expected {
            assert_eq!(generator.draw(), number);
        }
    }

    #[test]
    fn uniform_stays_below_one() {
        let mut generator = Generator::new(7);
        let mut sum = 0.0;
        for _ in 0..100_000 {
            let u = generator.uniform();
            assert!((0.0..1.0).contains(&u));
            sum += u;
        }
        assert!((sum / 100_000.0 - 0.5).abs() < 0.005);
    }
}
