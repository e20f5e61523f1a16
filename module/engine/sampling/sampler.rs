// SPDX-License-Identifier: GPL-2.0
//! Draws the next token.

use super::candidate::Candidate;
use super::generator::Generator;
use super::log_sum_exp::LogSumExp;
use super::parameters::Parameters;
use super::penalties::Penalties;
use super::ranking::Ranking;
use super::{Budget, Fault, Progress, SEGMENT};
use crate::math::double::exp64;
use crate::math::finite::finite;

/// What is being done; each walks over the ranks once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Orders the tokens looked back at.
    Window,
    /// One pass over the vocabulary: penalties, the best k, the sum of all where it is needed.
    Scan,
    /// Makes the candidates ready to be ranked.
    Rank,
    /// Typical: the sum and the mean logit.
    TypicalSum,
    /// Typical: the first rank below the mean.
    TypicalCentre,
    /// Typical: grows the range around it.
    TypicalRange,
    /// Typical: counts the ranks before the range that are equal to its first.
    TypicalTies,
    /// Top-p: the sum.
    TopPSum,
    /// Top-p: the shortest prefix that holds its share.
    TopPRange,
    /// Min-p: the prefix that is likely enough.
    MinPRange,
    /// Temperature: the sum.
    DrawSum,
    /// The draw.
    Draw,
    /// The token is known.
    Finished,
}

/// The machine; its memory is handed to each call: the logits (vocabulary), the window
/// (at least min(repeat_last, history)) and the candidates (vocabulary).
///
/// Typical sampling (Meister et al. 2022) keeps the candidates whose surprise is nearest to the
/// entropy. Both are logits up to the same constant, so with the candidates sorted these are a
/// range of ranks around the mean logit; on equal distance the likelier one comes first, and of equal
/// ones the lower id. The range grows upwards from its middle, so where it ends inside a run of equal
/// logits, their first ranks take the place of the last.
#[derive(Clone, Copy)]
pub struct Sampler {
    parameters: Parameters,
    phase: Phase,
    vocabulary: usize,
    /// Next id of the scan.
    next: usize,
    penalties: Penalties,
    ranking: Ranking,
    /// Over the whole vocabulary, at temperature 1 for top-p and at its own for a free draw.
    all: LogSumExp,
    /// Ranks kept.
    first: usize,
    last: usize,
    /// Ranks before `ties_end` stand for those that are `shift` lower, of the same logit.
    ties_end: usize,
    shift: usize,
    /// Next rank of a walk, and the sum so far.
    cursor: usize,
    sum: f64,
    /// Sum of weight times distance, then the mean distance from the best logit.
    mean: f64,
    /// What the walk's sum is compared with.
    total: f64,
    /// Largest logit kept.
    best: f64,
    token: u32,
}

/// Memory of the machine, the same in every call.
pub struct Memory<'a> {
    /// One per token of the vocabulary.
    pub logits: &'a [f32],
    /// As given to [`Sampler::new`].
    pub window: &'a mut [u32],
    /// One per token of the vocabulary.
    pub candidates: &'a mut [Candidate],
}

impl Sampler {
    /// Starts; `history` holds the tokens of the context, oldest first.
    ///
    /// # Errors
    /// [`Fault::Argument`] for an empty vocabulary, too little memory or an unknown token.
    pub fn new(
        parameters: Parameters,
        memory: &mut Memory<'_>,
        history: &[u32],
    ) -> Result<Self, Fault> {
        let vocabulary = memory.logits.len();
        if vocabulary == 0 || vocabulary != memory.candidates.len() {
            return Err(Fault::Argument);
        }
        let penalties = Penalties::new(&parameters, history, vocabulary, memory.window)
            .ok_or(Fault::Argument)?;
        let kept = match (parameters.temperature == 0.0, parameters.top_k) {
            (true, _) => 1,
            (false, 0) => vocabulary,
            (false, k) => k as usize,
        };
        let temperature = if parameters.top_p < 1.0 {
            1.0
        } else {
            parameters.temperature
        };
        Ok(Self {
            parameters,
            phase: Phase::Window,
            vocabulary,
            next: 0,
            penalties,
            ranking: Ranking::new(kept, vocabulary),
            all: LogSumExp::new(temperature),
            first: 0,
            last: 0,
            ties_end: 0,
            shift: 0,
            cursor: 0,
            sum: 0.0,
            mean: 0.0,
            total: 0.0,
            best: 0.0,
            token: 0,
        })
    }

