// SPDX-License-Identifier: GPL-2.0
//! The machine that turns text into token ids, a bounded piece of work at a time.
//!
//! Text is cut at special tokens first; what lies between is cut into pieces (all of it for
//! SentencePiece, words for the other kinds of BPE), and in each piece symbols merge. The words of
//! WordPiece are a machine of their own, and so is Unigram.

mod search;
mod symbol;

use crate::abi::Literal;
use crate::gguf::cells;

use super::SPACE;
use super::merging::Merging;
use super::pretokenizer::Pretokenizer;
use super::unigram::{self, Unigram};
use super::vocabulary::{Model, Vocabulary};
use super::word_piece::{self, WordPiece};
use super::work::{self, Work};

/// Why tokenizing stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The workspace is not of the size [`Tokenizer::work_bytes`] gives for this text.
    Workspace,
}

/// A text to tokenize.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Parts in which no control token is parsed, nor one that reaches into them; ascending, none empty.
    pub literal: &'a [Literal],
}

impl<'a> Text<'a> {
    /// Without such parts.
    pub fn plain(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            literal: &[],
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Begin,
    /// Looks for a special token of at most `most` bytes.
    Search {
        most: usize,
    },
    /// Begins the fragment of text before a special token or the end.
    Fragment,
    /// Looks for the end of a word.
    Word,
    /// Looks for the pieces of words.
    Pieces,
    /// Looks for the best way to cut the fragment.
    Unigram,
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
    /// Literal parts of the text that the search is past.
    literals: usize,
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
    words: Pretokenizer,
    merging: Merging,
    pieces: WordPiece,
    unigram: Unigram,
    /// Ids before the word at hand, of WordPiece.
    before_word: u32,
}

impl Tokenizer {
    /// A machine at the start of a text. `first`: the text is at position 0, so BOS and a space go
    /// before it and EOS after it, where the vocabulary wants them. `control`: control tokens in it
    /// are parsed.
    pub fn new(first: bool, control: bool) -> Self {
        Self {
            first,
            control,
            stage: Stage::Begin,
            literals: 0,
            count: 0,
            at: 0,
            fragment_end: 0,
            piece_end: 0,
            special: None,
            space: false,
            words: Pretokenizer::new(0),
            merging: Merging::new(),
            pieces: WordPiece::new(),
            unigram: Unigram::new(false),
            before_word: 0,
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
        text: Text<'_>,
        memory: &mut [u8],
        budget: u32,
    ) -> Result<bool, Fault> {
        let mut work = Work::new(memory, vocabulary, text.bytes.len()).ok_or(Fault::Workspace)?;
        for _ in 0..budget {
            self.step(vocabulary, text, &mut work)
                .ok_or(Fault::Workspace)?;
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
    fn step(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        Text {
            bytes: text,
            literal,
        }: Text<'_>,
        work: &mut Work<'_>,
    ) -> Option<()> {
        match self.stage {
            Stage::Begin => {
                if self.first && vocabulary.adds_bos() {
                    self.push_id(work, vocabulary.bos())?;
                }
                self.begin_search(self.first && vocabulary.begins_apart(), 0);
            }
            Stage::Search { most } => {
                let reach = self.control_reach(literal);
                self.search(vocabulary, text, most, reach);
            }
            Stage::Fragment => self.begin_fragment(vocabulary, work)?,
            Stage::Word => {
                let fragment = text.get(..self.fragment_end)?;
                if let Some(end) = self.words.step(vocabulary.pattern(), fragment) {
                    self.begin_word(vocabulary, text, end, work)?;
                }
            }
            Stage::Pieces => self.find_piece(vocabulary, text, work)?,
            Stage::Unigram => self.find_way(vocabulary, text, work)?,
            Stage::Symbols if self.at >= self.piece_end => self.stage = Stage::Seed,
            Stage::Symbols => self.push_symbol(vocabulary, text, work)?,
            Stage::Seed => {
                let (escaped, mut work) = symbol::split(vocabulary, text, work);
                if self.merging.seed(vocabulary, escaped, &mut work) {
                    self.stage = Stage::Merge;
                }
            }
            Stage::Merge => {
                let (escaped, mut work) = symbol::split(vocabulary, text, work);
                if self.merging.merge(vocabulary, escaped, &mut work) {
                    self.stage = Stage::Emit;
                }
            }
            Stage::Emit => self.emit(vocabulary, work)?,
            Stage::Special => match self.special {
                None => {
                    if self.first && vocabulary.adds_eos() {
                        self.push_id(work, vocabulary.eos())?;
                    }
                    self.stage = Stage::Finished;
                }
                Some((id, end)) => {
                    self.push_id(work, Some(id))?;
                    self.begin_search(vocabulary.begins_anew(id), end);
                }
            },
            Stage::Finished => {}
        }
        Some(())
    }

    fn begin_fragment(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        if self.at >= self.fragment_end {
            self.stage = Stage::Special;
            return Some(());
        }
        match vocabulary.model() {
            Model::ByteLevel | Model::Characters => {
                self.words = Pretokenizer::new(self.at);
                self.stage = Stage::Word;
            }
            Model::WordPiece => {
                self.pieces = WordPiece::new();
                self.stage = Stage::Pieces;
            }
            Model::Unigram => {
                self.unigram = Unigram::new(self.space);
                self.stage = Stage::Unigram;
            }
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

    /// Begins a word; one that is taken as a whole is done at once.
    fn begin_word(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        end: usize,
        work: &mut Work<'_>,
    ) -> Option<()> {
        if let Some(id) = vocabulary.find_word(text.get(self.at..end)?) {
            self.at = end;
            self.end_word();
            return self.push_id(work, Some(id));
        }
        self.merging = match vocabulary.model() {
            Model::ByteLevel => Merging::at(self.at),
            _ => Merging::new(),
        };
        self.piece_end = end;
        self.stage = Stage::Symbols;
        Some(())
    }

    /// Goes on with the words of WordPiece.
    fn find_piece(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let fragment = text.get(..self.fragment_end)?;
        if self.pieces.begins_word() {
            self.before_word = self.count;
        }
        match self
            .pieces
            .step(vocabulary, fragment, &mut self.at, work.text)?
        {
            word_piece::Step::More => {}
            word_piece::Step::Token(id) => self.push_id(work, Some(id))?,
            word_piece::Step::Unknown => {
                self.count = self.before_word;
                self.push_id(work, vocabulary.unknown())?;
            }
            word_piece::Step::Done => self.stage = Stage::Special,
        }
        Some(())
    }

    /// Goes on with Unigram.
    fn find_way(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let fragment = text.get(..self.fragment_end)?;
        let step = self.unigram.step(vocabulary, fragment, &mut self.at, work);
        match step? {
            unigram::Step::More => {}
            unigram::Step::Token(id) => self.push_id(work, id)?,
            unigram::Step::Done => self.stage = Stage::Special,
        }
        Some(())
    }

    /// Goes on behind a word.
    fn end_word(&mut self) {
        self.stage = if self.at < self.fragment_end {
            Stage::Word
        } else {
            Stage::Special
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::testing::mutations;
    use crate::tokenizer::testing::{
        self, PIECES, UNIGRAM, build, byte_level, character_map, ids, sentence_piece, tables, text,
        unigram, with_map,
    };

    #[test]
    fn sentence_piece_merges_the_best_pair_first() {
        let tables = tables(&sentence_piece(PIECES));
        let ids = |text: &str| ids(&tables, text.as_bytes(), true, false);
        assert_eq!(ids(""), [1]);
        assert_eq!(ids("a"), [1, 10]);
        // bc is better than ab, then ▁a than abc.
        assert_eq!(ids("abc"), [1, 10, 9]);
        assert_eq!(ids("ab a"), [1, 4, 8, 10]);
        // The leftmost of equals.
        assert_eq!(ids("bbcbc"), [1, 4, 6, 9, 9]);
    }

    #[test]
    fn bos_and_space_come_first_only_at_position_0() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(ids(&tables, b"a", true, false), [1, 10]);
        assert_eq!(ids(&tables, b"a", false, false), [5]);
        assert_eq!(ids(&tables, b"", false, false), []);
        let plain = sentence_piece(PIECES)
            .bool("tokenizer.ggml.add_bos_token", false)
            .bool("tokenizer.ggml.add_space_prefix", false);
        let plain = testing::tables(&plain);
        assert_eq!(ids(&plain, b"a", true, false), [5]);
    }

    #[test]
    fn eos_comes_last_where_the_file_says_so() {
        let file = sentence_piece(PIECES).bool("tokenizer.ggml.add_eos_token", true);
        let tables = testing::tables(&file);
        assert_eq!(ids(&tables, b"a", true, false), [1, 10, 2]);
        assert_eq!(ids(&tables, b"", true, false), [1, 2]);
        assert_eq!(ids(&tables, b"a\n", true, false), [1, 10, 3, 2]);
        // Later text goes on.
        assert_eq!(ids(&tables, b"a", false, false), [5]);
        let off = sentence_piece(PIECES).bool("tokenizer.ggml.add_eos_token", false);
        let off = testing::tables(&off);
        assert_eq!(ids(&off, b"a", true, false), [1, 10]);
    }

    #[test]
    fn a_long_text_takes_as_many_steps_a_byte_as_a_short_one() {
        let sentence_piece = tables(&sentence_piece(PIECES));
        let byte_level = tables(&byte_level(
            &["a", "Ġ", "aa", "ĠĠ"],
            &[1; 4],
            &["a a", "Ġ Ġ"],
        ));
        let map = character_map(&[("ab", "a"), ("  ", " ")]);
        let unigram = with_map(unigram(UNIGRAM), &map);
        let unigram = unigram.bool("tokenizer.ggml.add_space_prefix", true);
        for tables in [sentence_piece, byte_level, testing::tables(&unigram)] {
            let vocabulary = Vocabulary::view(&tables).expect("finished tables");
            for unit in [&b"a"[..], b" ", b"\xff", b"a b", b"<"] {
                let text = unit.repeat((1 << 18) / unit.len());
                let size = Tokenizer::work_bytes(&vocabulary, text.len()).expect("short");
                let mut work = vec![0; size as usize];
                let mut machine = Tokenizer::new(true, true);
                let mut runs = 0;
                while !machine
                    .run(&vocabulary, Text::plain(&text), &mut work, 1024)
                    .expect("room")
                {
                    runs += 1;
                }
                assert!(runs * 1024 < 40 * text.len(), "{runs} runs of {unit:?}");
            }
        }
    }

    #[test]
    fn a_small_workspace_is_an_error() {
        let tables = tables(&sentence_piece(PIECES));
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        let size = Tokenizer::work_bytes(&vocabulary, 3).expect("a short text") as usize;
        let mut short = vec![0; size - 1];
        let text = Text::plain(b"abc");
        let outcome = Tokenizer::new(true, false).run(&vocabulary, text, &mut short, 9);
        assert_eq!(outcome, Err(Fault::Workspace));
        assert_eq!(Tokenizer::work_bytes(&vocabulary, 1 << 26), None);
        assert_eq!(Tokenizer::work_bytes(&vocabulary, usize::MAX), None);
    }

    #[test]
    fn mutated_vocabularies_never_panic_and_never_lose_text() {
        let sentence_piece = sentence_piece(PIECES).finish();
        let byte_level = byte_level(
            &["a", "b", "Ġ", "ab", "Ġa", "<end>", "\n"],
            &[1, 1, 1, 1, 1, 3, 4],
            &["Ġ a", "a b"],
        );
        let map = character_map(&[("①", "a"), ("é", "abc"), ("\u{a0}", " ")]);
        let unigram = with_map(unigram(UNIGRAM), &map)
            .bool("tokenizer.ggml.add_space_prefix", true)
            .finish();
        let sample = "ab a<s>\n <end>é\u{2581}  'll <pad> \u{a0}9".as_bytes();
        let mut built = 0;
        for (seed, file) in [sentence_piece, byte_level.finish(), unigram]
            .into_iter()
            .enumerate()
        {
            mutations(&file, seed as u64, 5_000, |file| {
                if file.len() < 24
                    || crate::gguf::Parser::new(file, file.len() as u64).is_none_or(|p| p.is_err())
                {
                    return;
                }
                let Ok(tables) = build(file, 10) else { return };
                built += 1;
                for control in [false, true] {
                    let found = ids(&tables, sample, true, control);
                    text(&tables, &found);
                }
            });
        }
        assert!(built > 500, "{built}");
    }

    #[test]
    fn vocabulary_tables_of_any_bytes_never_panic() {
        let map = character_map(&[("ab", "a"), ("<", "b c")]);
        let unigram = tables(&with_map(unigram(UNIGRAM), &map));
        for tables in [tables(&sentence_piece(PIECES)), unigram] {
            mutations(&tables, 3, 2_000, |tables| {
                let Some(vocabulary) = Vocabulary::view(tables) else {
                    return;
                };
                let bytes = Tokenizer::work_bytes(&vocabulary, 7).expect("short");
                let mut work = vec![0; bytes as usize];
                let text = Text::plain(b"ab<s>\nc");
                let _ = Tokenizer::new(true, true).run(&vocabulary, text, &mut work, 300);
            });
        }
    }
}
