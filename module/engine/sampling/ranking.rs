// SPDX-License-Identifier: GPL-2.0
//! The best candidates in the contract's order, sorted only as far as they are looked at.

use super::Budget;
use super::RUN;
use super::candidate::Candidate;
use super::heap::{pop, sift_down, sift_up};

/// Gathers candidates, keeps the best `kept` of them, then hands them out by rank.
///
/// Memory: `kept` candidates. While gathering with fewer kept than come it is a heap of reversed
/// candidates, the worst on top; afterwards a heap with the best on top, the ranks already taken
/// standing behind it.
#[derive(Clone, Copy)]
pub struct Ranking {
    kept: usize,
    held: usize,
    /// All that come are kept: no need to know the worst.
    all: bool,
    /// Entries still to be reversed.
    reversed: usize,
    /// Roots still to be sifted.
    roots: usize,
    /// Ranks taken from the heap.
    taken: usize,
}

impl Ranking {
    /// Keeps the best `kept` of `total` candidates.
    pub fn new(kept: usize, total: usize) -> Self {
        let all = kept >= total;
        let kept = kept.min(total);
        Self {
            kept,
            held: 0,
            all,
            reversed: 0,
            roots: 0,
            taken: 0,
        }
    }

    /// Whether nothing is dropped.
    pub fn keeps_all(&self) -> bool {
        self.all
    }

    /// Candidates held; all ranks are below it.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether nothing was gathered.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Offers a candidate.
    #[inline(always)]
    pub fn offer(&mut self, memory: &mut [Candidate], candidate: Candidate) {
        if self.all {
            if let Some(slot) = memory.get_mut(self.held) {
                *slot = candidate;
                self.held = self.held.saturating_add(1);
            }
            return;
        }
        let reversed = candidate.reversed();
        if self.held < self.kept {
            if let Some(slot) = memory.get_mut(self.held) {
                *slot = reversed;
                sift_up(memory, self.held);
                self.held = self.held.saturating_add(1);
            }
            return;
        }
        let Some(heap) = memory.get_mut(..self.held) else {
            return;
        };
        if let Some(worst) = heap.first_mut()
            && reversed < *worst
        {
            *worst = reversed;
            sift_down(heap, 0);
        }
    }

    /// The logit that the next candidates have to exceed to be kept, their ids being higher than
    /// those of all before.
    #[inline(always)]
    fn bar(&self, memory: &[Candidate]) -> f32 {
        if self.all || self.held < self.kept {
            return f32::NEG_INFINITY;
        }
        let heap = memory.get(..self.held).unwrap_or(&[]);
        heap.first()
            .map_or(f32::INFINITY, |worst| worst.reversed().logit())
    }

    /// Offers finite logits with ascending ids from `first` on, higher than those of all before.
    /// A run in which none exceeds the bar is skipped as a whole.
    pub fn offer_all(&mut self, memory: &mut [Candidate], first: u32, logits: &[f32]) {
        let mut bar = self.bar(memory);
        let (runs, rest) = logits.as_chunks::<RUN>();
        // CAST: A small constant.
        #[expect(clippy::cast_possible_truncation)]
        const STEP: u32 = RUN as u32;
        let mut id = first;
        for run in runs {
            if exceeds(run, bar) {
                bar = self.offer_run(memory, id, run, bar);
            }
            id = id.wrapping_add(STEP);
        }
        self.offer_run(memory, id, rest, bar);
    }

    /// Offers those that exceed the bar; returns the new one.
    fn offer_run(
        &mut self,
        memory: &mut [Candidate],
        first: u32,
        logits: &[f32],
        mut bar: f32,
    ) -> f32 {
        let mut id = first;
        for &logit in logits {
            if logit > bar {
                self.offer(memory, Candidate::new(logit, id));
                bar = self.bar(memory);
            }
            id = id.wrapping_add(1);
        }
        bar
    }

    /// Ends the gathering.
    pub fn close(&mut self) {
        self.reversed = if self.all { 0 } else { self.held };
        self.roots = self.held / 2;
    }

    /// Makes the heap the ranks are taken from; true when that is done.
    pub(crate) fn prepare(&mut self, memory: &mut [Candidate], budget: &mut Budget) -> bool {
        let Some(heap) = memory.get_mut(..self.held) else {
            return true;
        };
        while let Some(index) = self.reversed.checked_sub(1) {
            if !budget.left() {
                return false;
            }
            if let Some(slot) = heap.get_mut(index) {
                *slot = slot.reversed();
            }
            self.reversed = index;
            budget.spend(1);
        }
        while let Some(root) = self.roots.checked_sub(1) {
            if !budget.left() {
                return false;
            }
            sift_down(heap, root);
            self.roots = root;
            budget.spend(1);
        }
        true
    }

    /// The candidate of a rank, 0 being the best; asking for the ranks in ascending order costs
    /// one step down the heap each.
    pub fn get(&mut self, memory: &mut [Candidate], rank: usize) -> Option<Candidate> {
        while self.taken <= rank {
            pop(memory.get_mut(..self.held.checked_sub(self.taken)?)?)?;
            self.taken = self.taken.saturating_add(1);
        }
        memory
            .get(self.held.checked_sub(rank)?.checked_sub(1)?)
            .copied()
    }
}

/// Whether any of the logits exceeds the bar; without a branch, for the vectorizer.
#[inline(always)]
fn exceeds(run: &[f32; RUN], bar: f32) -> bool {
    let any = run.iter().fold(0, |any, &logit| {
        any | if logit > bar { u32::MAX } else { 0 }
    });
    any != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::generator::Generator;

    #[test]
    fn ranks_are_those_of_a_full_sort() {
        let mut generator = Generator::new(5);
        for total in [1usize, 2, 3, 10, 100, 1000] {
            for kept in [0, 1, 2, total / 2, total - 1, total, total + 1] {
                let logits: Vec<f32> = (0..total)
                    .map(|_| (generator.draw() % 32) as f32 * 0.5 - 9.0)
                    .collect();
                let candidates = logits
                    .iter()
                    .enumerate()
                    .map(|(id, &l)| Candidate::new(l, id as u32));
                let mut expected: Vec<Candidate> = candidates.collect();
                expected.sort_unstable_by(|a, b| b.cmp(a));
                expected.truncate(kept);

                let mut memory = vec![Candidate::new(0.0, 0); total];
                let mut ranking = Ranking::new(kept, total);
                let (singly, others) = logits.split_at(generator.draw() as usize % (total + 1));
                let (some, rest) = others.split_at(others.len() / 3);
                for (id, &logit) in singly.iter().enumerate() {
                    ranking.offer(&mut memory, Candidate::new(logit, id as u32));
                }
                ranking.offer_all(&mut memory, singly.len() as u32, some);
                let first = (singly.len() + some.len()) as u32;
                ranking.offer_all(&mut memory, first, rest);
                ranking.close();
                while !ranking.prepare(&mut memory, &mut Budget::new(1)) {}
                assert_eq!(ranking.len(), expected.len());
                let ranks: Vec<Candidate> = (0..ranking.len())
                    .map(|rank| ranking.get(&mut memory, rank).unwrap())
                    .collect();
                assert_eq!(ranks, expected);
                assert_eq!(ranking.get(&mut memory, 0).as_ref(), expected.first());
                assert_eq!(ranking.get(&mut memory, expected.len()), None);
            }
        }
    }
}
