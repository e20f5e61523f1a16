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

/// The models that were considered.
type Considered = KVec<(Arc<Model>, Candidate)>;

impl Session {
    /// Begins to use one of the models with a rank, for a prompt of about `prompt` tokens: why it is that one. `ENOENT`: none
    /// has a rank; `EDQUOT`: as often as this user may.
    #[inline(never)]
    pub(super) fn choose(&self, configuration: &Configuration, prompt: u32) -> Result<(Use, u32)> {
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
            let considered = self.consider(configuration, &wish)?;
            let mut candidates = KVec::with_capacity(considered.len(), GFP_KERNEL_ACCOUNT)?;
            for (_, candidate) in &considered {
                candidates.push(*candidate, GFP_KERNEL_ACCOUNT)?;
            }
            let (place, reason) = choose(&wish, &candidates).ok_or(ENOENT)?;
            let (model, _) = considered.get(place).ok_or(ENOENT)?;
            let wanted = Wanted {
                name: model.name,
                version: Some(model.version),
            };
            let number = self.link.who().session;
            match shared.registry.take(Some(wanted), self.link.user(), number) {
                Err(ENOENT) => {}
                taken => {
                    let using = taken?;
                    self.record_choice(&wish, &considered, (place, reason));
                    let name = model.name.with_version(model.version);
                    // CAST: At most SISLM_CANDIDATES_MAX.
                    trace::select(number, &name, reason, considered.len() as u32);
                    return Ok((using, reason));
                }
            }
        }
        Err(ENOENT)
    }

    fn consider(&self, configuration: &Configuration, wish: &Wish) -> Result<Considered> {
        let shared = self.shared();
        let left = shared.quota.left(self.link.namespace());
        let mut considered = KVec::new();
        for model in shared.registry.ranked()? {
            let memory = (context(configuration, &model), configuration.kv_type, left);
            // One that was unloaded by force is none.
            if let Ok(candidate) = model.candidate(wish, memory) {
                considered.push((model, candidate), GFP_KERNEL_ACCOUNT)?;
            }
        }
        Ok(considered)
    }

    /// Makes the records of what was considered, of which that at `place` was chosen for this reason.
    #[inline(never)]
    fn record_choice(&self, wish: &Wish, considered: &Considered, (place, reason): (usize, u32)) {
        // CAST: At most SISLM_CANDIDATES_MAX.
        let count = considered.len() as u32;
        for (slot, (at, (model, candidate))) in (0..).zip(considered.iter().enumerate()) {
            let reason = if at == place { reason } else { 0 };
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
