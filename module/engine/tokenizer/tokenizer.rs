// SPDX-License-Identifier: GPL-2.0
//! The machine that turns text into token ids, a bounded piece of work at a time.
//!
//! Text is cut at special tokens first; what lies between is cut into pieces (all of it for
//! SentencePiece, words for byte-level BPE), and in each piece symbols merge.

use crate::gguf::cells;

use super::layout::NONE;
use super::merging::Merging;
use super::pretokenizer::Pretokenizer;
use super::vocabulary::{Model, Vocabulary};
use super::work::{self, Work};
use super::{SPACE, utf8};

/// Why tokenizing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The workspace is not of the size [`Tokenizer::work_bytes`] gives for this text.
    Workspace,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Begin,
    /// Looks for a special token of at most `most` bytes.
    Search { most: usize },
    /// Begins the fragment of text before a special token or the end.
    Fragment,
    Word(Pretokenizer),
    Symbols,
    Seed,
    Merge,
    Emit,
    Special,
    Finished,
}

/// The machine. It holds positions, no references.
#[derive(Clone, Copy, Debug)]
pub struct Tokenizer {
    first: bool,
    control: bool,
    stage: Stage,
    /// Ids so far.
    count: u32,
    /// The position in the text.
    at: usize,
    /// Where the fragment ends.
    fragment_end: usize,
    /// Where the piece ends.
    piece_end: usize,
    /// The special token after the fragment, and where it ends.
    special: Option<(u32, usize)>,
    /// Whether a space goes before the next fragment.
    space: bool,
    merging: Merging,
}

impl Tokenizer {
    /// A machine at the start of a text. `first`: the text is at position 0, so BOS and a space go
    /// before it, where the vocabulary wants them. `control`: control tokens in it are parsed.
    pub fn new(first: bool, control: bool) -> Self {
        Self {
            first,
            control,
            stage: Stage::Begin,
            count: 0,
            at: 0,
            fragment_end: 0,
            piece_end: 0,
            special: None,
            space: false,
            merging: Merging::new(),
        }
    }

    /// Bytes of the workspace for a text; `None` when it is longer than 64 MiB.
    pub fn work_bytes(vocabulary: &Vocabulary<'_>, text: usize) -> Option<u64> {
        work::bytes(vocabulary, text)
    }

