// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts that are timed: inner loops and turns, where they run.

use std::time::Instant;

use sislm::{Device, Error, InnerLoop, Model, Session, Tokenize};
use sislm::{BENCH_DEQUANTIZE, BENCH_MULTIPLY};

use super::counters::Counters;
use crate::bench::Test;

/// Number of Q4_0 in GGUF.
const Q4_0: u32 = 2;
/// Weight rows of a group, which are computed together.
const GROUP: u32 = 16;
/// Columns and rows of the seven products of a layer of TinyLlama's shape: query, key, value, output, gate, up, down.
const LAYER: [(u32, u32); 7] = [
    (2048, 2048),
    (2048, 256),
    (2048, 256),
    (2048, 2048),
    (2048, 5632),
    (2048, 5632),
    (5632, 2048),
];
/// Characters of the text that is tokenized.
const CHARACTERS: usize = 4000;
/// What is repeated to make it.
const SENTENCE: &str = "The quick brown fox jumps over the lazy dog, and 12 more of them wait. ";
/// Most tokens of a turn.
const TOKENS: u32 = 64;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// 100 characters to ids.
    Tokenization,
    /// A block of Q4_0 to numbers.
    Dequantization,
    /// The product of a row of 384 weights with a vector.
    Dot,
    /// That of a matrix of 384 rows.
    Matrix,
    /// Those of a layer.
    Layer,
    /// A token of an answer.
    Token,
    /// The keys and values that are there already.
    KvHits,
}

/// An iteration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Nanoseconds, or a fraction.
    pub value: f64,
    /// Instructions that it took, if they are counted.
    pub instructions: Option<f64>,
}

/// Where it is measured.
pub(crate) struct Subject<'a> {
    /// The device.
    pub device: &'a Device,
    /// The model of turns and texts.
    pub model: &'a Model,
    /// A session on it, for [`Part::test`].
    pub session: Session,
    /// What counts.
    pub counters: Option<Counters>,
}

impl Part {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 7] = [
        Self::Tokenization,
        Self::Dequantization,
        Self::Dot,
        Self::Matrix,
        Self::Layer,
        Self::Token,
        Self::KvHits,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokenization => "tokenization of 100 characters",
            Self::Dequantization => "dequantization of 32 (Q4_0)",
            Self::Dot => "dot product of 384 (Q4_0)",
            Self::Matrix => "matrix product, 384x384 (Q4_0)",
            Self::Layer => "products of a TinyLlama layer",
            Self::Token => "a token",
            Self::KvHits => "KV hits of a turn",
        }
    }

    /// What it is to stay below, nanoseconds; a rate, above.
    pub(crate) fn target(self) -> f64 {
        match self {
            Self::Tokenization => 10e3,
            Self::Dequantization => 2e3,
            Self::Dot => 1e3,
            Self::Matrix => 500e3,
            Self::Layer => 5e6,
            Self::Token => 200e6,
            Self::KvHits => 0.9,
        }
    }

    /// Whether it is a fraction, and no time.
    pub(crate) fn is_rate(self) -> bool {
        self == Self::KvHits
    }

    /// The turn of the last two, on a model of so many positions.
    pub(crate) fn test(positions: u32) -> Test {
        Test::Generation(TOKENS.min(positions.saturating_sub(2)).max(1))
    }

    /// An iteration.
    pub(crate) fn run(self, subject: &mut Subject<'_>) -> anyhow::Result<Sample> {
        match self {
            Self::Tokenization => tokenization(subject),
            Self::Dequantization => {
                let dequantize = InnerLoop {
                    kind: BENCH_DEQUANTIZE,
                    rows: 0,
                    ..products(32, 16 * GROUP)
                };
                loops(subject, &[dequantize], 200, f64::from(16 * GROUP))
            }
            Self::Dot => loops(subject, &[products(384, GROUP)], 2000, f64::from(GROUP)),
            Self::Matrix => loops(subject, &[products(384, 384)], 200, 1.0),
            Self::Layer => {
                let products = LAYER.map(|(columns, rows)| products(columns, rows));
                loops(subject, &products, 3, 1.0)
            }
            Self::Token => token(subject),
            Self::KvHits => kv_hits(subject),
        }
    }
}

/// The loop of a matrix with a vector.
fn products(columns: u32, rows: u32) -> InnerLoop {
    InnerLoop {
        kind: BENCH_MULTIPLY,
        format: Q4_0,
        rows: 1,
        columns,
        groups: rows / GROUP,
        warm_up: 1,
        ..Default::default()
    }
}