    /// Goes on for about `budget` candidates. The generator advances by one draw before `Done`,
    /// by none when greedy.
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory.
    pub fn run(
        &mut self,
        memory: &mut Memory<'_>,
        budget: u32,
        generator: &mut Generator,
    ) -> Result<Progress, Fault> {
        if memory.logits.len() != self.vocabulary || memory.candidates.len() != self.vocabulary {
            return Err(Fault::Argument);
        }
        let mut budget = Budget::new(budget);
        while self.phase != Phase::Finished {
            if !budget.left() {
                return Ok(Progress::More);
            }
            self.step(memory, &mut budget, generator)?;
        }
        Ok(Progress::Done)
    }

    /// After `Done`: the token.
    pub fn token(&self) -> u32 {
        self.token
    }

    fn step(
        &mut self,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
        generator: &mut Generator,
    ) -> Result<(), Fault> {
        match self.phase {
            Phase::Window => {
                if self.penalties.prepare(memory.window, budget) {
                    self.phase = Phase::Scan;
                }
                Ok(())
            }
            Phase::Scan => self.scan(memory, budget),
            Phase::Rank => {
                if self.ranking.prepare(memory.candidates, budget) {
                    self.ranked(memory.candidates, generator)?;
                }
                Ok(())
            }
            Phase::Finished => Ok(()),
            _ => {
                budget.spend(1);
                self.walk(memory.candidates, generator)
            }
        }
    }

    /// One segment of the vocabulary.
    fn scan(&mut self, memory: &mut Memory<'_>, budget: &mut Budget) -> Result<(), Fault> {
        let end = self.next.saturating_add(SEGMENT).min(self.vocabulary);
        let segment = memory.logits.get(self.next..end).ok_or(Fault::Argument)?;
        if !finite(segment) {
            return Err(Fault::Numeric);
        }
        self.offer(memory, segment).ok_or(Fault::Argument)?;
        if self.sums_all() {
            let gathered = memory
                .candidates
                .get(self.next..end)
                .ok_or(Fault::Argument)?;
            self.all
                .add(gathered.iter().map(|candidate| candidate.logit()));
        }
        budget.spend(segment.len());
        self.next = end;
        if end == self.vocabulary {
            self.ranking.close();
            self.phase = Phase::Rank;
        }
        Ok(())
    }

    /// Offers the logits from the next id on, cut at those that are penalized.
    fn offer(&mut self, memory: &mut Memory<'_>, segment: &[f32]) -> Option<()> {
        let (mut first, mut rest) = (self.next as u32, segment);
        while let Some(id) = self.penalties.lowest(memory.window) {
            let Some((free, others)) = rest.split_at_checked(id.checked_sub(first)? as usize)
            else {
                break;
            };
            let Some((&logit, others)) = others.split_first() else {
                break;
            };
            self.ranking.offer_all(memory.candidates, first, free);
            let logit = self
                .penalties
                .apply(&self.parameters, memory.window, id, logit);
            self.ranking
                .offer(memory.candidates, Candidate::new(logit, id));
            (first, rest) = (id.wrapping_add(1), others);
        }
        self.ranking.offer_all(memory.candidates, first, rest);
        Some(())
    }

    /// Whether a sum over the whole vocabulary is needed: only when nothing was cut before.
    fn sums_all(&self) -> bool {
        self.ranking.keeps_all()
            && self.parameters.typical_p >= 1.0
            && (self.parameters.top_p < 1.0 || self.parameters.min_p <= 0.0)
    }

    /// The candidates can be ranked: greedy is over, else the first cut begins.
    fn ranked(
        &mut self,
        candidates: &mut [Candidate],
        generator: &mut Generator,
    ) -> Result<(), Fault> {
        self.last = self.ranking.len();
        let best = self.ranking.get(candidates, 0).ok_or(Fault::Argument)?;
        self.best = f64::from(best.logit());
        self.token = best.id();
        if self.parameters.temperature == 0.0 {
            self.phase = Phase::Finished;
        } else if self.parameters.typical_p < 1.0 {
            self.begin(Phase::TypicalSum);
        } else {
            self.begin_top_p(generator);
        }
        Ok(())
    }

    fn begin(&mut self, phase: Phase) {
        self.phase = phase;
        self.cursor = self.first;
        self.sum = 0.0;
    }

    fn begin_top_p(&mut self, generator: &mut Generator) {
        if self.parameters.top_p >= 1.0 {
            self.begin_min_p(generator);
        } else if self.sums_all() {
            self.total = self.all.sum * f64::from(self.parameters.top_p);
            self.begin(Phase::TopPRange);
        } else {
            self.begin(Phase::TopPSum);
        }
    }

