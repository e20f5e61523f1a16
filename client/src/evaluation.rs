// SPDX-License-Identifier: MIT OR Apache-2.0
//! Log-probabilities of given tokens.

use crate::uapi::SISLM_MILLION;
use crate::Digest;

/// A token and its log-probability: natural logarithm, millionths, 0 or negative.
pub use crate::uapi::sislm_candidate as Candidate;

/// What EVALUATE says about `n` ids.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// `n` entries: 0, then ln p(id | the ids before), millionths.
    pub log_probabilities: Vec<i32>,
    /// `n` rows of the most likely tokens after each id, descending; empty when none were asked for.
    pub top: Vec<Vec<Candidate>>,
    /// Sum of the negative log-probabilities, millionths.
    pub nll: u64,
    /// Nanoseconds spent.
    pub prefill_ns: u64,
    /// SHA-256 over the f32 bits of all rows' logits: the witness of the numerics contract.
    pub logits_digest: Digest,
}

impl Evaluation {
    /// Mean negative log-probability of a token, natural logarithm; None below two ids.
    pub fn mean_nll(&self) -> Option<f64> {
        let tokens = self
            .log_probabilities
            .len()
            .checked_sub(1)
            .filter(|&count| count > 0)?;
        Some(self.nll as f64 / f64::from(SISLM_MILLION) / tokens as f64)
    }

    /// Perplexity: e to the mean; None below two ids.
    pub fn perplexity(&self) -> Option<f64> {
        self.mean_nll().map(f64::exp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(log_probabilities: Vec<i32>) -> Evaluation {
        let nll = log_probabilities
            .iter()
            .map(|&l| u64::from(l.unsigned_abs()))
            .sum();
        Evaluation {
            log_probabilities,
            top: vec![],
            nll,
            prefill_ns: 0,
            logits_digest: Digest::default(),
        }
    }

    #[test]
    fn the_first_id_is_not_counted() {
        let evaluation = evaluation(vec![0, -1_000_000, -3_000_000]);
        assert_eq!(evaluation.mean_nll(), Some(2.0));
        assert!((evaluation.perplexity().unwrap() - 2.0_f64.exp()).abs() < 1e-12);
    }

    #[test]
    fn one_id_has_no_perplexity() {
        assert_eq!(evaluation(vec![0]).mean_nll(), None);
        assert_eq!(evaluation(vec![]).perplexity(), None);
    }
}
