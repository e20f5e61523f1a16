// SPDX-License-Identifier: GPL-2.0
//! The workspace of a tokenizer, in memory handed in.

use crate::gguf::cells::{self, Cell, cells_mut};

use super::character_map;
use super::normalizer::GROWTH;
use super::vocabulary::{Model, Vocabulary};
use super::{SPACE, TOKEN_BYTES_MAX};

/// Longest text, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 26;

/// Sums of scores that Unigram keeps: more than a token has bytes, and a power of two.
pub(super) const SUMS: usize = 2 * TOKEN_BYTES_MAX;
const _: () = assert!(SUMS.is_power_of_two() && SUMS > TOKEN_BYTES_MAX);

/// The parts of a workspace.
pub(super) struct Work<'a> {
    /// The ids.
    pub(super) ids: &'a mut [Cell],
    /// Symbols of the piece of text at hand: start, id, previous and next symbol.
    pub(super) symbols: &'a mut [[Cell; 4]],
    /// Heap of possible merges: key, left symbol, merged id.
    pub(super) queue: &'a mut [[Cell; 3]],
    /// The piece of text at hand with U+2581 for spaces; of WordPiece the word at hand. Not there in a
    /// byte-level vocabulary.
    pub(super) text: &'a mut [u8],
    /// Of Unigram: the step that leads to each place of the text.
    pub(super) steps: &'a mut [[u8; 2]],
    /// Of Unigram: the sums of scores of the last places.
    pub(super) sums: &'a mut [[u8; 8]],
}

/// Bytes of each part for a text.
struct Parts {
    ids: usize,
    symbols: usize,
    queue: usize,
    text: usize,
    steps: usize,
    sums: usize,
}

impl Parts {
    /// `None` when the text is too long.
    fn new(vocabulary: &Vocabulary<'_>, bytes: usize) -> Option<Self> {
        // One symbol more than bytes: the space put before a text.
        let symbols = bytes
            .checked_add(1)
            .filter(|&symbols| symbols <= TEXT_BYTES_MAX)?;
        let (ids_of_space, text) = match vocabulary.model() {
            Model::ByteLevel | Model::WordPiece | Model::Unigram => (1, 0),
            _ if vocabulary.find_mergeable(SPACE).is_some() => (1, 3),
            Model::SentencePiece | Model::Characters => (3, 3),
        };
        if vocabulary.model() == Model::Unigram {
            // Most bytes and most tokens that a byte becomes.
            let (bytes, tokens) = match vocabulary.character_map().units() {
                0 => (SPACE.len(), 1),
                _ => (character_map::GROWTH, character_map::CHARACTERS),
            };
            // The space put before each fragment, of which a special token makes one more.
            let text = symbols * bytes + SPACE.len();
            return Some(Self {
                ids: (symbols * (tokens + 1) + 2) * 4,
                symbols: 0,
                queue: 0,
                text,
                steps: (text + 1) * 2,
                sums: SUMS * 8,
            });
        }
        if vocabulary.model() == Model::WordPiece {
            // Before each word its U+2581; each byte of the two may be a token.
            let text = symbols * (GROWTH + SPACE.len());
            return Some(Self {
                ids: (text + 2) * 4,
                symbols: 0,
                queue: 0,
                text,
                steps: 0,
                sums: 0,
            });
        }
        // Each byte of text is at most a space, or a special token with the space put after it.
        // BOS and EOS come on top.
        let ids = symbols * (ids_of_space + 1) + 2;
        // Merging `n` symbols starts with at most n - 1 pairs, and each of at most n - 1 merges
        // takes one pair and gives at most two.
        Some(Self {
            ids: ids * 4,
            symbols: symbols * 16,
            queue: symbols * 24,
            text: symbols * text,
            steps: 0,
            sums: 0,
        })
    }
}

/// Bytes of the workspace for a text; `None` when it is too long.
pub(super) fn bytes(vocabulary: &Vocabulary<'_>, text: usize) -> Option<u64> {
    let parts = Parts::new(vocabulary, text)?;
    let symbols = parts.symbols as u64 + parts.queue as u64;
    let ways = parts.steps as u64 + parts.sums as u64;
    Some(parts.ids as u64 + symbols + parts.text as u64 + ways)
}

impl<'a> Work<'a> {
    /// Cuts `memory`; `None` when it is too short for a text of so many bytes.
    pub(super) fn new(
        memory: &'a mut [u8],
        vocabulary: &Vocabulary<'_>,
        text: usize,
    ) -> Option<Self> {
        let parts = Parts::new(vocabulary, text)?;
        let mut rest = memory;
        Some(Self {
            ids: cells_mut(cells::take_mut(&mut rest, parts.ids as u64)?),
            symbols: cells_mut(cells::take_mut(&mut rest, parts.symbols as u64)?)
                .as_chunks_mut()
                .0,
            queue: cells_mut(cells::take_mut(&mut rest, parts.queue as u64)?)
                .as_chunks_mut()
                .0,
            text: cells::take_mut(&mut rest, parts.text as u64)?,
            steps: cells::take_mut(&mut rest, parts.steps as u64)?
                .as_chunks_mut()
                .0,
            sums: cells::take_mut(&mut rest, parts.sums as u64)?
                .as_chunks_mut()
                .0,
        })
    }
}
