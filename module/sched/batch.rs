// SPDX-License-Identifier: GPL-2.0
//! The batch of a step: turns of one model that are computed together (continuous batching, Yu et
//! al., Orca, 2022).
//!
//! The first turn is one of the user whose last step is longest ago. A turn that decodes has one row.
//! What is left is for prompts, in equal shares; beside a turn that decodes, or while others wait for
//! the end of the step, only as much as takes about `step_ms`.

use crate::{
    models::model::Workspace,
    sys::{
        flight::{Flight, LOGITS_MAX, ROWS_MAX},
        neon::Section,
    },
    turn::{link::Link, Demand, Next, Turn},
    users::User, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// Most turns: each may have logits.
const TURNS: usize = LOGITS_MAX as usize;
/// Rows of a prompt that are computed in any case.
const PROMPT_ROWS_LEAST: u32 = 4;

/// A turn on its way, with the link to the session it goes back to.
pub(crate) struct Job {
    /// The link.
    pub(crate) link: Arc<Link>,
    /// The turn.
    pub(crate) turn: KBox<Turn>,
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

    /// Which of the turns that wait is next: first by the turns of the same user that are there, then
    /// by the step that last had one. `None` when `job` cannot join.
    pub(crate) fn rank(&self, job: &Job) -> Option<(usize, u64)> {
        let user = job.link.user();
        let joins = |first: &Member| {
            let unhelped = job.link.is_unhelped();
            let payer = unhelped.then_some(user.number());
            Arc::ptr_eq(&first.job.turn.model, &job.turn.model)
                && first.job.turn.pass() == job.turn.pass()
                && self.unhelped().map(|user| user.number()) == payer
        };
        if !job.link.has_team() && !job.link.is_cancelled() {
            return None;
        }
        if self.members.len() >= TURNS || !self.members.first().is_none_or(joins) {
            return None;
        }
        let same = |member: &&Member| Arc::ptr_eq(member.job.link.user(), user);
        Some((self.members.iter().filter(same).count(), user.served()))
    }

    /// Adds a job that has a rank.
    pub(crate) fn add(&mut self, job: Job) {
        let member = Member {
            job,
            first: 0,
            count: 0,
            left: false,
            next: None,
        };
        // Not rejected: there is room for as many as have a rank.
        drop(self.members.push_within_capacity(member));
    }

    /// Notes that its users have turns in step `number`.
    pub(crate) fn note_served(&self, number: u64) {
        for member in &self.members {
            member.job.link.user().serve(number);
        }
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
        let mut demands = [Demand::NONE; TURNS];
        for (demand, member) in demands.iter_mut().zip(&self.members) {
            *demand = member.job.turn.demand();
        }
        if let Some(demands) = demands.get_mut(..self.members.len()) {
            share(demands, prompt_rows, crowded);
        }
        for (demand, member) in demands.iter().zip(&mut self.members) {
            member.count = demand.rows;
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
        let rows = self.rows();
        let mut cost = workspace.cost.lock();
        if whole {
            cost.note(ns, rows);
        }
        // CAST: At most TURNS.
        let turns = self.members.len() as u32;
        for member in &mut self.members {
            let share = cost.share(ns, turns, member.count, rows);
            member.job.turn.charge(share, turns);
        }
    }

    /// The step is done: finds out what comes next for each turn.
    pub(crate) fn finish(&mut self, flight: &Flight, section: &mut Section) {
        let Some(workspace) = self.workspace.take() else {
            return;
        };
        self.measure(&workspace);
        for member in self.members.iter_mut().filter(|member| !member.left) {
            let rows = (member.first, member.count);
            let Job { link, turn } = &mut member.job;
            member.next = Some(turn.after_step(&**link, &workspace, flight, section, rows));
        }
    }

    /// Notes the time that the rows have taken.
    fn measure(&self, workspace: &Workspace) {
        let ns = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(0);
        let mut pace = workspace.pace.lock();
        pace.note(ns, self.rows(), self.wakes);
    }
}

/// Divides the rows of a step: makes the rows of each demand those that it gets. Beside turns that
/// decode or wait, prompts get about `prompt_rows`.
fn share(demands: &mut [Demand], prompt_rows: u32, crowded: bool) {
    // CAST: At most TURNS.
    let count = demands.len() as u32;
    let mut places = LOGITS_MAX.saturating_sub(count);
    let mut left = ROWS_MAX.saturating_sub(count);
    if crowded || demands.iter().any(|demand| demand.rows == 1) {
        left = left.min(prompt_rows.max(PROMPT_ROWS_LEAST).saturating_sub(1));
    }
    let mut takers = demands.iter().filter(|demand| demand.rows > 1).count() as u32;
    for demand in demands {
        let equal = left
            .saturating_add(takers.saturating_sub(1))
            .checked_div(takers);
        let mut more = demand.rows.saturating_sub(1).min(equal.unwrap_or(0));
        if demand.all_logits {
            more = more.min(places);
            places = places.saturating_sub(more);
        }
        takers = takers.saturating_sub(u32::from(demand.rows > 1));
        left = left.saturating_sub(more);
        demand.rows = demand.rows.min(more.saturating_add(1));
    }
}

#[kunit_tests(sislm_batch)]
mod tests {
    use super::*;

    fn shares<const N: usize>(rows: [u32; N], all_logits: bool, prompt_rows: u32) -> [u32; N] {
        let mut demands = rows.map(|rows| Demand { rows, all_logits });
        share(&mut demands, prompt_rows, false);
        demands.map(|demand| demand.rows)
    }

    #[test]
    fn prompts_share_what_decoding_leaves() {
        assert_eq!(shares([1000], false, 8), [64]);
        assert_eq!(shares([1000, 1000], false, 8), [32, 32]);
        assert_eq!(shares([2, 1000, 1000], false, 8), [2, 31, 31]);
        assert_eq!(shares([1; 8], false, 8), [1; 8]);
        assert_eq!(shares([1, 1000], false, u32::MAX), [1, 63]);
    }

    #[test]
    fn a_prompt_beside_answers_is_bounded() {
        assert_eq!(shares([1, 1000], false, 16), [1, 16]);
        assert_eq!(shares([1, 1000, 1], false, 0), [1, 4, 1]);
        assert_eq!(shares([1000, 1, 1000], false, 9), [5, 1, 5]);
    }

    #[test]
    fn a_prompt_is_bounded_while_others_wait() {
        let mut demands = [Demand {
            rows: 1000,
            all_logits: false,
        }];
        share(&mut demands, 16, true);
        assert_eq!(demands[0].rows, 16);
    }

    #[test]
    fn logits_have_places() {
        assert_eq!(shares([1000], true, 8), [8]);
        assert_eq!(shares([1000, 1000, 1000], true, 8), [6, 1, 1]);
    }
}
