// SPDX-License-Identifier: GPL-2.0
//! The model of a file that asks for any.

use super::{start::context, Session};
use crate::{
    models::{
        choice::{choose, Candidate, Wish},
        model::Model,
        name::Wanted,
        registry::Use,
    },
    records::first,
    sys::{
        clock::SECOND,
        trace,
        uapi::{self, SISLM_CANDIDATES_MAX, SISLM_RECORD_CHOICE},
    },
    turn::configuration::Configuration, //
};
use kernel::{prelude::*, sync::Arc};

/// A choice, and what it was made of.
pub(super) struct Chosen {
    wish: Wish,
    /// The models that were considered.
    models: KVec<Arc<Model>>,
    /// What is known of each of them.
    candidates: KVec<Candidate>,
    /// The place of the one chosen.
    place: usize,
    /// `SISLM_CHOICE_*`.
    pub(super) reason: u32,
}

impl Session {
    /// Begins to use one of the models with a rank, for a prompt of about `prompt` tokens. `ENOENT`: none has a rank; `EDQUOT`:
    /// as often as this user may.
    #[inline(never)]
    pub(super) fn choose(
        &self,
        configuration: &Configuration,
        prompt: u32,
    ) -> Result<(Use, Chosen)> {
        self.link.user().choose()?;
        let shared = self.shared();
        let wish = Wish {
            prompt,
            tokens: match configuration.max_tokens {
                0 => shared.limits.context_default,
                most => most,
            },
            deadline_ns: u64::from(configuration.deadline_ms).saturating_mul(SECOND / 1000),
        };
        // Each time but the last a model was unloaded meanwhile.
        for _ in 0..=SISLM_CANDIDATES_MAX {
            let chosen = self.consider(configuration, wish)?;
            let model = chosen.models.get(chosen.place).ok_or(ENOENT)?;
            let wanted = Wanted {
                name: model.name,
                version: Some(model.version),
            };
            let number = self.link.who().session;
            match shared.registry.take(Some(wanted), self.link.user(), number) {
                Err(ENOENT) => {}
                taken => return Ok((taken?, chosen)),
            }
        }
        Err(ENOENT)
    }

    fn consider(&self, configuration: &Configuration, wish: Wish) -> Result<Chosen> {
        let shared = self.shared();
        let left = shared.quota.left(self.link.namespace());
        let (mut models, mut candidates) = (KVec::new(), KVec::new());
        for model in shared.registry.ranked()? {
            let memory = (context(configuration, &model), configuration.kv_type, left);
            // One that was unloaded by force is none.
            if let Ok(candidate) = model.candidate(&wish, memory) {
                models.push(model, GFP_KERNEL_ACCOUNT)?;
                candidates.push(candidate, GFP_KERNEL_ACCOUNT)?;
            }
        }
        let (place, reason) = choose(&wish, &candidates).ok_or(ENOENT)?;
        Ok(Chosen {
            wish,
            models,
            candidates,
            place,
            reason,
        })
    }

    /// Makes the records of a choice.
    #[inline(never)]
    pub(super) fn record_choice(&self, chosen: &Chosen) {
        let wish = &chosen.wish;
        // CAST: At most SISLM_CANDIDATES_MAX.
        let count = chosen.candidates.len() as u32;
        let considered = chosen.models.iter().zip(&chosen.candidates);
        for (slot, (at, (model, candidate))) in (0..).zip(considered.enumerate()) {
            let is_it = at == chosen.place;
            let reason = if is_it { chosen.reason } else { 0 };
            if is_it {
                let name = model.name.with_version(model.version);
                trace::select(self.link.who().session, &name, reason, count);
            }
            let mut record = uapi::Record {
                kind: SISLM_RECORD_CHOICE,
                model: model.instance,
                version: model.version,
                digest: first(&model.digest),
                slot,
                weights: [candidate.rank, count, reason, candidate.rows],
                peers: candidate.turns,
                prompt_count: wish.prompt,
                count: wish.tokens,
                queue_ns: wish.deadline_ns,
                prefill_ns: candidate.prompt_ns,
                decode_ns: candidate.token_ns,
                kv_bytes: candidate.kv_bytes,
                served_ns: candidate.kv_left,
                ..Default::default()
            };
            self.link.who().sign(&mut record);
            self.shared().recorder.record(&mut record, |_| {});
        }
    }
}
