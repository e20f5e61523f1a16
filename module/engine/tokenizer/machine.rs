// SPDX-License-Identifier: GPL-2.0
//! The machine that turns text into token ids, a bounded piece of work at a time.
//!
//! Text is cut at special tokens first; what lies between is cut into pieces (all of it for
//! SentencePiece, words for the other kinds of BPE), and in each piece symbols merge. The words of
//! WordPiece are a machine of their own.

use crate::abi::Literal;
use crate::gguf::cells;

use super::layout::NONE;
use super::merging::Merging;
use super::pretokenizer::Pretokenizer;
use super::vocabulary::{Model, Vocabulary};
use super::word_piece::{self, WordPiece};
use super::work::{self, Work};
use super::{SPACE, utf8};

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
                self.begin_search(self.first && vocabulary.adds_space(), 0);
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

    /// Looks for special tokens from byte `at` on.
    fn begin_search(&mut self, space: bool, at: usize) {
        self.space = space;
        self.at = at;
        self.fragment_end = at;
        self.stage = Stage::Search { most: usize::MAX };
    }

    /// Bytes from the place of the search on within which control tokens are parsed.
    fn control_reach(&mut self, literal: &[Literal]) -> usize {
        if !self.control {
            return 0;
        }
        let at = self.fragment_end as u64;
        while let Some(part) = literal.get(self.literals) {
            if at < u64::from(part.offset) + u64::from(part.length) {
                return (part.offset as usize).saturating_sub(self.fragment_end);
            }
            self.literals += 1;
        }
        usize::MAX
    }

    /// Tries one length at one place; a control token has at most `reach` bytes.
    fn search(&mut self, vocabulary: &Vocabulary<'_>, text: &[u8], most: usize, reach: usize) {
        let rest = text.get(self.fragment_end..).unwrap_or_default();
        let (special, length) = vocabulary.find_special(rest, most, reach);
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
            Model::ByteLevel | Model::Characters => {
                self.words = Pretokenizer::new(self.at);
                self.stage = Stage::Word;
            }
            Model::WordPiece => {
                self.pieces = WordPiece::new();
                self.stage = Stage::Pieces;
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

    /// Goes on behind a word.
    fn end_word(&mut self) {
        self.stage = if self.at < self.fragment_end {
            Stage::Word
        } else {
            Stage::Special
        };
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
            _ => {
                let length = utf8::length(rest);
                let character = rest.get(..length)?;
                let escaped = if character == b" " { SPACE } else { character };
                self.push_escaped(vocabulary, escaped, work)?;
                self.at += length;
            }
        }
        Some(())
    }

    /// Makes a symbol of a character, a space being U+2581.
    fn push_escaped(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        character: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let room = work.text.get_mut(self.merging.end()..)?;
        room.get_mut(..character.len())?.copy_from_slice(character);
        self.merging
            .push(work, character.len(), vocabulary.find_mergeable(character))
    }

    /// Emits the ids of the next symbol of the piece.
    fn emit(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        let Some((symbol, end)) = self.merging.take(work) else {
            match vocabulary.model() {
                Model::ByteLevel | Model::Characters => self.end_word(),
                Model::SentencePiece | Model::WordPiece => self.stage = Stage::Special,
            }
            return Some(());
        };
        if symbol.id != NONE {
            return self.push_id(work, Some(symbol.id));
        }
        let start = symbol.start as usize;
        let bytes = match vocabulary.model() {
            Model::ByteLevel => return self.push_id(work, vocabulary.unknown()),
            _ => work.text.get(start..end)?,
        };
        if bytes
            .iter()
            .any(|&byte| vocabulary.byte_token(byte).is_none())
        {
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
    let rest = Work {
        ids: work.ids,
        symbols: work.symbols,
        queue: work.queue,
        text: &mut [],
    };
    match vocabulary.model() {
        Model::ByteLevel => (text, rest),
        _ => (work.text, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        PIECES, build, byte_level, byte_level_of, characters, ids, ids_of_parts, sentence_piece,
        tables, text,
    };
    use super::*;
    use crate::gguf::testing::mutations;

    /// Lines apart, newlines as a whole, the merge of the lowest rank first, bytes of characters that are no
    /// token, the later one of two tokens with one text.
    #[test]
    fn characters_merge_within_lines() {
        let tokens = [
            "<unk>", "<e>", "a", "b", "▁", "\n", "ab", "▁a", "▁ab", "\n\n", "<0xC3>", "<0xA9>",
            "b\n", "x", "x", "bb",
        ];
        let kinds = [2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 6, 6, 1, 1, 1, 1];
        let merges = ["▁ a", "a b", "▁ ab", "b \n"];
        let tables = tables(&characters(&tokens, &kinds, &merges));
        for (sample, expected) in [
            ("a b", &[2, 4, 3][..]),
            ("ab ab", &[6, 7, 3]),
            ("b\n\na", &[3, 9, 2]),
            ("aé", &[2, 10, 11]),
            ("ü", &[0]),
            ("xbb", &[14, 3, 3]),
            ("a<e>a", &[2, 1, 2]),
        ] {
            let found = ids(&tables, sample.as_bytes(), true, true);
            assert_eq!(found, expected, "{sample:?}");
            let shown = sample.replace("<e>", "");
            if !expected.contains(&0) {
                assert_eq!(text(&tables, &found), shown.as_bytes());
            }
        }
    }

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
        let plain = super::super::testing::tables(&plain);
        assert_eq!(ids(&plain, b"a", true, false), [5]);
    }

    #[test]
    fn text_begins_anew_after_an_added_token() {
        let mut pieces = PIECES.to_vec();
        pieces.push(("<mark>", 4, -1000.0));
        let mark = PIECES.len() as u32;
        let file = sentence_piece(&pieces);
        let tables = super::super::testing::tables(&file);
        let found = |text: &[u8]| ids(&tables, text, true, false);
        assert_eq!(found(b"<mark>a"), [1, mark, 10]);
        assert_eq!(found(b"a<mark><mark>ab"), [1, 10, mark, mark, 4, 8]);
        assert_eq!(found(b"<mark>\na"), [1, mark, 3, 5]);
        assert_eq!(ids(&tables, b"a<mark>a", false, false), [5, mark, 10]);
        let plain = file.bool("tokenizer.ggml.add_space_prefix", false);
        let plain = super::super::testing::tables(&plain);
        assert_eq!(ids(&plain, b"<mark>a", true, false), [1, mark, 5]);
    }

    #[test]
    fn eos_comes_last_where_the_file_says_so() {
        let file = sentence_piece(PIECES).bool("tokenizer.ggml.add_eos_token", true);
        let tables = super::super::testing::tables(&file);
        assert_eq!(ids(&tables, b"a", true, false), [1, 10, 2]);
        assert_eq!(ids(&tables, b"", true, false), [1, 2]);
        assert_eq!(ids(&tables, b"a\n", true, false), [1, 10, 3, 2]);
        // Later text goes on.
        assert_eq!(ids(&tables, b"a", false, false), [5]);
        let off = sentence_piece(PIECES).bool("tokenizer.ggml.add_eos_token", false);
        let off = super::super::testing::tables(&off);
        assert_eq!(ids(&off, b"a", true, false), [1, 10]);
    }

    #[test]
    fn control_tokens_are_parsed_only_when_asked() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(ids(&tables, b"<s>a", false, true), [1, 10]);
        // "<s" and ">" are there, and would make the control token.
        assert_eq!(ids(&tables, b"<s>a", false, false), [15, 14, 5]);
        assert_eq!(ids(&tables, b"<unk>", false, true), [0]);
        // As long as the user-defined <pad>, so that it is looked up.
        let unknown = ids(&tables, b"<unk>", false, false);
        assert_eq!(unknown, [12, 0, 0, 0, 14]);
    }

    #[test]
    fn no_control_token_begins_in_or_reaches_into_a_literal_part() {
        let tables = tables(&sentence_piece(PIECES));
        let ids = |text: &str, parts: &[(u32, u32)]| {
            let literal: Vec<Literal> = parts
                .iter()
                .map(|&(offset, length)| Literal { offset, length })
                .collect();
            ids_of_parts(&tables, text.as_bytes(), &literal)
        };
        let (control, plain) = ([1], [15, 14]);
        assert_eq!(ids("<s>", &[]), control);
        // Each of its bytes, alone or with others, before and behind.
        for part in [(0, 1), (1, 1), (2, 1), (0, 3), (1, 9), (0, u32::MAX)] {
            assert_eq!(ids("<s>", &[part]), plain, "{part:?}");
        }
        assert_eq!(ids("<s><s>", &[(3, 3)]), [1, 4, 15, 14]);
        assert_eq!(ids("<s><s>", &[(0, 3)]), [15, 14, 1]);
        assert_eq!(ids("<s><s><s>", &[(3, 3)]), [1, 4, 15, 14, 1]);
        assert_eq!(
            ids("<s>a<s>a<s>", &[(0, 3), (8, 3)]),
            [15, 14, 5, 1, 10, 15, 14]
        );
        // Text goes on across the ends of a part: ab is one token.
        assert_eq!(ids("ab<s>", &[(1, 1)]), [8, 1]);
        assert_eq!(ids("ab<s>", &[(0, 1)]), [8, 1]);
        // User-defined tokens are text of their own anywhere.
        assert_eq!(ids("<pad><s>", &[(0, 6)]), [17, 15, 14]);
        assert_eq!(ids("<unk>", &[(4, 1)]), [12, 0, 0, 0, 14]);
    }

    #[test]
    fn a_set_of_special_tokens_has_no_others_in_it() {
        // Without the user-defined <pad> nothing of five bytes is looked for.
        let pieces: Vec<_> = PIECES
            .iter()
            .filter(|piece| !piece.0.contains("pad"))
            .copied()
            .collect();
        let tables = super::super::testing::tables(&sentence_piece(&pieces));
        assert_eq!(ids(&tables, b"<unk>", false, true), [0]);
        assert_eq!(ids(&tables, b"<unk>", false, false), [12, 0, 0, 0, 14]);
        assert_eq!(ids(&tables, b"a<s>b", false, false), [5, 15, 14, 6]);
    }

    #[test]
    fn user_defined_tokens_are_always_parsed_the_longest_first() {
        let tables = tables(&sentence_piece(PIECES));
        let ids = |text: &str| ids(&tables, text.as_bytes(), true, false);
        assert_eq!(ids("a\nb"), [1, 10, 3, 6]);
        assert_eq!(ids("\nb"), [1, 3, 6]);
        assert_eq!(ids("\n\n"), [1, 3, 3]);
        assert_eq!(ids("<pad>"), [1, 17]);
        assert_eq!(ids("<pad><pad><pad>"), [1, 18, 17]);
        assert_eq!(ids("<pa"), [1, 4, 12, 0, 5]);
    }

    #[test]
    fn characters_without_a_piece_are_bytes_or_unknown() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(ids(&tables, "aéßx".as_bytes(), false, false), [5, 16, 0, 0]);
        assert_eq!(ids(&tables, b"a\xffb", false, false), [5, 0, 6]);
        let names: Vec<String> = (0..256).map(|byte| format!("<0x{byte:02X}>")).collect();
        let mut pieces = PIECES.to_vec();
        pieces.extend(names.iter().map(|name| (&*name.clone().leak(), 6, 0.0)));
        let with_bytes = super::super::testing::tables(&sentence_piece(&pieces));
        let first = PIECES.len() as u32;
        let ids = |text: &[u8]| ids(&with_bytes, text, false, false);
        assert_eq!(ids("ß".as_bytes()), [first + 0xc3, first + 0x9f]);
        assert_eq!(ids(b"\xff\x00"), [first + 0xff, first]);
        assert!(!ids(b"<0x41>").contains(&(first + 0x41)));
        assert!(!ids(b"<0x0A>").contains(&(first + 0x0a)));
    }

    #[test]
    fn byte_level_merges_by_rank_within_words() {
        let tokens = [
            "a", "b", "Ġ", "ab", "Ġa", "Ġab", "aa", "<end>", "Ã", "©", "Ã©", "a b",
        ];
        let kinds = [1, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 4];
        let merges = ["Ġ a", "a b", "Ġa b", "a a", "x y", "Ã ©", "a b"];
        let tables = tables(&byte_level(&tokens, &kinds, &merges));
        let ids = |text: &str, control| ids(&tables, text.as_bytes(), true, control);
        assert_eq!(ids("ab ab", false), [3, 5]);
        assert_eq!(ids("aaa", false), [6, 0]);
        assert_eq!(ids("é", false), [10]);
        // The vocabulary has neither a token for x nor an unknown one.
        assert_eq!(ids("axb", false), [0, 1]);
        assert_eq!(ids("a<end>b", true), [0, 7, 1]);
        assert_eq!(ids("a<end>b", false), [0, 1]);
        assert_eq!(ids("aa b", false), [0, 11]);
        let named = byte_level(&tokens, &kinds, &merges).u32("tokenizer.ggml.unknown_token_id", 7);
        let named = super::super::testing::tables(&named);
        assert_eq!(
            super::super::testing::ids(&named, b"axb", true, false),
            [0, 7, 1]
        );
    }

    #[test]
    fn a_whole_word_goes_before_merges_where_the_pre_tokenizer_says_so() {
        let tokens = ["a", "b", "c", "bc", "abc", "<s>"];
        let file = |pre: &str| {
            let kinds = [1, 1, 1, 1, 1, 3];
            byte_level_of(pre, &tokens, &kinds, &["b c"]).u32("tokenizer.ggml.bos_token_id", 5)
        };
        let ids = |pre: &str, text: &[u8]| ids(&tables(&file(pre)), text, true, false);
        assert_eq!(ids("qwen2", b"abc"), [0, 3]);
        assert_eq!(ids("minicpm5", b"abc"), [4]);
        assert_eq!(ids("minicpm5", b"abca"), [0, 3, 0]);
        // No merge and no whole word makes a mark of text.
        assert_eq!(ids("minicpm5", b"<s>"), []);
        // Without a word in the file, the name says whether BOS comes first.
        assert_eq!(ids("tekken", b"abcabc"), [5, 0, 3, 0, 3]);
        let without = file("tekken").bool("tokenizer.ggml.add_bos_token", false);
        let without = super::super::testing::tables(&without);
        assert_eq!(
            super::super::testing::ids(&without, b"abc", true, false),
            [4]
        );
    }

    #[test]
    fn a_long_text_takes_as_many_steps_a_byte_as_a_short_one() {
        let sentence_piece = tables(&sentence_piece(PIECES));
        let byte_level = tables(&byte_level(
            &["a", "Ġ", "aa", "ĠĠ"],
            &[1; 4],
            &["a a", "Ġ Ġ"],
        ));
        for tables in [sentence_piece, byte_level] {
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
        let sample = "ab a<s>\n <end>é\u{2581}  'll <pad> \u{a0}9".as_bytes();
        let mut built = 0;
        for (seed, file) in [sentence_piece, byte_level.finish()]
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
        let tables = tables(&sentence_piece(PIECES));
        mutations(&tables, 3, 2_000, |tables| {
            let Some(vocabulary) = Vocabulary::view(tables) else {
                return;
            };
            let mut work = vec![0; Tokenizer::work_bytes(&vocabulary, 7).expect("short") as usize];
            let text = Text::plain(b"ab<s>\nc");
            let _ = Tokenizer::new(true, true).run(&vocabulary, text, &mut work, 300);
        });
    }
}
