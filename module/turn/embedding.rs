// SPDX-License-Identifier: GPL-2.0
//! The embedding of given tokens: passes over all of them, and what is made of the last one's hidden states.

use crate::sys::{
    flight::ROWS_MAX,
    mean::Mean,
    neon::Section,
    step::HiddenState,
    uapi::{
        SISLM_POOLING_FIRST, SISLM_POOLING_LAST, SISLM_POOLING_MEAN, SISLM_POOLING_MODEL,
        SISLM_POOLING_NONE,
    },
    wiped::Wiped,
};
use kernel::prelude::*;

/// How hidden states become an embedding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// Each token has its own.
    None,
    /// Their mean.
    Mean,
    /// That of the first token.
    First,
    /// That of the last token.
    Last,
}

impl Pooling {
    /// That of `SISLM_POOLING_*`, or what a model's file says, `told`.
    pub(crate) fn new(number: u32, told: u32) -> Result<Self> {
        match if number == SISLM_POOLING_MODEL {
            told
        } else {
            number
        } {
            SISLM_POOLING_NONE => Ok(Self::None),
            SISLM_POOLING_MEAN => Ok(Self::Mean),
            SISLM_POOLING_FIRST => Ok(Self::First),
            SISLM_POOLING_LAST => Ok(Self::Last),
            _ => Err(EINVAL),
        }
    }

    /// Its number.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::None => SISLM_POOLING_NONE,
            Self::Mean => SISLM_POOLING_MEAN,
            Self::First => SISLM_POOLING_FIRST,
            Self::Last => SISLM_POOLING_LAST,
        }
    }

    /// Rows of embeddings that `count` tokens have.
    pub(crate) fn rows(self, count: u32) -> u32 {
        match self {
            Self::None => count,
            Self::Mean | Self::First | Self::Last => 1,
        }
    }

    /// Memory for the rows of one step, of `width` values each.
    pub(crate) fn room(self, width: u32) -> Result<Wiped<u32>> {
        let rows = self.rows(ROWS_MAX) as usize;
        Wiped::with_capacity(rows.checked_mul(width as usize).ok_or(EINVAL)?)
    }
}

/// The state of an embedding.
pub(crate) struct Embedding {
    pooling: Pooling,
    mean: Option<Mean>,
    /// The pass that is made.
    pass: u32,
    /// All of them.
    passes: u32,
}

impl Embedding {
    /// Of hidden states of `width` values, which `passes` passes make.
    pub(crate) fn new(pooling: Pooling, width: u32, passes: u32) -> Result<Self> {
        let mean = match pooling {
            Pooling::Mean => Some(Mean::new(width)?),
            Pooling::None | Pooling::First | Pooling::Last => None,
        };
        Ok(Self {
            pooling,
            mean,
            pass: 0,
            passes,
        })
    }

    /// The pass that is made.
    pub(crate) fn pass(&self) -> u32 {
        self.pass
    }

    /// Whether each position attends to all.
    pub(crate) fn sees_all(&self) -> bool {
        self.passes > 1
    }

    /// Whether the pass that is made is the last, which gives hidden states.
    pub(crate) fn is_last_pass(&self) -> bool {
        self.pass.saturating_add(1) >= self.passes
    }

    /// Begins the next pass.
    pub(crate) fn begin_pass(&mut self) {
        self.pass = self.pass.saturating_add(1);
    }

    /// Takes the hidden state of `position`, of which `last` is the last, and adds to `rows` what is an
    /// embedding then.
    pub(crate) fn take(
        &mut self,
        section: &mut Section,
        state: &HiddenState<'_>,
        (position, last): (u32, u32),
        rows: &mut Wiped<u32>,
    ) -> Result {
        match (self.pooling, &mut self.mean) {
            (Pooling::Mean, Some(mean)) => {
                mean.add(section, state)?;
                if position == last {
                    rows.extend(mean.finish(section)?)?;
                }
                Ok(())
            }
            (Pooling::Mean, None) => Err(EINVAL),
            (Pooling::First, _) if position != 0 => Ok(()),
            (Pooling::Last, _) if position != last => Ok(()),
            (Pooling::None | Pooling::First | Pooling::Last, _) => rows.extend(state.values()),
        }
    }
}
