// SPDX-License-Identifier: GPL-2.0
//! What a call of NEXT asks of its turn, and what it is given.

use crate::sys::{
    neon::Section,
    sample::Sampler,
    step::Logits,
    task,
    uapi::{Candidate, Next},
    wiped::Wiped,
};
use kernel::prelude::*;

/// Bits of a word of a mask.
const WORD: u32 = u32::BITS;

/// The next token of a turn, as its caller wants it.
pub(crate) struct Guide {
    /// A bit for each token that may be drawn; empty for all.
    mask: Wiped<u32>,
    /// The most likely tokens, once one is drawn.
    candidates: Wiped<Candidate>,
    /// The token drawn, and its log-probability in millionths.
    drawn: Option<(u32, i32)>,
    /// Whether the caller has got what it asked for.
    answered: bool,
}

impl Guide {
    /// Of a call; takes its memory, charged to the caller. `EINVAL`: the mask is not one of a
    /// vocabulary of so many.
    pub(crate) fn new(request: &Next, mask: Wiped<u32>, vocabulary: u32) -> Result<Self> {
        if !mask.is_empty() && !is_of(&mask, vocabulary) {
            return Err(EINVAL);
        }
        Ok(Self {
            mask,
            candidates: Wiped::zeroed(request.top_k as usize)?,
            drawn: None,
            answered: false,
        })
    }

    /// A bit for each token that may be drawn; empty for all.
    pub(crate) fn mask(&self) -> &[u32] {
        &self.mask
    }

    /// Takes the token that was drawn, and from the logits what the caller wants to know.
    pub(crate) fn take(
        &mut self,
        token: u32,
        section: &mut Section,
        sampler: &mut Sampler,
        logits: &Logits<'_>,
    ) -> Result {
        let score = sampler.score(section, logits, token, &mut self.candidates, task::relax)?;
        self.drawn = Some((token, score));
        Ok(())
    }

    /// Whether the caller has got what it asked for.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered
    }

    /// Gives the call what it asked for; the candidates are to be copied to it, when a token was drawn.
    /// `EINVAL`: it is not the call that asked. Frees nothing.
    pub(crate) fn answer(&mut self, request: &mut Next) -> Result<Wiped<Candidate>> {
        if self.answered || self.candidates.len() != request.top_k as usize {
            return Err(EINVAL);
        }
        self.answered = true;
        (request.id, request.log_probability) = self.drawn.unwrap_or((!0, 0));
        Ok(core::mem::replace(&mut self.candidates, Wiped::new()))
    }
}

/// Whether a mask has a bit for each token of a vocabulary of so many, and no more.
fn is_of(mask: &[u32], vocabulary: u32) -> bool {
    let words = vocabulary.div_ceil(WORD) as usize;
    let past = match vocabulary % WORD {
        0 => 0,
        used => u32::MAX << used,
    };
    mask.len() == words && mask.last().is_none_or(|last| last & past == 0)
}

#[kunit_tests(sislm_guide)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_a_bit_for_each_token() {
        assert!(is_of(&[!0, 1], 33));
        assert!(!is_of(&[!0, 2], 33));
        assert!(is_of(&[!0, !0], 64));
        assert!(!is_of(&[!0, !0], 65));
        assert!(!is_of(&[!0, !0, 0], 64));
    }

    #[test]
    fn an_answer_is_given_once_and_to_who_asked() -> Result {
        let mut request = Next {
            top_k: 2,
            ..Next::default()
        };
        let mut guide = Guide::new(&request, Wiped::new(), 64)?;
        guide.drawn = Some((7, -3));
        request.top_k = 1;
        assert!(guide.answer(&mut request).is_err() && !guide.is_answered());
        request.top_k = 2;
        assert_eq!(guide.answer(&mut request)?.len(), 2);
        assert_eq!((request.id, request.log_probability), (7, -3));
        assert!(guide.is_answered() && guide.answer(&mut request).is_err());
        Ok(())
    }
}
