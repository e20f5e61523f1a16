// SPDX-License-Identifier: GPL-2.0
//! What a user may have of the device at most.

use crate::{
    limits::Limits,
    sys::{
        clock::{self, SECOND},
        errno::EDQUOT,
        uapi::{self, SISLM_CHOICES_PER_SECOND},
    },
    users::bucket::Bucket, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock},
};

/// Most users of whom LIMITS says something.
const USERS: usize = 256;
/// Rates of choices. Users of one remainder share one, so that nobody has a new one by coming again.
const RATES: usize = 64;

/// The most of what is counted in an account.
#[derive(Clone, Copy)]
pub(crate) struct Most {
    /// Open files.
    pub(crate) sessions: u32,
    /// Bytes of keys and values.
    pub(crate) kv_bytes: u64,
    /// Bytes of prompts that wait.
    pub(crate) prompt_bytes: u64,
}

/// What one user may have.
#[derive(Clone, Copy)]
pub(crate) struct Allowance {
    /// In all. `kv_bytes` is without limit where half of what other users leave is the only one.
    pub(crate) user: Most,
    /// In each cgroup namespace.
    pub(crate) namespace: Most,
    /// Most tokens of answers in a second, 0 for no limit.
    pub(crate) tokens_per_second: u32,
    /// Milliseconds of a turn, 0 for no limit.
    pub(crate) deadline_ms: u32,
}

impl Allowance {
    /// By the module's parameters.
    pub(crate) fn new(limits: &Limits) -> Self {
        let user = Most {
            sessions: limits.user_sessions,
            kv_bytes: limits.user_kv_bytes,
            prompt_bytes: limits.user_prompt_bytes,
        };
        Self {
            user,
            namespace: Most {
                sessions: limits.namespace_sessions,
                kv_bytes: limits.namespace_kv_bytes,
                prompt_bytes: limits.namespace_prompt_bytes,
            },
            tokens_per_second: limits.user_tokens_per_second,
            deadline_ms: limits.user_deadline_ms,
        }
    }

    /// As LIMITS asks for; what it leaves at 0 stays as it is.
    pub(crate) fn changed(&self, request: &uapi::Limits) -> Self {
        let (count, bytes) = (
            |asked: u32, now: u32| if asked == 0 { now } else { asked },
            |asked: u64, now: u64| if asked == 0 { now } else { asked },
        );
        let Self {
            user, namespace, ..
        } = *self;
        Self {
            user: Most {
                sessions: count(request.sessions, user.sessions),
                kv_bytes: bytes(request.kv_bytes, user.kv_bytes),
                prompt_bytes: bytes(request.prompt_bytes, user.prompt_bytes),
            },
            namespace: Most {
                sessions: count(request.namespace_sessions, namespace.sessions),
                kv_bytes: bytes(request.namespace_kv_bytes, namespace.kv_bytes),
                prompt_bytes: bytes(request.namespace_prompt_bytes, namespace.prompt_bytes),
            },
            tokens_per_second: count(request.tokens_per_second, self.tokens_per_second),
            deadline_ms: count(request.deadline_ms, self.deadline_ms),
        }
    }

    /// Tells LIMITS what it is.
    pub(crate) fn answer(&self, to: &mut uapi::Limits) {
        let Self {
            user, namespace, ..
        } = self;
        to.sessions = user.sessions;
        to.kv_bytes = user.kv_bytes;
        to.prompt_bytes = user.prompt_bytes;
        to.namespace_sessions = namespace.sessions;
        to.namespace_kv_bytes = namespace.kv_bytes;
        to.namespace_prompt_bytes = namespace.prompt_bytes;
        to.tokens_per_second = self.tokens_per_second;
        to.deadline_ms = self.deadline_ms;
    }

    /// Time for each token, nanoseconds; 0 for no more than it takes.
    pub(crate) fn interval(&self) -> u64 {
        let rate = u64::from(self.tokens_per_second);
        SECOND.checked_div(rate).unwrap_or(0)
    }
}

/// What each user may have.
#[pin_data]
pub(crate) struct Allowances {
    /// Of whom LIMITS says nothing.
    others: Allowance,
    /// Of choices, by user id.
    choices: [Bucket; RATES],
    /// By user id.
    #[pin]
    said: SpinLock<KVVec<(u32, Allowance)>>,
}

impl Allowances {
    /// By the module's parameters.
    pub(crate) fn new(limits: &Limits) -> Result<Arc<Self>> {
        let said = KVVec::with_capacity(USERS, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                others: Allowance::new(limits),
                choices: [const { Bucket::new() }; RATES],
                said <- new_spinlock!(said, "sislm_allowances"),
            }),
            GFP_KERNEL,
        )
    }

    /// That of the user `id`.
    pub(crate) fn of(&self, id: u32) -> Allowance {
        let said = self.said.lock();
        let own = said.iter().find(|(user, _)| *user == id);
        own.map_or(self.others, |(_, allowance)| *allowance)
    }

    /// Whether the user `id` may have a model chosen, which makes records: `EDQUOT` when not.
    pub(crate) fn choose(&self, id: u32) -> Result {
        let interval = SECOND / u64::from(SISLM_CHOICES_PER_SECOND);
        let mut rates = self.choices.iter().skip(id as usize % RATES);
        match rates.next() {
            Some(rate) if rate.try_take(interval, clock::now()) => Ok(()),
            _ => Err(EDQUOT()),
        }
    }

    /// Changes it as `request` says. `ENOSPC`: no place for another user.
    pub(crate) fn change(&self, request: &uapi::Limits) -> Result {
        let mut said = self.said.lock();
        if let Some((_, own)) = said.iter_mut().find(|(user, _)| *user == request.uid) {
            *own = own.changed(request);
            return Ok(());
        }
        let own = (request.uid, self.others.changed(request));
        said.push_within_capacity(own).map_err(|_| ENOSPC)
    }
}
