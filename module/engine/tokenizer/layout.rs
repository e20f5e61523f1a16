// SPDX-License-Identifier: GPL-2.0
//! The layout of vocabulary tables: a head of cells, then parts sized by it.

use crate::gguf::cells::{self, Cell, cells, cells_mut};
use crate::gguf::hash::slots;

use super::prefixes::cells_for;

/// No id, no token.
pub(super) const NONE: u32 = !0;

/// Cells of the head.
pub(super) mod head {
    /// [`super::MARK`] once the tables are finished.
    pub(crate) const MARK: usize = 0;
    /// `SISLM_TOKENIZER_*`.
    pub(crate) const MODEL: usize = 1;
    /// Number of tokens.
    pub(crate) const TOKENS: usize = 2;
    /// Number of merges.
    pub(crate) const MERGES: usize = 3;
    /// Bytes of all texts.
    pub(crate) const TEXT_BYTES: usize = 4;
    /// Beginning-of-sequence token.
    pub(crate) const BOS: usize = 5;
    /// End-of-sequence token.
    pub(crate) const EOS: usize = 6;
    /// Unknown token.
    pub(crate) const UNKNOWN: usize = 7;
    /// 1 when BOS goes before a text.
    pub(crate) const ADD_BOS: usize = 8;
    /// 1 when a space goes before a text.
    pub(crate) const ADD_SPACE: usize = 9;
    /// Pre-tokenizer, by its place in the list; of byte-level vocabularies only.
    pub(crate) const PRETOKENIZER: usize = 10;
    /// 1 when EOS goes after a text.
    pub(crate) const ADD_EOS: usize = 11;
    /// How characters of words are changed ([`super::super::normalizer`]), of WordPiece; 1 when spaces
    /// merge, of Unigram.
    pub(crate) const NORMALIZER: usize = 12;
    /// The least score of a normal token; of Unigram only.
    pub(crate) const LEAST_SCORE: usize = 13;
    /// Bytes of the map of characters; of Unigram only.
    pub(crate) const MAP_BYTES: usize = 14;
    /// Token of each byte; of WordPiece the set of its pieces ([`super::super::special`]).
    pub(crate) const BYTE_TOKENS: usize = 16;
    /// Set of user-defined tokens ([`super::super::special`]).
    pub(crate) const USER_DEFINED: usize = BYTE_TOKENS + 256;
    /// Set of control and unknown tokens.
    pub(crate) const CONTROL: usize = USER_DEFINED + super::super::special::CELLS;
    /// Cells of the head: a multiple of 64 bytes.
    pub(crate) const CELLS: usize = 352;
    const _: () =
        assert!(CONTROL + super::super::special::CELLS <= CELLS && CELLS.is_multiple_of(16));
}

/// In the kind of a token: it ends a turn.
pub(super) const END: u8 = 0x80;

/// Marks finished tables.
pub(super) const MARK: u32 = u32::from_le_bytes(*b"VOC1");

/// What the sizes of the parts follow from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Number of tokens.
    pub(super) tokens: u32,
    /// Number of merges; 0 in a SentencePiece vocabulary.
    pub(super) merges: u32,
    /// Whether tokens have scores.
    pub(super) scored: bool,
    /// Whether beginnings of tokens are known.
    pub(super) prefixed: bool,
    /// Bytes of the map of characters.
    pub(super) map_bytes: u32,
    /// Bytes of all texts, at most.
    pub(super) text_bytes: u32,
}

/// Bytes of each part, in order.
struct Parts {
    starts: u64,
    scores: u64,
    slots: u64,
    merge_slots: u64,
    merges: u64,
    prefixes: u64,
    kinds: u64,
}

impl Layout {
    fn parts(&self) -> Parts {
        let tokens = u64::from(self.tokens);
        Parts {
            starts: (tokens + 1) << 2,
            scores: if self.scored { tokens << 2 } else { 0 },
            slots: slots(self.tokens) << 2,
            merge_slots: slots(self.merges) << 2,
            merges: u64::from(self.merges) * 12,
            prefixes: if self.prefixed {
                cells_for(self.text_bytes) << 2
            } else {
                0
            },
            kinds: tokens,
        }
    }

    /// Bytes of the tables.
    pub(super) fn bytes(&self) -> u64 {
        let p = self.parts();
        let pairs = p.merge_slots + p.merges;
        let parts = p.starts + p.scores + p.slots + pairs + p.prefixes + p.kinds;
        let bytes = u64::from(self.text_bytes) + u64::from(self.map_bytes);
        (head::CELLS as u64 * 4) + parts + bytes
    }
}

