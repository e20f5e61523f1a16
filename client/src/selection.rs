// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of several models a file that asks for any is given, as the module chooses it (`module/models/choice.rs`).

use std::collections::HashMap;
use std::fmt;

use crate::uapi::{
    SISLM_CHOICE_BEST, SISLM_CHOICE_DEADLINE, SISLM_CHOICE_LEAST, SISLM_CHOICE_MEMORY,
};
use crate::{Record, RecordKind};

/// Why a model was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It has the highest rank.
    Best,
    /// It has the highest rank of those that are in time.
    Deadline,
    /// It has the highest rank of those that have memory.
    Memory,
    /// None fits, and it is ready first.
    Least,
    /// Something that this client does not know.
    Other,
}

impl From<u32> for Reason {
    fn from(number: u32) -> Self {
        match number {
            SISLM_CHOICE_BEST => Self::Best,
            SISLM_CHOICE_DEADLINE => Self::Deadline,
            SISLM_CHOICE_MEMORY => Self::Memory,
            SISLM_CHOICE_LEAST => Self::Least,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Best => "the highest rank",
            Self::Deadline => "the highest rank that is in time: better ones would be late",
            Self::Memory => "the highest rank that has memory: the best one has not",
            Self::Least => "none fits: it is ready first",
            Self::Other => "for a reason that this client does not know",
        })
    }
}

/// Choices of the module, made again from its records.
#[derive(Debug, Default)]
pub struct Choices {
    /// Choices that follow from what their records tell.
    pub right: u64,
    /// Choices that do not.
    pub wrong: u64,
    /// Candidates of which not all have come, by session.
    begun: HashMap<u64, Vec<Record>>,
}

impl Choices {
    /// Takes the next record, of any kind.
    pub fn add(&mut self, record: &Record) {
        if record.kind() != RecordKind::Choice {
            return;
        }
        let candidates = self.begun.entry(record.session).or_default();
        if record.slot == 0 {
            candidates.clear();
        }
        // Of one whose beginning is lost, nothing can be said.
        if record.slot as usize != candidates.len() {
            return;
        }
        candidates.push(*record);
        if candidates.len() == record.weights[1] as usize {
            match is_right(candidates) {
                true => self.right += 1,
                false => self.wrong += 1,
            }
            self.begun.remove(&record.session);
        }
    }
}

/// Whether the one that was chosen is the one that the same candidates give.
fn is_right(records: &[Record]) -> bool {
    let wish = records.first().map_or(Wish::default(), |record| Wish {
        prompt: record.prompt_count,
        tokens: record.count,
        deadline_ns: record.queue_ns,
    });
    let candidates: Vec<Candidate> = records
        .iter()
        .map(|record| Candidate {
            rank: record.weights[0],
            turns: record.peers,
            rows: record.weights[3],
            prompt_ns: record.prefill_ns,
            token_ns: record.decode_ns,
            kv_bytes: record.kv_bytes,
            kv_left: record.served_ns,
        })
        .collect();
    let chosen = choose(&wish, &candidates);
    let told = |(place, record): (usize, &Record)| {
        let here = chosen.filter(|(chosen, _)| *chosen == place);
        record.weights[2] == here.map_or(0, |(_, reason)| reason)
    };
    records.iter().enumerate().all(told)
}

/// What is asked for.
#[derive(Clone, Copy, Default)]
struct Wish {
    /// Tokens of the prompt.
    prompt: u32,
    /// Most tokens of the answer.
    tokens: u32,
    /// Nanoseconds of the turn; 0 for no limit.
    deadline_ns: u64,
}

/// A model that may be chosen.
#[derive(Clone, Copy, Default)]
struct Candidate {
    /// The operator's opinion of it: more is better.
    rank: u32,
    /// Turns under way on it.
    turns: u32,
    /// Rows of their prompts that are not computed.
    rows: u32,
    /// Nanoseconds of a row of a prompt; 0 when not known.
    prompt_ns: u64,
    /// Nanoseconds of a token of an answer; 0 when not known.
    token_ns: u64,
    /// Memory for keys and values that it would need.
    kv_bytes: u64,
    /// Memory for keys and values that is left for it.
    kv_left: u64,
}

impl Candidate {
    /// Nanoseconds that the turn would take: prompts are computed one after the other, tokens in turns with the others'.
    fn estimate(&self, wish: &Wish) -> u64 {
        let rows = u64::from(self.rows).saturating_add(wish.prompt.into());
        let turns = u64::from(self.turns).saturating_add(1);
        let tokens = u64::from(wish.tokens).saturating_mul(turns);
        let prompt = rows.saturating_mul(self.prompt_ns);
        prompt.saturating_add(tokens.saturating_mul(self.token_ns))
    }

    fn has_memory(&self) -> bool {
        self.kv_bytes <= self.kv_left
    }

    fn is_in_time(&self, wish: &Wish) -> bool {
        wish.deadline_ns == 0 || self.estimate(wish) <= wish.deadline_ns
    }
}

/// A candidate at its place.
type Placed<'a> = (usize, &'a Candidate);

/// The one of the higher rank, of equals the first.
fn better<'a>(first: Placed<'a>, next: Placed<'a>) -> Placed<'a> {
    if next.1.rank > first.1.rank {
        next
    } else {
        first
    }
}

