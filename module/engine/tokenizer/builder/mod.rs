// SPDX-License-Identifier: GPL-2.0
//! The builder of vocabulary tables: a resumable machine over the header of a file.

mod map;
mod marks;
mod merge;
mod slots;
mod token;

use crate::abi::note;
use crate::gguf::cells;
use crate::gguf::{Array, Cursor, Keys, Reason, Refusal};

use super::ends::Ends;
use super::layout::{END, Layout, MARK, NONE, TablesMut, head};
use super::vocabulary::{Model, Vocabulary};
use super::{TokenizerKeys, requirements};

/// Tokens whose marks are looked at for one of the budget.
const SCANNED: usize = 32;

/// How far the builder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The tables are finished.
    Done,
    /// The budget is used up.
    More,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Begin,
    Tokens,
    Ends,
    Merges,
    Bytes,
    Map,
    Finished,
}

/// The machine. It holds positions, no references.
#[derive(Clone, Copy, Debug)]
pub struct Builder {
    model: Model,
    pretokenizer: u32,
    keys: TokenizerKeys,
    layout: Layout,
    stage: Stage,
    /// Items of the stage that are done.
    done: u32,
    /// Offset of the next string in the header.
    at: usize,
    /// Bytes of text written.
    text: usize,
    ends: Ends,
    /// What was not taken as the file has it ([`note`]).
    notes: u32,
}

impl Builder {
    /// A builder for the tokenizer that `keys` describe.
    ///
    /// # Errors
    /// A tokenizer or pre-tokenizer that is not supported, a missing key, arrays that do not match.
    pub fn new(keys: &Keys<'_>) -> Result<Self, Refusal> {
        let prefix = keys.prefix();
        let keys = TokenizerKeys::read(keys)?;
        let (model, pretokenizer, layout) = requirements::check(&keys, prefix)?;
        let unscored = layout.scored && keys.scores.is_none();
        let unnamed = model == Model::ByteLevel && keys.pre.is_none();
        let scores = if unscored { note::SCORES } else { 0 };
        let pretokenizer_note = if unnamed { note::PRETOKENIZER } else { 0 };
        Ok(Self {
            model,
            pretokenizer,
            keys,
            layout,
            stage: Stage::Begin,
            done: 0,
            at: 0,
            text: 0,
            ends: Ends::NONE,
            notes: scores | pretokenizer_note,
        })
    }

    /// What was not taken as the file has it ([`note`]), once the tables are finished.
    pub fn notes(&self) -> u32 {
        self.notes
    }

    /// The tokens that end a turn, once the tables are finished.
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// Bytes of the tables.
    pub fn table_bytes(&self) -> u64 {
        self.layout.bytes()
    }

    /// Goes on with about `budget` tokens or merges. `prefix` is the header; `tables` is the same
    /// memory in each call, [`Builder::table_bytes`] long, zeroed before the first.
    ///
    /// # Errors
    /// The refusal; the machine must not be run again.
    pub fn run(
        &mut self,
        prefix: &[u8],
        tables: &mut [u8],
        budget: u32,
    ) -> Result<Progress, Refusal> {
        let small = Refusal::new(Reason::Limit, self.table_bytes(), b"vocabulary tables");
        let mut tables = TablesMut::new(tables, &self.layout).ok_or(small)?;
        for _ in 0..budget {
            self.step(prefix, &mut tables)?;
            if matches!(self.stage, Stage::Finished) {
                return Ok(Progress::Done);
            }
        }
        Ok(Progress::More)
    }

    fn step(&mut self, prefix: &[u8], tables: &mut TablesMut<'_>) -> Result<(), Refusal> {
        match self.stage {
            Stage::Begin => {
                self.write_head(tables)?;
                self.enter(Stage::Tokens, self.keys.tokens);
            }
            Stage::Tokens if self.done == self.layout.tokens => {
                // CAST: At most `text_bytes`.
                #[expect(clippy::cast_possible_truncation)]
                cells::set(tables.starts, self.done as usize, self.text as u32);
                self.mark_ends(tables);
                self.enter(Stage::Ends, None);
            }
            Stage::Tokens => self.add_token(prefix, tables)?,
            Stage::Ends if self.done == self.layout.tokens => {
                self.enter(Stage::Merges, self.keys.merges);
            }
            Stage::Ends => self.collect_ends(tables),
            Stage::Merges if self.done == self.layout.merges => self.enter(Stage::Bytes, None),
            Stage::Merges => self.add_merge(prefix, tables)?,
            Stage::Bytes if self.done == 256 || self.model == Model::WordPiece => {
                self.enter(Stage::Map, None);
            }
            Stage::Bytes => {
                // CAST: Below 256.
                #[expect(clippy::cast_possible_truncation)]
                self.add_byte(self.done as u8, tables);
                self.done += 1;
            }
            Stage::Map if self.done == self.layout.map_bytes => {
                cells::set(tables.head, head::MARK, MARK);
                self.stage = Stage::Finished;
            }
            Stage::Map => self.copy_map(prefix, tables)?,
            Stage::Finished => {}
        }
        Ok(())
    }