/// The parts of vocabulary tables.
#[derive(Clone, Copy)]
pub(super) struct Tables<'a> {
    /// See [`head`].
    pub(super) head: &'a [Cell],
    /// Offset of each token's text in `text`, and of the end of the last.
    pub(super) starts: &'a [Cell],
    /// Score of each token, as ordered integers.
    pub(super) scores: &'a [Cell],
    /// Hash table of texts: id + 1 in the low bits, a part of the hash above.
    pub(super) slots: &'a [Cell],
    /// Hash table of pairs of ids: rank + 1 in the low bits, a part of the hash above.
    pub(super) merge_slots: &'a [Cell],
    /// Left, right and merged id by rank.
    pub(super) merges: &'a [[Cell; 3]],
    /// Beginnings of tokens ([`super::prefixes`]).
    pub(super) prefixes: &'a [Cell],
    /// Kind of each token, and whether it ends a turn ([`END`]).
    pub(super) kinds: &'a [u8],
    /// Texts of all tokens, one after the other.
    pub(super) text: &'a [u8],
    /// The map of characters ([`super::character_map`]).
    pub(super) map: &'a [u8],
}

/// The parts of vocabulary tables, to be written.
pub(super) struct TablesMut<'a> {
    pub(super) head: &'a mut [Cell],
    pub(super) starts: &'a mut [Cell],
    pub(super) scores: &'a mut [Cell],
    pub(super) slots: &'a mut [Cell],
    pub(super) merge_slots: &'a mut [Cell],
    pub(super) merges: &'a mut [[Cell; 3]],
    pub(super) prefixes: &'a mut [Cell],
    pub(super) kinds: &'a mut [u8],
    pub(super) text: &'a mut [u8],
    pub(super) map: &'a mut [u8],
}

impl<'a> Tables<'a> {
    /// Cuts `memory`; `None` when it is too short.
    pub(super) fn new(memory: &'a [u8], layout: &Layout) -> Option<Self> {
        let parts = layout.parts();
        let mut rest = memory;
        Some(Self {
            head: cells(cells::take(&mut rest, 4 * head::CELLS as u64)?),
            starts: cells(cells::take(&mut rest, parts.starts)?),
            scores: cells(cells::take(&mut rest, parts.scores)?),
            slots: cells(cells::take(&mut rest, parts.slots)?),
            merge_slots: cells(cells::take(&mut rest, parts.merge_slots)?),
            merges: cells(cells::take(&mut rest, parts.merges)?).as_chunks().0,
            prefixes: cells(cells::take(&mut rest, parts.prefixes)?),
            kinds: cells::take(&mut rest, parts.kinds)?,
            text: cells::take(&mut rest, u64::from(layout.text_bytes))?,
            map: cells::take(&mut rest, u64::from(layout.map_bytes))?,
        })
    }
}

impl<'a> TablesMut<'a> {
    /// Cuts `memory`; `None` when it is too short.
    pub(super) fn new(memory: &'a mut [u8], layout: &Layout) -> Option<Self> {
        let parts = layout.parts();
        let mut rest = memory;
        Some(Self {
            head: cells_mut(cells::take_mut(&mut rest, 4 * head::CELLS as u64)?),
            starts: cells_mut(cells::take_mut(&mut rest, parts.starts)?),
            scores: cells_mut(cells::take_mut(&mut rest, parts.scores)?),
            slots: cells_mut(cells::take_mut(&mut rest, parts.slots)?),
            merge_slots: cells_mut(cells::take_mut(&mut rest, parts.merge_slots)?),
            merges: cells_mut(cells::take_mut(&mut rest, parts.merges)?)
                .as_chunks_mut()
                .0,
            prefixes: cells_mut(cells::take_mut(&mut rest, parts.prefixes)?),
            kinds: cells::take_mut(&mut rest, parts.kinds)?,
            text: cells::take_mut(&mut rest, u64::from(layout.text_bytes))?,
            map: cells::take_mut(&mut rest, u64::from(layout.map_bytes))?,
        })
    }

    /// The same, to be read.
    pub(super) fn view(&self) -> Tables<'_> {
        Tables {
            head: self.head,
            starts: self.starts,
            scores: self.scores,
            slots: self.slots,
            merge_slots: self.merge_slots,
            merges: self.merges,
            prefixes: self.prefixes,
            kinds: self.kinds,
            text: self.text,
            map: self.map,
        }
    }
}
