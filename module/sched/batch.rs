// SPDX-License-Identifier: GPL-2.0
//! The batch of a step: turns of one model that are computed together (continuous batching, Yu et
//! al., Orca, 2022).
//!
//! What a step has cost is divided among its turns: the queue orders their domains by it.

use crate::{
    models::workspace::Workspace,
    sched::rows::{divide, Share},
    sys::{
        flight::{Flight, LOGITS_MAX},
        neon::Section,
        trace,
    },
    turn::{link::Link, Next, Turn},
    users::User, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// Most turns: each may have logits.
const TURNS: usize = LOGITS_MAX as usize;

/// A turn on its way, with the link to the session it goes back to.
pub(crate) struct Job {
    /// The link.
    pub(crate) link: Arc<Link>,
    /// The turn.
    pub(crate) turn: KBox<Turn>,
    /// Where its domain is in the queue's tree, while it is in the step.
    pub(crate) leaf: Option<u32>,
}

impl Job {
    /// Outside the queue and the step.
    pub(crate) fn new(link: Arc<Link>, turn: KBox<Turn>) -> Self {
        Self {
            link,
            turn,
            leaf: None,
        }
    }
}

/// A turn in the batch and its rows of the step.
struct Member {
    job: Job,
    first: u32,
    count: u32,
    /// Cancelled: it waits for the end of the step.
    left: bool,
    /// After the step, if it was in it to its end.
    next: Option<Next>,
    /// What it has cost, nanoseconds.
    cost: u64,
}

/// The turns of the step in flight; all are of one model.
pub(crate) struct Batch {
    members: KVec<Member>,
    /// The model's, while a step is in flight.
    workspace: Option<Arc<Workspace>>,
    began: Instant<Monotonic>,
    wakes: bool,
}

impl Batch {
    /// Empty.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            members: KVec::with_capacity(TURNS, GFP_KERNEL)?,
            workspace: None,
            began: Instant::now(),
            wakes: true,
        })
    }

    /// Whether there is no turn.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u32 {
        self.members.iter().map(|member| member.count).sum()
    }

    /// Whether helpers should be woken for the step.
    pub(crate) fn wakes(&self) -> bool {
        self.wakes
    }

    /// The user whose callers alone compute the step, if it is one of such turns.
    pub(crate) fn unhelped(&self) -> Option<&Arc<User>> {
        let link = &self.members.first()?.job.link;
        link.is_unhelped().then_some(link.user())
    }

    /// The number of the user whose callers alone compute the step, if `alone` says so of its first turn;
    /// else 0.
    pub(crate) fn payer(&self, alone: impl Fn(&Job) -> bool) -> u64 {
        let user = self.unhelped().map_or(0, |user| user.number());
        let first = self.members.first();
        first.map_or(0, |first| if alone(&first.job) { user } else { 0 })
    }

    /// The links whose callers alone compute the step; none when all do.
    pub(crate) fn callers(&self) -> [Option<Arc<Link>>; TURNS] {
        let mut links = [const { None }; TURNS];
        if self.unhelped().is_some() {
            for (link, member) in links.iter_mut().zip(&self.members) {
                *link = Some(member.job.link.clone());
            }
        }
        links
    }

    /// Whether `job` can be computed in the same step as those that are there.
    pub(crate) fn joins(&self, job: &Job) -> bool {
        let Some(first) = self.members.first() else {
            return true;
        };
        let payer = job.link.is_unhelped().then_some(job.link.user().number());
        self.members.len() < TURNS
            && Arc::ptr_eq(&first.job.turn.model, &job.turn.model)
            && first.job.turn.pass() == job.turn.pass()
            && self.unhelped().map(|user| user.number()) == payer
    }

    /// Whether there is no room for another turn.
    pub(crate) fn is_full(&self) -> bool {
        self.members.len() >= TURNS
    }

    /// Adds a job that joins.
    pub(crate) fn add(&mut self, job: Job) {
        let member = Member {
            job,
            first: 0,
            count: 0,
            left: false,
            next: None,
            cost: 0,
        };
        // Not rejected: there is room for as many as join.
        drop(self.members.push_within_capacity(member));
    }

    /// Hands the rows to the engine; gives the number of stages. A turn whose rows cannot be added
    /// is taken out and told to `fail`; on an error none can be computed. `crowded`: other turns wait
    /// for the end of the step.
    pub(crate) fn prepare(
        &mut self,
        flight: &mut Flight,
        section: &mut Section,
        step_ns: u64,
        crowded: bool,
        fail: impl Fn(Job, Error),
    ) -> Result<u32> {
        let first = self.members.first().ok_or(EINVAL)?;
        let workspace = first.job.turn.model.content()?.workspace.clone();
        let pass = first.job.turn.pass();
        let prompt_rows = workspace.pace.lock().prompt_rows(step_ns);
        flight.begin(&workspace.step);
        self.share(prompt_rows, crowded);
        let mut index = 0;
        while let Some(member) = self.members.get_mut(index) {
            member.first = flight.rows();
            match member.job.turn.join(flight, member.count) {
                Ok(()) => index = index.saturating_add(1),
                Err(error) => {
                    if let Ok(member) = self.members.remove(index) {
                        fail(member.job, error);
                    }
                }
            }
        }
        self.wakes = workspace.pace.lock().wakes(self.rows());
        self.workspace = Some(workspace);
        self.began = Instant::now();
        flight.prepare(section, pass)
    }

    fn share(&mut self, prompt_rows: u32, crowded: bool) {
        let mut shares = [Share::NONE; TURNS];
        for (share, member) in shares.iter_mut().zip(&self.members) {
            share.demand = member.job.turn.demand();
            share.domain = member.job.link.domain();
        }
        if let Some(shares) = shares.get_mut(..self.members.len()) {
            divide(shares, prompt_rows, crowded);
        }
        for (share, member) in shares.iter().zip(&mut self.members) {
            member.count = share.rows;
        }
    }

    /// Whether a turn was cancelled since [`Batch::note_cancelled`].
    pub(crate) fn has_cancelled(&self) -> bool {
        let mut members = self.members.iter();
        members.any(|member| !member.left && member.job.link.is_cancelled())
    }

    /// Notes which turns are cancelled: whether others are left. What is computed of them is lost.
    pub(crate) fn note_cancelled(&mut self) -> bool {
        for member in &mut self.members {
            member.left |= member.job.link.is_cancelled();
        }
        self.members.iter().any(|member| !member.left)
    }

    /// Takes all turns out, with what comes next for those that were in the step to its end.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Job, Option<Next>)) {
        self.workspace = None;
        while let Ok(member) = self.members.remove(0) {
            take(member.job, member.next);
        }
    }

    /// Charges the turns for their shares of a step that took `ns` of computing time, also those that
    /// leave it. `whole`: it was computed to its end.
    pub(crate) fn charge(&mut self, ns: u64, whole: bool) {
        let Some(workspace) = &self.workspace else {
            return;
        };
        if whole {
            self.tell(ns);
        }
        let rows = self.rows();
        // CAST: At most TURNS.
        let turns = self.members.len() as u32;
        let mut cost = workspace.cost.lock();
        if whole {
            cost.note(ns, rows);
        }
        for member in &mut self.members {
            let share = cost.share(ns, turns, member.count, rows);
            member.job.turn.charge(share, turns);
            member.cost = share;
        }
    }

    /// Tells metrics and tracers of a step that was computed to its end, in `ns` of computing time.
    fn tell(&self, ns: u64) {
        let Some(first) = self.members.first() else {
            return;
        };
        let model = &first.job.turn.model;
        // CAST: At most TURNS.
        let (rows, turns) = (self.rows(), self.members.len() as u32);
        model.metrics.step(rows, turns, ns);
        let wall = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(0);
        trace::step(model.instance, rows, turns, wall, ns);
    }

    /// The step is done: finds out what comes next for each turn.
    pub(crate) fn finish(&mut self, flight: &Flight, section: &mut Section) {
        let Some(workspace) = self.workspace.take() else {
            return;
        };
        self.measure(&workspace);
        for member in self.members.iter_mut().filter(|member| !member.left) {
            let rows = (member.first, member.count);
            let before = Instant::<Monotonic>::now();
            let Job { link, turn, .. } = &mut member.job;
            member.next = Some(turn.after_step(&**link, &workspace, flight, section, rows));
            let ns = u64::try_from(before.elapsed().as_nanos()).unwrap_or(0);
            member.cost = member.cost.saturating_add(ns);
        }
    }

    /// Notes the time that the rows have taken.
    fn measure(&self, workspace: &Workspace) {
        let ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(0);
        let mut pace = workspace.pace.lock();
        pace.note(ns, self.rows(), self.wakes);
    }

    /// What each turn has cost: computing time of its share of the step, and of its logits.
    pub(crate) fn costs(&self) -> impl Iterator<Item = (&Job, u64)> {
        self.members.iter().map(|member| (&member.job, member.cost))
    }
}
