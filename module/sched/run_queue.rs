// SPDX-License-Identifier: GPL-2.0
//! The turns that wait for a step or are in it: a list for each domain.
//!
//! A turn is set aside while it has had the tokens of its time, or while none of those waits who alone
//! compute it.

use crate::{
    sched::{
        batch::Job,
        list::{Linked, Links, List, NONE},
        tree::Tree,
    },
    sys::{clock::NEVER, task},
    turn::{link::Link, Turn}, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        SpinLock, //
    },
};

/// Time between two looks at all turns, nanoseconds.
const QUANTUM: u64 = 4_000_000;
/// Turns of a domain that are looked at for a step.
const LOOK: usize = 64;

/// A turn that waits.
struct Entry {
    job: Option<Job>,
    /// Where its domain is in the tree; [`NONE`] while it is set aside.
    leaf: u32,
    /// It is set aside until then; 0 for no certain time.
    until: u64,
    links: Links,
}

impl Linked for Entry {
    fn links(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// What the lock guards.
struct State {
    tree: Tree,
    entries: KVVec<Entry>,
    /// Entries without a turn.
    unused: List,
    /// Turns by leaf of the tree.
    lists: KVVec<List>,
    /// Turns, those set aside too.
    count: u32,
    /// A step's number, for who is chosen.
    number: u64,
    /// How much longer than that of others one's time may be for it to join a step: the longest step
    /// of late, nanoseconds.
    lead: u64,
    /// When a turn is to be looked at: its deadline, or the end of its time aside.
    alarm: u64,
    /// The same of those that the present look has come past.
    next_alarm: u64,
    /// Where that look is.
    looked: u32,
    /// Before then there is no other.
    rest: u64,
}

/// The queue. Its lock is an innermost one.
#[pin_data]
pub(crate) struct RunQueue {
    #[pin]
    state: SpinLock<State>,
    /// Turns.
    count: Atomic<u32>,
    /// Those that are not set aside.
    ready: Atomic<u32>,
    /// As of the state.
    alarm: Atomic<u64>,
}

impl RunQueue {
    /// With room for `most` turns.
    pub(crate) fn new(most: usize) -> Result<impl PinInit<Self>> {
        let tree = Tree::new(most, task::random())?;
        let mut entries = KVVec::with_capacity(most, GFP_KERNEL)?;
        let mut unused = List::empty();
        for place in 0..most {
            entries.push_within_capacity(Entry {
                job: None,
                leaf: NONE,
                until: 0,
                links: Links::none(),
            })?;
            // CAST: At most a few thousand turns.
            unused.push(&mut entries, place as u32);
        }
        let state = State {
            lists: KVVec::from_elem(List::empty(), tree.places(), GFP_KERNEL)?,
            tree,
            entries,
            unused,
            count: 0,
            number: 0,
            lead: 0,
            alarm: NEVER,
            next_alarm: NEVER,
            looked: 0,
            rest: 0,
        };
        Ok(pin_init!(Self {
            state <- new_spinlock!(state, "sislm_queue"),
            count: Atomic::new(0),
            ready: Atomic::new(0),
            alarm: Atomic::new(NEVER),
        }))
    }

    /// Whether no turn waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// Whether a turn waits that a step can be made of, or that is to end.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Relaxed) != 0
    }

    /// Changes the state.
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock();
        let result = change(&mut state);
        self.count.store(state.count, Relaxed);
        self.ready.store(state.tree.waiting(), Relaxed);
        self.alarm.store(state.alarm, Relaxed);
        result
    }

    /// Puts a turn at the end of its domain's list: one that comes, or one that was in the step.
    pub(crate) fn push(&self, job: Job) {
        let rejected = self.with(|state| state.push(job));
        // Not reached: there is room for a turn of each session.
        drop(rejected);
    }

    /// Sets a turn that was in the step aside until then.
    pub(crate) fn push_aside(&self, mut job: Job, until: u64) {
        self.leave(&mut job);
        let rejected = self.with(|state| state.push_aside(job, until));
        // Not reached, as above.
        drop(rejected);
    }

    /// When [`RunQueue::take_due`] is to be called.
    pub(crate) fn alarm(&self) -> u64 {
        self.alarm.load(Relaxed)
    }