/// The place of one of `candidates`, and why it is that one: that of the highest rank which has memory and is in time; else the
/// one with the least estimate. Of equals the first. `None` when there are none.
fn choose(wish: &Wish, candidates: &[Candidate]) -> Option<(usize, u32)> {
    let all = || candidates.iter().enumerate();
    let (first, highest) = all().reduce(better)?;
    let fits = |one: &Placed<'_>| one.1.has_memory() && one.1.is_in_time(wish);
    if let Some((place, _)) = all().filter(fits).reduce(better) {
        let reason = match place {
            _ if place == first => SISLM_CHOICE_BEST,
            _ if highest.has_memory() => SISLM_CHOICE_DEADLINE,
            _ => SISLM_CHOICE_MEMORY,
        };
        return Some((place, reason));
    }
    let sooner = |best: (usize, u64), next: (usize, u64)| if next.1 < best.1 { next } else { best };
    let estimates = all().map(|(place, one)| (place, one.estimate(wish)));
    let (place, _) = estimates.reduce(sooner)?;
    Some((place, SISLM_CHOICE_LEAST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Candidate = Candidate {
        rank: 2,
        turns: 0,
        rows: 0,
        prompt_ns: 10,
        token_ns: 100,
        kv_bytes: 50,
        kv_left: 50,
    };
    const QUICK: Candidate = Candidate {
        rank: 1,
        prompt_ns: 1,
        token_ns: 10,
        kv_bytes: 5,
        ..SLOW
    };
    const WISH: Wish = Wish {
        prompt: 10,
        tokens: 10,
        deadline_ns: 1100,
    };

    #[test]
    fn the_highest_rank_that_fits_is_chosen() {
        let chosen = |slow, quick, wish| choose(&wish, &[quick, slow]);
        assert_eq!(chosen(SLOW, QUICK, WISH), Some((1, SISLM_CHOICE_BEST)));
        // Each of these makes it too late.
        let busy = Candidate { turns: 1, ..SLOW };
        let waited_for = Candidate { rows: 1, ..SLOW };
        let hurry = Wish {
            deadline_ns: 1099,
            ..WISH
        };
        let late = Some((0, SISLM_CHOICE_DEADLINE));
        assert_eq!(chosen(busy, QUICK, WISH), late);
        assert_eq!(chosen(waited_for, QUICK, WISH), late);
        assert_eq!(chosen(SLOW, QUICK, hurry), late);
        let full = Candidate {
            kv_left: 49,
            ..SLOW
        };
        let memory = Some((0, SISLM_CHOICE_MEMORY));
        assert_eq!(chosen(full, QUICK, WISH), memory);
        let none = Wish {
            deadline_ns: 1,
            ..WISH
        };
        assert_eq!(chosen(SLOW, QUICK, none), Some((0, SISLM_CHOICE_LEAST)));
        let endless = Wish {
            deadline_ns: 0,
            ..WISH
        };
        assert_eq!(chosen(busy, QUICK, endless), Some((1, SISLM_CHOICE_BEST)));
    }

    #[test]
    fn of_equals_the_first_is_chosen() {
        assert_eq!(choose(&WISH, &[SLOW, SLOW]), Some((0, SISLM_CHOICE_BEST)));
        assert_eq!(choose(&WISH, &[]), None);
    }

    /// The step of splitmix64.
    fn next(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut hash = *state;
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }

    #[test]
    fn a_thousand_states_have_their_digest() {
        let mut state = 0;
        let mut digest = 0u64;
        let mut reasons = [0; 5];
        for _ in 0..1000 {
            let mut draw =
                |most: u32| u32::try_from(next(&mut state) % u64::from(most)).unwrap_or(0);
            let wish = Wish {
                prompt: draw(1000),
                tokens: draw(1000),
                deadline_ns: u64::from(draw(12)) * u64::from(draw(1 << 31)),
            };
            let mut candidates = [Candidate::default(); 8];
            let count = usize::try_from(draw(9)).unwrap_or(0);
            for candidate in &mut candidates[..count] {
                *candidate = Candidate {
                    rank: draw(4),
                    turns: draw(5),
                    rows: draw(2000),
                    prompt_ns: draw(1 << 20).into(),
                    token_ns: draw(1 << 22).into(),
                    kv_bytes: draw(1000).into(),
                    kv_left: draw(2000).into(),
                };
            }
            let (place, reason) = choose(&wish, &candidates[..count]).unwrap_or((9, 0));
            reasons[usize::try_from(reason).unwrap()] += 1;
            digest = digest
                .wrapping_mul(0x100_0000_01b3)
                .wrapping_add(u64::try_from(place).unwrap() * 5 + u64::from(reason));
        }
        assert_eq!(digest, DIGEST);
        assert!(reasons.iter().all(|count| *count > 50), "{reasons:?}");
    }

    fn of(slot: u32, rank: u32, reason: u32) -> Record {
        Record {
            size: 312,
            kind: crate::uapi::SISLM_RECORD_CHOICE,
            session: 5,
            slot,
            weights: [rank, 2, reason, 0],
            ..Record::default()
        }
    }

    #[test]
    fn a_choice_is_made_again() {
        let mut choices = Choices::default();
        choices.add(&of(1, 3, 1));
        for record in [of(0, 3, 1), of(1, 2, 0), of(0, 3, 0), of(1, 2, 1)] {
            choices.add(&record);
        }
        assert_eq!((choices.right, choices.wrong), (1, 1));
    }

    /// That of `module/models/choice.rs` too.
    const DIGEST: u64 = 0x5003_7a40_17f4_ddbf;
}
