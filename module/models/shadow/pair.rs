// SPDX-License-Identifier: GPL-2.0
//! What comparisons of the answers of one version with a shadow came to.

use crate::sys::uapi;
use kernel::prelude::*;

/// Why an answer is not compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skip {
    /// Another one is.
    Busy,
    /// The versions have different tokens.
    Vocabulary,
    /// It is too long, or not whole.
    Length,
    /// There is not the memory.
    Memory,
    /// A version was unloaded, or computing failed.
    Stopped,
}

/// What a comparison came to.
#[derive(Default)]
pub(crate) struct Comparison {
    /// Tokens of the answer.
    pub(crate) tokens: u64,
    /// How often both find the same one the most likely.
    pub(crate) equal: u64,
    /// Sum of the differences of their log-probabilities, millionths.
    pub(crate) difference: i64,
    /// Time that the version that answered took.
    pub(crate) primary_ns: u64,
    /// Time that the shadow took.
    pub(crate) shadow_ns: u64,
}

/// A version that answers, and the shadow.
pub(super) struct Pair {
    /// Number of the version's load.
    pub(super) instance: u64,
    /// Whether both have the same tokens, once that is known.
    pub(super) is_alike: Option<bool>,
    /// As it is told.
    pub(super) counts: uapi::Shadow,
}

impl Pair {
    /// Counts an answer that is not compared.
    pub(super) fn skip(&mut self, skip: Skip) {
        let counts = &mut self.counts;
        let count = match skip {
            Skip::Busy => &mut counts.busy,
            Skip::Vocabulary => &mut counts.vocabulary,
            Skip::Length => &mut counts.length,
            Skip::Memory => &mut counts.memory,
            Skip::Stopped => &mut counts.stopped,
        };
        *count = count.saturating_add(1);
    }

    /// Counts one that was.
    pub(super) fn add(&mut self, comparison: &Comparison) {
        let counts = &mut self.counts;
        let tokens = comparison.tokens;
        // Squares of millionths would not fit.
        let thousandths = comparison.difference / 1000;
        let squared = thousandths
            .unsigned_abs()
            .saturating_mul(thousandths.unsigned_abs());
        let product = i64::try_from(tokens).unwrap_or(i64::MAX);
        let product = product.saturating_mul(thousandths);
        for (count, more) in [
            (&mut counts.turns, 1),
            (&mut counts.tokens, tokens),
            (&mut counts.equal, comparison.equal),
            (&mut counts.tokens_squared, tokens.saturating_mul(tokens)),
            (&mut counts.difference_squared, squared),
            (&mut counts.primary_ns, comparison.primary_ns),
            (&mut counts.shadow_ns, comparison.shadow_ns),
        ] {
            *count = count.saturating_add(more);
        }
        counts.difference = counts.difference.saturating_add(comparison.difference);
        counts.product = counts.product.saturating_add(product);
    }
}

#[kunit_tests(sislm_shadow)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_turns() {
        let mut pair = Pair {
            instance: 1,
            is_alike: None,
            counts: uapi::Shadow::default(),
        };
        for (tokens, equal, difference) in [(10, 9, 5_400_900), (20, 20, -2_000_999)] {
            pair.add(&Comparison {
                tokens,
                equal,
                difference,
                primary_ns: 3,
                shadow_ns: 4,
            });
        }
        pair.skip(Skip::Memory);
        let counts = &pair.counts;
        assert_eq!((counts.turns, counts.tokens, counts.equal), (2, 30, 29));
        assert_eq!((counts.primary_ns, counts.shadow_ns), (6, 8));
        assert_eq!((counts.difference, counts.memory), (3_399_901, 1));
        assert_eq!(counts.tokens_squared, 500);
        assert_eq!(counts.difference_squared, 5400 * 5400 + 2000 * 2000);
        assert_eq!(counts.product, 10 * 5400 - 20 * 2000);
    }
}