    /// Takes a turn whose deadline is over, and lets go on those whose time aside is. It looks at all
    /// turns, at most once in [`QUANTUM`].
    pub(crate) fn take_due(&self, now: u64) -> Option<Job> {
        if now < self.alarm() {
            return None;
        }
        self.with(|state| state.take_due(now))
    }

    /// A turn that was in the step does not come back at once.
    pub(crate) fn leave(&self, job: &mut Job) {
        if let Some(leaf) = job.leaf.take() {
            self.with(|state| state.tree.leave(leaf));
        }
    }

    /// A step is to be filled, by [`RunQueue::take`].
    pub(crate) fn begin_step(&self) {
        self.with(|state| state.number = state.number.wrapping_add(1));
    }

    /// Takes the turn that is next of those that are to end or `joins` holds for. `first`: the step has
    /// none yet.
    pub(crate) fn take(&self, first: bool, joins: impl Fn(&Job) -> bool) -> Option<Job> {
        self.with(|state| state.take(first, joins))
    }

    /// The turn of `link` is to be looked at again: a caller has come for it, or it is to end.
    pub(crate) fn call(&self, link: &Link) {
        self.with(|state| state.call(link));
    }

    /// Takes the turn of `link`, if it is there.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let job = self.with(|state| {
            let place = state.place_of(link)?;
            if let Some(leaf) = state.unlist(place) {
                state.tree.leave(leaf);
            }
            state.remove(place)
        })?;
        Some(job.turn)
    }

    /// Whether turns wait that do not come last.
    pub(crate) fn is_crowded(&self) -> bool {
        self.state.lock().tree.waiting_users() != 0
    }

    /// Whether a turn of another user than that of `job`, which is in the step, waits.
    pub(crate) fn others_wait(&self, job: &Job) -> bool {
        let state = self.state.lock();
        job.leaf.is_some_and(|leaf| state.tree.others_wait(leaf))
    }

    /// Notes what the turns of a step have cost, nanoseconds.
    pub(crate) fn charge<'a>(&self, costs: impl Iterator<Item = (&'a Job, u64)>) {
        self.with(|state| {
            let mut step = 0u64;
            for (job, ns) in costs {
                step = step.saturating_add(ns);
                if let Some(leaf) = job.leaf {
                    state.tree.charge(leaf, ns);
                }
            }
            state.lead = step.max(state.lead.saturating_sub(state.lead / 8));
        });
    }
}

impl State {
    fn push(&mut self, mut job: Job) -> Option<Job> {
        if self.unused.first() == NONE {
            return Some(job);
        }
        let leaf = match job.leaf.take() {
            Some(leaf) => {
                self.tree.wait(leaf);
                leaf
            }
            None => match self.tree.enter(&job.link.domain()) {
                Some(leaf) => leaf,
                None => return Some(job),
            },
        };
        let place = self.keep(job, 0);
        self.list(place, leaf);
        None
    }

    fn push_aside(&mut self, job: Job, until: u64) -> Option<Job> {
        if self.unused.first() == NONE {
            return Some(job);
        }
        let link = job.link.clone();
        let place = self.keep(job, until);
        // Cancelled while it was in the step: nobody has found it here.
        if link.is_cancelled() {
            self.make_ready(place);
        }
        None
    }

    /// Puts a turn into an entry, of which there is one, and into no list: where.
    fn keep(&mut self, job: Job, until: u64) -> u32 {
        let place = self.unused.first();
        self.unused.remove(&mut self.entries, place);
        job.link.set_place(place);
        self.remind(job.turn.deadline);
        self.remind(if until == 0 { NEVER } else { until });
        if let Some(entry) = self.entries.get_mut(place as usize) {
            entry.job = Some(job);
            entry.until = until;
        }
        self.count = self.count.saturating_add(1);
        place
    }

    /// A turn is to be looked at then.
    fn remind(&mut self, moment: u64) {
        self.alarm = self.alarm.min(moment.max(self.rest));
        self.next_alarm = self.next_alarm.min(moment);
    }