    fn enter(&mut self, stage: Stage, array: Option<Array>) {
        self.stage = stage;
        self.done = 0;
        self.at = array.map_or(0, |array| array.offset as usize);
    }

    /// Notes those of the next tokens that end a turn.
    fn collect_ends(&mut self, tables: &mut TablesMut<'_>) {
        let kinds = tables.kinds.get(self.done as usize..).unwrap_or_default();
        let next = kinds.get(..SCANNED).unwrap_or(kinds);
        for (id, kind) in (self.done..).zip(next) {
            if kind & END != 0 {
                self.ends.add(id);
            }
        }
        // CAST: At most `SCANNED`.
        #[expect(clippy::cast_possible_truncation)]
        let scanned = next.len() as u32;
        self.done += scanned;
    }

    /// Finds the token of one byte of text.
    fn add_byte(&self, byte: u8, tables: &mut TablesMut<'_>) {
        let vocabulary = Vocabulary::unfinished(tables.view(), self.model);
        let id = match self.model {
            Model::SentencePiece | Model::Characters => vocabulary.find_byte(byte),
            Model::ByteLevel | Model::WordPiece | Model::Unigram => None,
        };
        let id = id.or_else(|| vocabulary.find_mergeable(&[byte]));
        cells::set(
            tables.head,
            head::BYTE_TOKENS + usize::from(byte),
            id.unwrap_or(NONE),
        );
    }

    fn next_string<'a>(&mut self, prefix: &'a [u8]) -> Option<&'a [u8]> {
        let mut cursor = Cursor::new(prefix, self.at, prefix.len() as u64);
        let string = cursor.string();
        self.at = cursor.at();
        string.ok()
    }
}

/// Element `id` of an array of 32-bit values.
fn element(array: Array, id: u32, prefix: &[u8]) -> Option<u32> {
    cells::get(cells::cells(array.of(prefix)), id as usize)
}

fn inconsistent(number: u32, key: &[u8]) -> Refusal {
    Refusal::new(Reason::Vocabulary, u64::from(number), key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::testing::Writer;
    use crate::tokenizer::TokenKind;
    use crate::tokenizer::testing::{PIECES, array_of, build, built, sentence_piece, tables};

    #[test]
    fn any_budget_builds_the_same() {
        let file = sentence_piece(PIECES).finish();
        let tables = build(&file, 1000).expect("a sound vocabulary");
        for budget in [1, 2, 7] {
            assert_eq!(build(&file, budget).expect("a sound vocabulary"), tables);
        }
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        assert_eq!(vocabulary.tokens(), PIECES.len() as u32);
        assert_eq!(
            (vocabulary.bos(), vocabulary.eos(), vocabulary.unknown()),
            (Some(1), Some(2), Some(0))
        );
        assert!(vocabulary.adds_bos() && vocabulary.adds_space());
        for (id, token) in (0..).zip(PIECES) {
            assert_eq!(vocabulary.text(id), token.0.as_bytes());
            assert_eq!(vocabulary.kind(id) as i32, token.1);
        }
        assert_eq!(vocabulary.kind(u32::MAX), TokenKind::Unused);
    }

    #[test]
    fn unfinished_tables_are_no_vocabulary() {
        let mut tables = tables(&sentence_piece(PIECES));
        tables[..4].fill(0);
        assert!(Vocabulary::view(&tables).is_none());
        assert!(Vocabulary::view(&[]).is_none());
    }

    #[test]
    fn without_a_pre_tokenizer_it_is_the_default_one() {
        let tokens = ["a", "b", "ab", "."];
        let of = |pre: Option<&str>| {
            let texts = tokens.map(str::as_bytes);
            let file = Writer::new()
                .text("tokenizer.ggml.model", "gpt2")
                .strings("tokenizer.ggml.tokens", &texts)
                .strings("tokenizer.ggml.merges", &[b"a b"]);
            match pre {
                Some(pre) => file.text("tokenizer.ggml.pre", pre),
                None => file,
            }
        };
        assert_eq!(built(&of(None)).0, note::PRETOKENIZER);
        assert_eq!(built(&of(Some("default"))).0, 0);
        assert_eq!(tables(&of(None)), tables(&of(Some("default"))));
        assert_ne!(tables(&of(None)), tables(&of(Some("gpt-2"))));
    }

    #[test]
    fn a_header_that_shrinks_is_refused() {
        let file = sentence_piece(PIECES).finish();
        let tokens = array_of(&file, |keys| keys.tokens);
        let parsed = crate::gguf::testing::parse(&file, 1000).expect("a sound file");
        let keys = parsed.parser.keys(&file, &parsed.table).expect("the table");
        let mut builder = Builder::new(&keys).expect("a tokenizer");
        let mut tables = vec![0; builder.table_bytes() as usize];
        let outcome = builder.run(&file[..tokens.offset as usize + 9], &mut tables, 1000);
        assert_eq!(outcome.expect_err("a refusal").reason, Reason::Vocabulary);
    }
}