    fn begin_min_p(&mut self, generator: &mut Generator) {
        if self.parameters.min_p > 0.0 {
            self.begin(Phase::MinPRange);
        } else if self.sums_all() && self.parameters.top_p >= 1.0 {
            self.begin_draw(self.all.sum, generator);
        } else {
            self.begin(Phase::DrawSum);
        }
    }

    fn begin_draw(&mut self, sum: f64, generator: &mut Generator) {
        self.total = sum * generator.uniform();
        self.begin(Phase::Draw);
    }

    /// Looks at one more rank.
    fn walk(
        &mut self,
        candidates: &mut [Candidate],
        generator: &mut Generator,
    ) -> Result<(), Fault> {
        if self.phase == Phase::TypicalRange {
            return self.grow(candidates);
        }
        if self.phase == Phase::TypicalTies {
            return self.count_ties(candidates, generator);
        }
        if self.cursor >= self.last {
            self.walked(candidates, generator);
            return Ok(());
        }
        let rank = if self.cursor < self.ties_end {
            self.cursor.saturating_sub(self.shift)
        } else {
            self.cursor
        };
        let candidate = self.ranking.get(candidates, rank).ok_or(Fault::Argument)?;
        let distance = f64::from(candidate.logit()) - self.best;
        self.cursor = self.cursor.saturating_add(1);
        match self.phase {
            Phase::TypicalSum => {
                let weight = exp64(distance);
                self.sum += weight;
                self.mean += weight * distance;
            }
            Phase::TypicalCentre => {
                if distance < self.mean {
                    self.begin_range(self.cursor.saturating_sub(1));
                }
            }
            Phase::TopPSum => self.sum += exp64(distance),
            Phase::TopPRange => {
                self.sum += exp64(distance);
                if self.sum >= self.total {
                    self.last = self.cursor;
                }
            }
            Phase::MinPRange => {
                if exp64(distance) < f64::from(self.parameters.min_p) {
                    self.last = self.cursor.saturating_sub(1);
                }
            }
            Phase::DrawSum => self.sum += self.weight(distance),
            _ => {
                self.sum += self.weight(distance);
                self.token = candidate.id();
                if self.sum > self.total {
                    self.phase = Phase::Finished;
                }
            }
        }
        Ok(())
    }

    /// The walk saw the last rank kept.
    fn walked(&mut self, candidates: &mut [Candidate], generator: &mut Generator) {
        match self.phase {
            Phase::TypicalSum => {
                self.mean /= self.sum;
                self.total = self.sum * f64::from(self.parameters.typical_p);
                self.begin(Phase::TypicalCentre);
            }
            // All logits are equal to their mean.
            Phase::TypicalCentre => self.begin_range(self.last),
            Phase::TopPSum => {
                self.total = self.sum * f64::from(self.parameters.top_p);
                self.begin(Phase::TopPRange);
            }
            Phase::TopPRange => self.begin_min_p(generator),
            Phase::MinPRange => self.begin(Phase::DrawSum),
            Phase::DrawSum => self.begin_draw(self.sum, generator),
            // Rounding may leave the sum short of the draw: the last one it is.
            _ => self.phase = Phase::Finished,
        }
        if let Some(best) = self.ranking.get(candidates, self.first) {
            self.best = f64::from(best.logit());
        }
    }

    /// An empty range between the candidates above the mean and those below.
    fn begin_range(&mut self, centre: usize) {
        self.begin(Phase::TypicalRange);
        self.cursor = self.last;
        self.first = centre;
        self.last = centre;
    }

    /// Takes the nearer of the two candidates beside the range into it.
    fn grow(&mut self, candidates: &mut [Candidate]) -> Result<(), Fault> {
        let above = match self.first.checked_sub(1) {
            Some(rank) => self.ranking.get(candidates, rank),
            None => None,
        };
        let below = if self.last < self.cursor {
            self.ranking.get(candidates, self.last)
        } else {
            None
        };
        let distance = |candidate: Candidate| f64::from(candidate.logit()) - self.best;
        let (above, below) = (above.map(distance), below.map(distance));
        let upper = match (above, below) {
            (Some(above), Some(below)) => above - self.mean <= self.mean - below,
            (above, _) => above.is_some(),
        };
        if upper {
            // Logits differ exactly where the distances do.
            let before = self.ranking.get(candidates, self.first);
            let before = before.filter(|_| self.first < self.ties_end).map(distance);
            if before != above {
                self.ties_end = self.first;
            }
            self.first = self.first.saturating_sub(1);
        } else {
            self.last = self.last.saturating_add(1);
        }
        let taken = if upper { above } else { below };
        self.sum += exp64(taken.ok_or(Fault::Argument)?);
        let full = self.first == 0 && self.last >= self.cursor;
        if self.sum >= self.total || full {
            let best = self
                .ranking
                .get(candidates, self.first)
                .ok_or(Fault::Argument)?;
            self.best = f64::from(best.logit());
            self.phase = Phase::TypicalTies;
        }
        Ok(())
    }

