// SPDX-License-Identifier: GPL-2.0
//! A candidate for the next token.

/// A logit and its token id in one number, whose order is the contract's: the larger one has the
/// larger logit, or the same logit and the lower id. -0 counts as +0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub struct Candidate(u64);

const SIGN: u32 = 1 << 31;

impl Candidate {
    /// The candidate of a finite logit.
    #[inline(always)]
    pub fn new(logit: f32, id: u32) -> Self {
        let bits = (logit + 0.0).to_bits();
        let order = if bits & SIGN != 0 { !bits } else { bits | SIGN };
        Self((u64::from(order) << 32) | u64::from(!id))
    }

    /// Its logit.
    #[inline(always)]
    pub fn logit(self) -> f32 {
        let order = (self.0 >> 32) as u32;
        f32::from_bits(if order & SIGN != 0 {
            order & !SIGN
        } else {
            !order
        })
    }

    /// Its token id.
    // CAST: The id is in the lower half.
    #[expect(clippy::cast_possible_truncation)]
    #[inline(always)]
    pub fn id(self) -> u32 {
        !(self.0 as u32)
    }

    /// The same number in the reversed order; applied twice it is the candidate again.
    #[inline(always)]
    pub fn reversed(self) -> Self {
        Self(!self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_logit_descending_then_id_ascending() {
        let logits = [
            f32::MAX,
            3.5,
            1e-30,
            f32::from_bits(1),
            0.0,
            -1e-40,
            -2.0,
            f32::MIN,
        ];
        for pair in logits.windows(2) {
            assert!(Candidate::new(pair[0], 9) > Candidate::new(pair[1], 0));
        }
        assert!(Candidate::new(1.0, 3) > Candidate::new(1.0, 4));
        assert!(Candidate::new(-0.0, 3) > Candidate::new(0.0, 4));
        assert!(Candidate::new(1.0, 3).reversed() < Candidate::new(1.0, 4).reversed());
    }

    #[test]
    fn holds_what_it_was_given() {
        for logit in [0.0, 1.0, -1.0, f32::MAX, f32::MIN, 1e-44, -1e-44] {
            for id in [0, 1, 0x8000_0000, u32::MAX - 1] {
                let candidate = Candidate::new(logit, id);
                assert_eq!(
                    (candidate.logit().to_bits(), candidate.id()),
                    (logit.to_bits(), id)
                );
                assert_eq!(candidate.reversed().reversed(), candidate);
            }
        }
    }
}