    /// Goes on with about `budget` characters or merges; true when finished. `text` and the
    /// workspace are the same in each call.
    ///
    /// # Errors
    /// [`Fault::Workspace`]: `memory` is too short.
    pub fn run(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        memory: &mut [u8],
        budget: u32,
    ) -> Result<bool, Fault> {
        let mut work = Work::new(memory, vocabulary, text.len()).ok_or(Fault::Workspace)?;
        for _ in 0..budget {
            self.step(vocabulary, text, &mut work).ok_or(Fault::Workspace)?;
            if matches!(self.stage, Stage::Finished) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Number of ids so far; they lie at the front of the workspace, little-endian `u32` each.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Does one unit of work; `None` when the workspace is too small.
    fn step(&mut self, vocabulary: &Vocabulary<'_>, text: &[u8], work: &mut Work<'_>) -> Option<()> {
        match self.stage {
            Stage::Begin => {
                if self.first && vocabulary.adds_bos() {
                    self.push_id(work, vocabulary.bos())?;
                }
                self.begin_search(self.first && vocabulary.adds_space(), 0);
            }
            Stage::Search { most } => self.search(vocabulary, text, most),
            Stage::Fragment => self.begin_fragment(vocabulary, work)?,
            Stage::Word(mut machine) => {
                let fragment = text.get(..self.fragment_end)?;
                match machine.step(fragment) {
                    Some(end) => self.begin_piece(end),
                    None => self.stage = Stage::Word(machine),
                }
            }
            Stage::Symbols if self.at >= self.piece_end => self.stage = Stage::Seed,
            Stage::Symbols => self.push_symbol(vocabulary, text, work)?,
            Stage::Seed => {
                let (escaped, mut work) = split(vocabulary, text, work);
                if self.merging.seed(vocabulary, escaped, &mut work) {
                    self.stage = Stage::Merge;
                }
            }
            Stage::Merge => {
                let (escaped, mut work) = split(vocabulary, text, work);
                if self.merging.merge(vocabulary, escaped, &mut work) {
                    self.stage = Stage::Emit;
                }
            }
            Stage::Emit => self.emit(vocabulary, work)?,
            Stage::Special => match self.special {
                None => self.stage = Stage::Finished,
                Some((id, end)) => {
                    self.push_id(work, Some(id))?;
                    self.begin_search(vocabulary.adds_space(), end);
                }
            },
            Stage::Finished => {}
        }
        Some(())
    }

    /// Looks for special tokens from byte `at` on.
    fn begin_search(&mut self, space: bool, at: usize) {
        self.space = space;
        self.at = at;
        self.fragment_end = at;
        self.stage = Stage::Search { most: usize::MAX };
    }

    /// Tries one length at one place.
    fn search(&mut self, vocabulary: &Vocabulary<'_>, text: &[u8], most: usize) {
        let rest = text.get(self.fragment_end..).unwrap_or_default();
        let (special, length) = vocabulary.find_special(rest, most, self.control);
        self.special = special.map(|id| (id, self.fragment_end.saturating_add(length)));
        if special.is_some() || rest.is_empty() {
            self.stage = Stage::Fragment;
        } else if length > 1 {
            self.stage = Stage::Search { most: length - 1 };
        } else {
            self.fragment_end += 1;
            self.stage = Stage::Search { most: usize::MAX };
        }
    }

    fn begin_fragment(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        if self.at >= self.fragment_end {
            self.stage = Stage::Special;
            return Some(());
        }
        match vocabulary.model() {
            Model::ByteLevel => self.stage = Stage::Word(Pretokenizer::new(self.at)),
            Model::SentencePiece => {
                self.merging = Merging::new();
                if self.space {
                    self.push_escaped(vocabulary, SPACE, work)?;
                }
                self.piece_end = self.fragment_end;
                self.stage = Stage::Symbols;
            }
        }
        Some(())
    }

    /// Begins a word.
    fn begin_piece(&mut self, end: usize) {
        self.merging = Merging::at(self.at);
        self.piece_end = end;
        self.stage = Stage::Symbols;
    }

    /// Makes a symbol of the next character or byte.
    fn push_symbol(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let rest = text.get(self.at..self.piece_end)?;
        match vocabulary.model() {
            Model::ByteLevel => {
                let &byte = rest.first()?;
                self.merging.push(work, 1, vocabulary.byte_token(byte))?;
                self.at += 1;
            }
            Model::SentencePiece => {
                let length = utf8::length(rest);
                let character = rest.get(..length)?;
                let escaped = if character == b" " { SPACE } else { character };
                self.push_escaped(vocabulary, escaped, work)?;
                self.at += length;
            }
        }
        Some(())
    }

    /// Makes a symbol of a character of a SentencePiece text.
    fn push_escaped(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        character: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let room = work.text.get_mut(self.merging.end()..)?;
        room.get_mut(..character.len())?.copy_from_slice(character);
        self.merging.push(work, character.len(), vocabulary.find_mergeable(character))
    }

    /// Emits the ids of the next symbol of the piece.
    fn emit(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        let Some((symbol, end)) = self.merging.take(work) else {
            self.stage = match vocabulary.model() {
                Model::ByteLevel if self.at < self.fragment_end => {
                    Stage::Word(Pretokenizer::new(self.at))
                }
                _ => Stage::Special,
            };
            return Some(());
        };
        if symbol.id != NONE {
            return self.push_id(work, Some(symbol.id));
        }
        let start = symbol.start as usize;
        let bytes = match vocabulary.model() {
            Model::ByteLevel => return self.push_id(work, vocabulary.unknown()),
            Model::SentencePiece => work.text.get(start..end)?,
        };
        if bytes.iter().any(|&byte| vocabulary.byte_token(byte).is_none()) {
            return self.push_id(work, vocabulary.unknown());
        }
        for at in start..end {
            let &byte = work.text.get(at)?;
            self.push_id(work, vocabulary.byte_token(byte))?;
        }
        Some(())
    }

    /// Adds an id, if there is one.
    fn push_id(&mut self, work: &mut Work<'_>, id: Option<u32>) -> Option<()> {
        let Some(id) = id else {
            return Some(());
        };
        cells::set(work.ids, self.count as usize, id)?;
        self.count += 1;
        Some(())
    }
}

/// The text that symbols' places count in, and the rest of the workspace.
fn split<'a>(
    vocabulary: &Vocabulary<'_>,
    text: &'a [u8],
    work: &'a mut Work<'_>,
) -> (&'a [u8], Work<'a>) {
    let rest = Work { ids: work.ids, symbols: work.symbols, queue: work.queue, text: &mut [] };
    match vocabulary.model() {
        Model::ByteLevel => (text, rest),
        Model::SentencePiece => (work.text, rest),
    }
}