/// What `work` gives, and the instructions meanwhile.
fn counted<T>(
    counters: &mut Option<Counters>,
    work: impl FnOnce() -> Result<T, Error>,
) -> anyhow::Result<(T, Option<f64>)> {
    let mut read = || counters.as_mut().map(Counters::read).transpose();
    let before = read()?;
    let result = work()?;
    let after = read()?;
    let spent = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before) as f64);
    Ok((result, spent))
}

/// One of `parts` in a pass of `loops`. Making the data is taken out: it is in a shorter call, too.
fn loops(
    subject: &mut Subject<'_>,
    loops: &[InnerLoop],
    repeats: u32,
    parts: f64,
) -> anyhow::Result<Sample> {
    let mut value = 0.0;
    let mut instructions = Some(0.0);
    for inner in loops {
        let mut pass = |repeats| {
            let inner = InnerLoop { repeats, ..*inner };
            counted(&mut subject.counters, || subject.device.time_loop(inner))
        };
        let (_, few) = pass(1)?;
        let (long, many) = pass(repeats + 1)?;
        value += long.ns as f64 / f64::from(repeats + 1) / parts;
        let spent = few
            .zip(many)
            .map(|(few, many)| (many - few) / f64::from(repeats) / parts);
        instructions = instructions.zip(spent).map(|(sum, spent)| sum + spent);
    }
    Ok(Sample {
        value,
        instructions,
    })
}

/// Of a long text, for what a call itself takes.
fn tokenization(subject: &mut Subject<'_>) -> anyhow::Result<Sample> {
    let text: String = SENTENCE.chars().cycle().take(CHARACTERS).collect();
    let hundreds = CHARACTERS as f64 / 100.0;
    let started = Instant::now();
    let (_, spent) = counted(&mut subject.counters, || {
        subject
            .session
            .tokenize(text.as_bytes(), Tokenize::default())
    })?;
    Ok(Sample {
        value: started.elapsed().as_nanos() as f64 / hundreds,
        instructions: spent.map(|spent| spent / hundreds),
    })
}

/// Of an answer, from an empty context.
fn token(subject: &mut Subject<'_>) -> anyhow::Result<Sample> {
    let test = Part::test(subject.model.context);
    let tokens = f64::from(test.tokens());
    let (ns, spent) = counted(&mut subject.counters, || {
        test.run(&mut subject.session, subject.model)
    })?;
    Ok(Sample {
        value: ns as f64 / tokens,
        instructions: spent.map(|spent| spent / tokens),
    })
}

/// Of the keys that the rows of a turn look at, those that were computed before.
fn kv_hits(subject: &mut Subject<'_>) -> anyhow::Result<Sample> {
    let computed = || {
        subject
            .device
            .statistics()
            .map(|all| all.positions_computed)
    };
    let before = computed()?;
    Part::test(subject.model.context).run(&mut subject.session, subject.model)?;
    let computed = computed()?.saturating_sub(before);
    let positions = subject.session.outcome()?.positions;
    Ok(Sample {
        value: hits(computed, u64::from(positions)),
        instructions: None,
    })
}

/// The part of hits when `computed` rows were computed for a context of `positions`: the row of each position looks
/// at all before it.
fn hits(computed: u64, positions: u64) -> f64 {
    let rows = computed.min(positions);
    let hits = (rows * rows.saturating_sub(1) / 2) as f64;
    match computed {
        0 => 0.0,
        computed => hits / (hits + computed as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_has_the_weights_of_tinyllama() {
        let weights: u32 = LAYER.iter().map(|(columns, rows)| columns * rows).sum();
        assert_eq!(weights, 44_040_192);
        assert!(LAYER
            .iter()
            .all(|(columns, rows)| columns % 32 == 0 && rows % GROUP == 0));
    }

    #[test]
    fn what_is_computed_twice_is_no_hit() {
        assert!((hits(65, 65) - 2080.0 / 2145.0).abs() < 1e-9);
        assert!(hits(65 * 64 / 2, 65) < 0.51);
        assert_eq!(hits(0, 0), 0.0);
        assert_eq!(hits(1, 1), 0.0);
    }

    #[test]
    fn a_turn_fits_the_context() {
        assert_eq!(Part::test(4096), Test::Generation(64));
        assert_eq!(Part::test(32), Test::Generation(30));
        assert_eq!(Part::test(2), Test::Generation(1));
    }
}