    fn take_due(&mut self, now: u64) -> Option<Job> {
        while let Some(entry) = self.entries.get_mut(self.looked as usize) {
            let place = self.looked;
            self.looked = self.looked.saturating_add(1);
            let Some(job) = &entry.job else {
                continue;
            };
            let (deadline, until) = (job.turn.deadline, entry.until);
            if deadline <= now {
                if let Some(leaf) = self.unlist(place) {
                    self.tree.leave(leaf);
                }
                return self.remove(place);
            }
            self.next_alarm = self.next_alarm.min(deadline);
            if until > now {
                self.next_alarm = self.next_alarm.min(until);
            } else if until != 0 {
                self.make_ready(place);
            }
        }
        self.looked = 0;
        let next = core::mem::replace(&mut self.next_alarm, NEVER);
        self.rest = now.saturating_add(QUANTUM);
        self.alarm = next.max(self.rest);
        None
    }

    /// Puts the turn at `place`, which is set aside, into its domain's list.
    fn make_ready(&mut self, place: u32) {
        let Some(entry) = self.entries.get_mut(place as usize) else {
            return;
        };
        entry.until = 0;
        let domain = entry.job.as_ref().map(|job| job.link.domain());
        if let Some(leaf) = domain.and_then(|domain| self.tree.enter(&domain)) {
            self.list(place, leaf);
        }
    }

    /// Puts the turn at `place` at the end of the list of `leaf`.
    fn list(&mut self, place: u32, leaf: u32) {
        if let Some(entry) = self.entries.get_mut(place as usize) {
            entry.leaf = leaf;
        }
        if let Some(list) = self.lists.get_mut(leaf as usize) {
            list.push(&mut self.entries, place);
        }
    }

    /// Takes the turn at `place`, which waits no longer, out of its list: which one, unless it is set
    /// aside.
    fn unlist(&mut self, place: u32) -> Option<u32> {
        let entry = self.entries.get_mut(place as usize)?;
        let leaf = core::mem::replace(&mut entry.leaf, NONE);
        let list = self.lists.get_mut(leaf as usize)?;
        list.remove(&mut self.entries, place);
        self.tree.take(leaf);
        Some(leaf)
    }

    /// Takes the turn at `place`, which is in no list, out of the queue.
    fn remove(&mut self, place: u32) -> Option<Job> {
        let job = self.entries.get_mut(place as usize)?.job.take()?;
        self.unused.push(&mut self.entries, place);
        self.count = self.count.saturating_sub(1);
        Some(job)
    }

    /// Where the turn of `link` is.
    fn place_of(&self, link: &Link) -> Option<u32> {
        let place = link.place();
        let job = self.entries.get(place as usize)?.job.as_ref()?;
        core::ptr::eq(&*job.link, link).then_some(place)
    }

    fn call(&mut self, link: &Link) {
        let Some(place) = self.place_of(link) else {
            return;
        };
        let calls = |entry: &Entry| entry.until == 0 || link.is_cancelled();
        let entry = self.entries.get(place as usize);
        if entry.is_some_and(|entry| entry.leaf == NONE && calls(entry)) {
            self.make_ready(place);
        }
    }

    fn take(&mut self, first: bool, joins: impl Fn(&Job) -> bool) -> Option<Job> {
        let lead = if first { u64::MAX } else { self.lead };
        loop {
            let leaf = self.tree.choose(self.number, lead)?;
            if let Some(place) = self.find(leaf, &joins) {
                self.unlist(place);
                let mut job = self.remove(place)?;
                job.leaf = Some(leaf);
                return Some(job);
            }
            self.tree.pass(leaf, self.number);
        }
    }

    /// The first turn of `leaf` that can join a step. Those without anybody to compute them are set
    /// aside.
    fn find(&mut self, leaf: u32, joins: &impl Fn(&Job) -> bool) -> Option<u32> {
        let mut place = self.lists.get(leaf as usize)?.first();
        for _ in 0..LOOK {
            let entry = self.entries.get(place as usize)?;
            let job = entry.job.as_ref()?;
            let next = entry.links.next();
            if job.link.is_cancelled() || job.link.has_team() && joins(job) {
                return Some(place);
            }
            if !job.link.has_team() {
                self.unlist(place);
                self.tree.leave(leaf);
            }
            place = next;
        }
        None
    }
}
