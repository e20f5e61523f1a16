// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sessions that no request uses, kept for what is in their contexts.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sislm::Slot;

/// What has a context.
pub(super) trait Context {
    /// How many of `ids`, from the first, it begins with.
    fn shared(&self, ids: &[u32]) -> usize;
}

impl Context for Slot {
    fn shared(&self, ids: &[u32]) -> usize {
        Slot::shared(self, ids)
    }
}

/// Whose context, on which model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The model's name.
    pub model: String,
    /// What its adapters were multiplied by.
    pub scales: Option<Vec<i32>>,
    /// Who may go on with it.
    pub tenant: String,
}

struct Idle<S> {
    slot: S,
    owner: Owner,
    since: Instant,
}

/// Idle slots, the oldest first.
pub(super) struct Pool<S> {
    idle: Mutex<Vec<Idle<S>>>,
    most: usize,
}

impl<S: Context> Pool<S> {
    /// Of at most `most` slots.
    pub(super) fn new(most: usize) -> Self {
        Self {
            idle: Mutex::new(Vec::new()),
            most,
        }
    }

    /// The owner's slot with most of `ids` in its context. One that has less than half of them stays for others,
    /// as long as there is room for another slot.
    pub(super) fn take(&self, owner: &Owner, ids: &[u32]) -> Option<S> {
        let mut idle = self.lock();
        let mine = idle
            .iter()
            .enumerate()
            .filter(|(_, idle)| idle.owner == *owner);
        let shared = mine.map(|(place, idle)| (idle.slot.shared(ids), place));
        // Of those with as much the oldest.
        let (shared, place) = shared.max_by_key(|&(shared, place)| (shared, usize::MAX - place))?;
        if shared * 2 < ids.len() && idle.len() < self.most {
            return None;
        }
        Some(idle.remove(place).slot)
    }

    /// Keeps a slot; the oldest is dropped where there is no room.
    pub(super) fn put(&self, owner: Owner, slot: S) {
        let mut dropped = Vec::new();
        let mut idle = self.lock();
        idle.push(Idle {
            slot,
            owner,
            since: Instant::now(),
        });
        while idle.len() > self.most {
            dropped.push(idle.remove(0));
        }
        // Closing may take long: not under the lock.
        drop(idle);
        drop(dropped);
    }

    /// Drops those that were idle for `age`: how many.
    pub(super) fn expire(&self, age: Duration) -> usize {
        let mut idle = self.lock();
        let (old, young): (Vec<_>, Vec<_>) =
            idle.drain(..).partition(|idle| idle.since.elapsed() >= age);
        *idle = young;
        drop(idle);
        old.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Idle<S>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Held(Vec<u32>);

    impl Context for Held {
        fn shared(&self, ids: &[u32]) -> usize {
            self.0
                .iter()
                .zip(ids)
                .take_while(|(one, other)| one == other)
                .count()
        }
    }

    fn owner(tenant: &str) -> Owner {
        Owner {
            model: "tiny".into(),
            scales: None,
            tenant: tenant.into(),
        }
    }

    #[test]
    fn the_longest_common_prefix_wins() {
        let pool = Pool::new(4);
        for held in [&[1, 2][..], &[1, 2, 3], &[1, 9, 9, 9]] {
            pool.put(owner("a"), Held(held.to_vec()));
        }
        let found = pool.take(&owner("a"), &[1, 2, 3, 4]);
        assert_eq!(found, Some(Held(vec![1, 2, 3])));
        assert_eq!(pool.len(), 2);
    }

    #[test]
    fn a_context_is_its_owner_s() {
        let pool = Pool::new(4);
        pool.put(owner("a"), Held(vec![1, 2, 3]));
        assert_eq!(pool.take(&owner("b"), &[1, 2, 3]), None);
        let other = Owner {
            model: "other".into(),
            ..owner("a")
        };
        assert_eq!(pool.take(&other, &[1, 2, 3]), None);
        let scaled = Owner {
            scales: Some(vec![0]),
            ..owner("a")
        };
        assert_eq!(pool.take(&scaled, &[1, 2, 3]), None);
    }

    #[test]
    fn what_has_little_in_common_stays_while_there_is_room() {
        let pool = Pool::new(2);
        pool.put(owner("a"), Held(vec![1, 2, 3]));
        assert_eq!(pool.take(&owner("a"), &[1, 7, 7, 7]), None);
        pool.put(owner("a"), Held(vec![1, 5]));
        // The pool is full: the oldest of those that are as good.
        assert_eq!(
            pool.take(&owner("a"), &[1, 7, 7, 7]),
            Some(Held(vec![1, 2, 3]))
        );
    }

    #[test]
    fn it_is_bounded_and_forgets() {
        let pool = Pool::new(1);
        pool.put(owner("a"), Held(vec![1]));
        pool.put(owner("a"), Held(vec![2]));
        assert_eq!(pool.len(), 1);
        assert_eq!(pool.expire(Duration::from_secs(60)), 0);
        assert_eq!(pool.expire(Duration::ZERO), 1);
        assert_eq!(pool.take(&owner("a"), &[2]), None);
    }
}