    /// Looks at one more rank before the range.
    fn count_ties(
        &mut self,
        candidates: &mut [Candidate],
        generator: &mut Generator,
    ) -> Result<(), Fault> {
        let rank = self.first.checked_sub(self.shift.saturating_add(1));
        let before = rank.and_then(|rank| self.ranking.get(candidates, rank));
        if before.is_some_and(|before| f64::from(before.logit()) == self.best) {
            self.shift = self.shift.saturating_add(1);
        } else {
            self.begin_top_p(generator);
        }
        Ok(())
    }

    fn weight(&self, distance: f64) -> f64 {
        exp64(distance / f64::from(self.parameters.temperature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::parameters::Millionths;
    use crate::sampling::specification::{Case, FREE};

    #[test]
    fn frequencies_are_the_probabilities() {
        let logits: Vec<f32> = [0.5f32, 0.3, 0.15, 0.05].iter().map(|p| p.ln()).collect();
        let case = Case {
            millionths: FREE,
            logits: &logits,
            history: &[],
        };
        let mut generator = Generator::new(1);
        let mut counts = [0u32; 4];
        for _ in 0..20_000 {
            counts[case.draw(&mut generator, 1000).unwrap() as usize] += 1;
        }
        for (count, p) in counts.into_iter().zip([0.5, 0.3, 0.15, 0.05]) {
            assert!(
                (f64::from(count) / 20_000.0 - p).abs() < 0.012,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn ties_go_to_the_lowest_id() {
        let greedy = Millionths {
            temperature: 0,
            ..FREE
        };
        let logits = [1.0, 2.0, 2.0, -0.0, 0.0];
        let mut generator = Generator::new(1);
        let case = Case {
            millionths: greedy,
            logits: &logits,
            history: &[],
        };
        assert_eq!(case.draw(&mut generator, 1), Ok(1));
        let equal = [0.0; 700];
        let one = Millionths { top_k: 1, ..FREE };
        let case = Case {
            millionths: one,
            logits: &equal,
            history: &[],
        };
        assert_eq!(case.draw(&mut generator, 1), Ok(0));
        let typical = Millionths {
            typical_p: 1,
            ..FREE
        };
        let case = Case {
            millionths: typical,
            logits: &equal,
            history: &[],
        };
        assert!(case.draw(&mut generator, 1).is_ok());
    }

    #[test]
    fn what_is_not_finite_or_not_there_is_an_error() {
        let mut generator = Generator::new(1);
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 15, 16, 511, 512, 699] {
                let mut logits = [0.0; 700];
                logits[place] = wrong;
                for top_k in [0, 1, 40] {
                    let case = Case {
                        millionths: Millionths { top_k, ..FREE },
                        logits: &logits,
                        history: &[],
                    };
                    assert_eq!(case.draw(&mut generator, 9), Err(Fault::Numeric));
                }
            }
        }
        let empty = Case {
            millionths: FREE,
            logits: &[],
            history: &[],
        };
        assert_eq!(empty.draw(&mut generator, 9), Err(Fault::Argument));
        let penalized = Millionths {
            repeat_penalty: 2_000_000,
            repeat_last: 9,
            ..FREE
        };
        let unknown = Case {
            millionths: penalized,
            logits: &[0.0, 1.0],
            history: &[2],
        };
        assert_eq!(unknown.draw(&mut generator, 9), Err(Fault::Argument));
    }

    #[test]
    fn extreme_logits_draw_something() {
        let mut generator = Generator::new(1);
        let logits = [f32::MAX, f32::MIN, 0.0];
        for temperature in [1, 100_000_000] {
            for typical_p in [1, 1_000_000] {
                let millionths = Millionths {
                    temperature,
                    typical_p,
                    ..FREE
                };
                let case = Case {
                    millionths,
                    logits: &logits,
                    history: &[],
                };
                assert_eq!(case.draw(&mut generator, 1), Ok(0));
            }
        }
    }
}
