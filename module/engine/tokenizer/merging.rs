// SPDX-License-Identifier: GPL-2.0
//! Byte-pair encoding of one piece of text: symbols merge in pairs, best pair first.
//!
//! The best pair has the lowest key, and is the leftmost among equals. Source: Sennrich et al.,
//! "Neural Machine Translation of Rare Words with Subword Units"; the order is SentencePiece's.

use crate::gguf::cells::Cell;

use super::layout::NONE;
use super::vocabulary::{Model, Vocabulary};
use super::work::Work;

/// A run of text that is, or could be, one token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Symbol {
    /// Where it starts; [`NONE`] when it was merged into the one before.
    pub(super) start: u32,
    /// Its token, or [`NONE`].
    pub(super) id: u32,
    previous: u32,
    next: u32,
}

/// A pair that could merge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    key: u32,
    left: u32,
    merged: u32,
}

impl Symbol {
    fn encode(self) -> [Cell; 4] {
        [self.start, self.id, self.previous, self.next].map(u32::to_le_bytes)
    }

    fn decode(cells: [Cell; 4]) -> Self {
        let [start, id, previous, next] = cells.map(u32::from_le_bytes);
        Self {
            start,
            id,
            previous,
            next,
        }
    }
}

impl Candidate {
    fn encode(self) -> [Cell; 3] {
        [self.key, self.left, self.merged].map(u32::to_le_bytes)
    }

    fn decode(cells: [Cell; 3]) -> Self {
        let [key, left, merged] = cells.map(u32::from_le_bytes);
        Self { key, left, merged }
    }
}

/// The state of merging one piece of text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merging {
    /// Symbols of the piece.
    symbols: u32,
    /// Candidates in the heap.
    queued: u32,
    /// The next symbol to seed from or to take; [`NONE`] at the end.
    next: u32,
    /// Where the piece ends.
    end: u32,
}

impl Merging {
    /// Begins a piece.
    pub(super) fn new() -> Self {
        Self {
            symbols: 0,
            queued: 0,
            next: 0,
            end: 0,
        }
    }

    /// Where the symbols so far end.
    pub(super) fn end(&self) -> usize {
        self.end as usize
    }

    /// Adds a symbol of `length` bytes at the end; `None` when there is no room.
    pub(super) fn push(
        &mut self,
        work: &mut Work<'_>,
        length: usize,
        id: Option<u32>,
    ) -> Option<()> {
        let at = self.symbols;
        let symbol = Symbol {
            start: self.end,
            id: id.unwrap_or(NONE),
            previous: at.checked_sub(1).unwrap_or(NONE),
            next: NONE,
        };
        *work.symbols.get_mut(at as usize)? = symbol.encode();
        if let Some(mut before) = symbol_at(work, symbol.previous) {
            before.next = at;
            put(work, symbol.previous, before);
        }
        self.symbols = at.checked_add(1)?;
        // CAST: Bytes of a text, at most TEXT_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let length = length as u32;
        self.end = self.end.checked_add(length)?;
        Some(())
    }

    /// Begins a piece at byte `start` of the text.
    pub(super) fn at(start: usize) -> Self {
        Self {
            // CAST: At most TEXT_BYTES_MAX.
            #[expect(clippy::cast_possible_truncation)]
            end: start as u32,
            ..Self::new()
        }
    }

