// SPDX-License-Identifier: GPL-2.0
//! An answer, and the copy of it that is compared.

use crate::{
    models::model::Model,
    sys::{flight::Scales, wiped::Wiped}, //
};
use kernel::{prelude::*, sync::Arc};

/// An answer that is over.
pub(crate) struct Answer<'a> {
    /// Of which model.
    pub(crate) model: &'a Arc<Model>,
    /// The tokens of its context, those of the answer last.
    pub(crate) tokens: &'a [u32],
    /// How many are the answer's.
    pub(crate) count: usize,
    /// Whether the context has all of them.
    pub(crate) is_whole: bool,
    /// `SISLM_KV_*`.
    pub(crate) kv_type: u32,
    /// Of the model's adapters.
    pub(crate) scales: &'a Scales,
    /// Of the alias, as in its record.
    pub(crate) generation: u64,
    /// Number of the file.
    pub(crate) session: u64,
    /// Number of the turn.
    pub(crate) turn: u64,
}

/// A copy of an answer; wiped once it is compared.
pub(crate) struct Sample {
    /// The tokens.
    pub(crate) ids: Wiped<u32>,
    /// Those of the answer.
    pub(crate) count: usize,
    /// By which model; none while nothing is here.
    pub(crate) model: Option<Arc<Model>>,
    /// `SISLM_KV_*`.
    pub(crate) kv_type: u32,
    /// Of the model's adapters.
    pub(crate) scales: Scales,
    /// Number of the file.
    pub(crate) session: u64,
    /// Number of the turn.
    pub(crate) turn: u64,
}

impl Sample {
    /// None, with room for so many tokens.
    pub(super) fn empty(room: usize) -> Result<Self> {
        Ok(Self {
            ids: Wiped::with_capacity(room)?,
            count: 0,
            model: None,
            kv_type: 0,
            scales: Scales::default(),
            session: 0,
            turn: 0,
        })
    }

    /// Copies an answer, if there is room: whether there was.
    pub(super) fn fill(&mut self, answer: &Answer<'_>) -> bool {
        if self.ids.extend(answer.tokens).is_err() {
            return false;
        }
        self.count = answer.count;
        self.model = Some(answer.model.clone());
        self.kv_type = answer.kv_type;
        self.scales = *answer.scales;
        self.session = answer.session;
        self.turn = answer.turn;
        true
    }
}