    /// Looks at the next pair of neighbours; true when all have been looked at.
    pub(super) fn seed(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> bool {
        self.offer(vocabulary, text, work, self.next);
        self.next = self.next.saturating_add(1);
        let finished = self.next >= self.symbols;
        if finished {
            self.next = 0;
        }
        finished
    }

    /// Takes the best candidate and merges its pair, if that is still there; true when none is left.
    pub(super) fn merge(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> bool {
        let Some(best) = self.pop(work) else {
            return true;
        };
        let Some(mut left) = symbol_at(work, best.left).filter(|left| left.start != NONE) else {
            return false;
        };
        let Some(mut right) = symbol_at(work, left.next) else {
            return false;
        };
        let (after, gone) = (right.next, left.next);
        let length = self.start_of(work, after).saturating_sub(left.start) as usize;
        // A side that has merged since makes the pair longer.
        if length != vocabulary.text(best.merged).len() {
            return false;
        }
        right.start = NONE;
        put(work, gone, right);
        left.id = best.merged;
        left.next = after;
        put(work, best.left, left);
        if let Some(mut next) = symbol_at(work, after) {
            next.previous = best.left;
            put(work, after, next);
        }
        self.offer(vocabulary, text, work, left.previous);
        self.offer(vocabulary, text, work, best.left);
        false
    }

    /// After merging: the next symbol, and where it ends.
    pub(super) fn take(&mut self, work: &Work<'_>) -> Option<(Symbol, usize)> {
        let symbol = symbol_at(work, self.next)?;
        self.next = symbol.next;
        Some((symbol, self.start_of(work, symbol.next) as usize))
    }

    /// Queues the pair of symbol `left` and the one after it, if they can merge.
    fn offer(&mut self, vocabulary: &Vocabulary<'_>, text: &[u8], work: &mut Work<'_>, left: u32) {
        let Some(first) = symbol_at(work, left) else {
            return;
        };
        let Some(second) = symbol_at(work, first.next) else {
            return;
        };
        let found = match vocabulary.model() {
            Model::ByteLevel | Model::Characters => vocabulary.pair(first.id, second.id),
            Model::SentencePiece | Model::WordPiece | Model::Unigram => {
                let end = self.start_of(work, second.next) as usize;
                let merged = text.get(first.start as usize..end);
                let merged = merged.and_then(|text| vocabulary.find_mergeable(text));
                merged.map(|id| (!vocabulary.score(id), id))
            }
        };
        if let Some((key, merged)) = found {
            self.insert(work, Candidate { key, left, merged });
        }
    }

    /// Where symbol `at` starts; the end of the piece after the last.
    fn start_of(&self, work: &Work<'_>, at: u32) -> u32 {
        symbol_at(work, at).map_or(self.end, |symbol| symbol.start)
    }

    fn insert(&mut self, work: &mut Work<'_>, candidate: Candidate) {
        let mut at = self.queued;
        // There is room for every candidate: see work::Parts.
        if at as usize >= work.queue.len() {
            return;
        }
        self.queued = at.saturating_add(1);
        while let Some(parent) = at.checked_sub(1).map(|above| above >> 1) {
            match candidate_at(work, parent) {
                Some(above) if above > candidate => queue(work, at, above),
                _ => break,
            }
            at = parent;
        }
        queue(work, at, candidate);
    }

    fn pop(&mut self, work: &mut Work<'_>) -> Option<Candidate> {
        let last = self.queued.checked_sub(1)?;
        let best = candidate_at(work, 0)?;
        let moved = candidate_at(work, last)?;
        self.queued = last;
        let mut at = 0u32;
        loop {
            let left = at.saturating_mul(2).saturating_add(1);
            let right = left.saturating_add(1);
            let below = |place: u32| candidate_at(work, place).filter(|_| place < last);
            let least = match (below(left), below(right)) {
                (Some(first), Some(second)) if second < first => Some((right, second)),
                (Some(first), _) => Some((left, first)),
                _ => None,
            };
            match least {
                Some((place, least)) if least < moved => {
                    queue(work, at, least);
                    at = place;
                }
                _ => break,
            }
        }
        queue(work, at, moved);
        Some(best)
    }
}

fn symbol_at(work: &Work<'_>, at: u32) -> Option<Symbol> {
    work.symbols
        .get(at as usize)
        .filter(|_| at != NONE)
        .map(|&cells| Symbol::decode(cells))
}

fn put(work: &mut Work<'_>, at: u32, symbol: Symbol) {
    if let Some(cells) = work.symbols.get_mut(at as usize) {
        *cells = symbol.encode();
    }
}

fn candidate_at(work: &Work<'_>, at: u32) -> Option<Candidate> {
    work.queue
        .get(at as usize)
        .map(|&cells| Candidate::decode(cells))
}

fn queue(work: &mut Work<'_>, at: u32, candidate: Candidate) {
    if let Some(cells) = work.queue.get_mut(at as usize) {
        *cells = candidate.encode();
    }
}
