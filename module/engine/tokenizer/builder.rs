// SPDX-License-Identifier: GPL-2.0
//! The builder of vocabulary tables: a resumable machine over the header of a file.

use crate::abi::note;
use crate::gguf::cells;
use crate::gguf::hash::{hash, probes};
use crate::gguf::{Array, Cursor, Keys, Reason, Refusal};

use super::ends::{self, Ends};
use super::layout::{END, Layout, MARK, NONE, TablesMut, head};
use super::normalizer::Normalizer;
use super::vocabulary::{Model, TokenKind, Vocabulary, pair_hash, slot};
use super::{TOKEN_BYTES_MAX, TokenizerKeys, alphabet, pattern, requirements, score, special};

/// Longest merge, in bytes: two texts of tokens and the space between them.
const MERGE_BYTES_MAX: usize = TOKEN_BYTES_MAX * 2 + 1;

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
            Stage::Ends => {
                if Vocabulary::unfinished(tables.view(), self.model).ends(self.done) {
                    self.ends.add(self.done);
                }
                self.done += 1;
            }
            Stage::Merges if self.done == self.layout.merges => self.enter(Stage::Bytes, None),
            Stage::Merges => self.add_merge(prefix, tables)?,
            Stage::Bytes if self.done == 256 || self.model == Model::WordPiece => {
                cells::set(tables.head, head::MARK, MARK);
                self.stage = Stage::Finished;
            }
            Stage::Bytes => {
                // CAST: Below 256.
                #[expect(clippy::cast_possible_truncation)]
                self.add_byte(self.done as u8, tables);
                self.done += 1;
            }
            Stage::Finished => {}
        }
        Ok(())
    }

    fn enter(&mut self, stage: Stage, array: Option<Array>) {
        self.stage = stage;
        self.done = 0;
        self.at = array.map_or(0, |array| array.offset as usize);
    }

    fn write_head(&mut self, tables: &mut TablesMut<'_>) -> Result<(), Refusal> {
        let sentence_piece = self.model == Model::SentencePiece;
        let word_piece = self.model == Model::WordPiece;
        let (first, last) = if word_piece {
            let first = self.keys.bos.or(self.keys.classification);
            (first, self.keys.separator.or(self.keys.eos))
        } else {
            (self.keys.bos, self.keys.eos)
        };
        let [usual_bos, usual_eos, usual_unknown] = self.usual_ids();
        let bos = self.id(first, usual_bos, note::BOS);
        let eos = self.id(last, usual_eos, note::EOS);
        let unknown = self.id(self.keys.unknown, usual_unknown, note::UNKNOWN);
        let missing = |key| Refusal::new(Reason::KeyMissing, 0, key);
        if (self.keys.add_bos == Some(true) || word_piece) && bos == NONE {
            return Err(missing(b"tokenizer.ggml.bos_token_id"));
        }
        if (self.keys.add_eos == Some(true) || word_piece) && eos == NONE {
            return Err(missing(b"tokenizer.ggml.eos_token_id"));
        }
        let usually = pattern::at(self.pretokenizer).map_or(sentence_piece, |row| row.adds_bos);
        // Around a text of WordPiece there are always both, and BOS before one of characters, as in llama.cpp.
        let always = self.model == Model::Characters;
        let add_bos = always || self.keys.add_bos.unwrap_or(usually);
        let add_bos = word_piece || add_bos && bos != NONE;
        let add_eos = word_piece || self.keys.add_eos.unwrap_or(false);
        let add_space = sentence_piece && self.keys.add_space_prefix.unwrap_or(true);
        let normalizer = Normalizer {
            lowercase: self.keys.lowercase.unwrap_or(true),
            strips_accents: self.keys.strip_accents.unwrap_or(true),
        };
        for (at, value) in [
            (head::MODEL, self.model as u32),
            (head::TOKENS, self.layout.tokens),
            (head::MERGES, self.layout.merges),
            (head::TEXT_BYTES, self.layout.text_bytes),
            (head::BOS, bos),
            (head::EOS, eos),
            (head::UNKNOWN, unknown),
            (head::ADD_BOS, u32::from(add_bos)),
            (head::ADD_SPACE, u32::from(add_space)),
            (head::PRETOKENIZER, self.pretokenizer),
            (head::ADD_EOS, u32::from(add_eos)),
            (head::NORMALIZER, normalizer.number()),
        ] {
            cells::set(tables.head, at, value);
        }
        Ok(())
    }

    /// BOS, EOS and the unknown token of a vocabulary whose file names none, as in llama.cpp but for
    /// byte-level ones: the token that it would take there is a comma in GPT-2's.
    fn usual_ids(&self) -> [Option<u32>; 3] {
        match self.model {
            Model::SentencePiece => [Some(1), Some(2), Some(0)],
            Model::ByteLevel | Model::Characters => [None; 3],
            Model::WordPiece => [Some(101), Some(102), Some(100)],
        }
    }

    /// The id `given` by the file; the `usual` one where it gives none, or one that is no token, which
    /// is noted.
    fn id(&mut self, given: Option<u32>, usual: Option<u32>, note: u32) -> u32 {
        let is_token = |id: &u32| *id < self.layout.tokens;
        if let Some(id) = given.filter(is_token) {
            return id;
        }
        if given.is_some() {
            self.notes |= note;
        }
        usual.filter(is_token).unwrap_or(NONE)
    }

    /// Marks the tokens that end a turn by their ids, and unmarks those that do not although their
    /// texts say so.
    fn mark_ends(&mut self, tables: &mut TablesMut<'_>) {
        for exception in ends::EXCEPTIONS {
            let vocabulary = Vocabulary::unfinished(tables.view(), self.model);
            let set = vocabulary.set_of(TokenKind::Control);
            let [first, second, third] = exception.map(|text| vocabulary.find(text, set));
            if let (Some(first), Some(_), Some(_)) = (first, second, third) {
                unmark(tables, first);
            }
        }
        let eos = cells::get(tables.head, head::EOS).filter(|&id| id != NONE);
        for id in self.keys.ends.into_iter().chain([eos]).flatten() {
            if !mark(tables, id) {
                self.notes |= note::END;
            }
        }
    }

    /// Adds the next token: its kind, score and text.
    fn add_token(&mut self, prefix: &[u8], tables: &mut TablesMut<'_>) -> Result<(), Refusal> {
        let id = self.done;
        let refusal = inconsistent(id, b"tokenizer.ggml.tokens");
        let given = self.next_string(prefix).ok_or(refusal)?;
        if given.len() > TOKEN_BYTES_MAX {
            let length = given.len() as u64;
            return Err(Refusal::new(
                Reason::Count,
                length,
                b"tokenizer.ggml.tokens",
            ));
        }
        let kind = self
            .keys
            .token_type
            .map_or(Some(1), |array| element(array, id, prefix));
        let kind = kind.and_then(TokenKind::from_number);
        let kind = kind.ok_or(inconsistent(id, b"tokenizer.ggml.token_type"))?;
        let kind = match (kind, self.model) {
            // Every token of a byte-level vocabulary is made of bytes.
            (TokenKind::Byte, Model::ByteLevel) => TokenKind::Normal,
            _ => kind,
        };
        if kind == TokenKind::Byte && byte_of(given).is_none() {
            return Err(refusal);
        }
        let is_end = ends::is_end(given);
        let kind = match kind {
            TokenKind::Control | TokenKind::Unknown => kind,
            // Else a user could end a turn with its text, or merges could make it.
            _ if is_end => {
                self.notes |= note::MARK;
                TokenKind::Control
            }
            _ => kind,
        };
        if self.layout.scored {
            let bits = self
                .keys
                .scores
                .map_or(Some(0), |array| element(array, id, prefix));
            let score = bits.and_then(score::ordered);
            let score = score.ok_or(inconsistent(id, b"tokenizer.ggml.scores"))?;
            cells::set(tables.scores, id as usize, score);
        }
        let room = tables.text.get_mut(self.text..).ok_or(refusal)?;
        let length = write_text(self.model, kind, given, room).ok_or(refusal)?;
        // CAST: At most `text_bytes`.
        #[expect(clippy::cast_possible_truncation)]
        let (start, end) = (self.text as u32, (self.text + length) as u32);
        cells::set(tables.starts, id as usize, start);
        cells::set(tables.starts, id as usize + 1, end);
        let mark = if is_end { END } else { 0 };
        *tables.kinds.get_mut(id as usize).ok_or(refusal)? = kind as u8 | mark;
        insert_text(self.model, id, tables).ok_or(refusal)?;
        add_special(kind, self.text..self.text + length, tables);
        if self.model == Model::WordPiece {
            add_piece(id, tables);
        }
        self.text += length;
        self.done += 1;
        Ok(())
    }

    /// Adds the next merge, unless one of its three texts is no token: such a merge never applies.
    fn add_merge(&mut self, prefix: &[u8], tables: &mut TablesMut<'_>) -> Result<(), Refusal> {
        let rank = self.done;
        let refusal = inconsistent(rank, b"tokenizer.ggml.merges");
        let given = self.next_string(prefix);
        let given = given.filter(|given| given.len() <= MERGE_BYTES_MAX);
        let given = given.ok_or(refusal)?;
        // The separator is the first space after the first byte.
        let rest = given.get(1..).ok_or(refusal)?;
        let length = rest.iter().position(|&byte| byte == b' ').ok_or(refusal)?;
        let (left, right) = rest.split_at_checked(length).ok_or(refusal)?;
        let left = given.get(..left.len() + 1).ok_or(refusal)?;
        let right = right.get(1..).ok_or(refusal)?;
        self.done += 1;
        let Some((left, right, merged)) = self.find_merge(left, right, tables) else {
            return Ok(());
        };
        if Vocabulary::unfinished(tables.view(), self.model)
            .pair(left, right)
            .is_some()
        {
            return Ok(());
        }
        let entry = tables.merges.get_mut(rank as usize).ok_or(refusal)?;
        *entry = [left, right, merged].map(u32::to_le_bytes);
        insert(tables.merge_slots, pair_hash(left, right), rank).ok_or(refusal)
    }

    /// Ids of the two texts and of the two together.
    fn find_merge(
        &self,
        left: &[u8],
        right: &[u8],
        tables: &mut TablesMut<'_>,
    ) -> Option<(u32, u32, u32)> {
        let room = tables.text.get_mut(self.text..)?;
        let kind = TokenKind::Normal;
        let middle = write_text(self.model, kind, left, room)?;
        let end = middle + write_text(self.model, kind, right, room.get_mut(middle..)?)?;
        let view = tables.view();
        let text = view.text.get(self.text..)?;
        let vocabulary = Vocabulary::unfinished(view, self.model);
        let left = vocabulary.find_mergeable(text.get(..middle)?)?;
        let right = vocabulary.find_mergeable(text.get(middle..end)?)?;
        Some((left, right, vocabulary.find_mergeable(text.get(..end)?)?))
    }

    /// Finds the token of one byte of text.
    fn add_byte(&self, byte: u8, tables: &mut TablesMut<'_>) {
        let vocabulary = Vocabulary::unfinished(tables.view(), self.model);
        let id = match self.model {
            Model::SentencePiece | Model::Characters => vocabulary.find_byte(byte),
            Model::ByteLevel | Model::WordPiece => None,
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

/// Marks token `id` as one that ends a turn; `false` when it is none.
fn mark(tables: &mut TablesMut<'_>, id: u32) -> bool {
    let kind = tables.kinds.get_mut(id as usize);
    kind.map(|kind| *kind |= END).is_some()
}

/// Token `id` ends no turn.
fn unmark(tables: &mut TablesMut<'_>, id: u32) {
    if let Some(kind) = tables.kinds.get_mut(id as usize) {
        *kind &= !END;
    }
}

/// Writes a token's text as the tables hold it and gives its length.
fn write_text(model: Model, kind: TokenKind, given: &[u8], room: &mut [u8]) -> Option<usize> {
    let special = matches!(
        kind,
        TokenKind::Unknown | TokenKind::Control | TokenKind::UserDefined
    );
    if model == Model::ByteLevel
        && !special
        && let Some(length) = alphabet::decode(given, room)
    {
        return Some(length);
    }
    room.get_mut(..given.len())?.copy_from_slice(given);
    Some(given.len())
}

/// Puts the text of token `id` in the hash table; `None` when it is there already, or when too many
/// texts collide. A token without text is never found.
fn insert_text(model: Model, id: u32, tables: &mut TablesMut<'_>) -> Option<()> {
    let vocabulary = Vocabulary::unfinished(tables.view(), model);
    let text = vocabulary.text(id);
    if text.is_empty() {
        return Some(());
    }
    let set = vocabulary.set_of(vocabulary.kind(id));
    let hash = hash(text, set);
    match vocabulary.find(text, set) {
        // gemma4's own vocabulary has three texts twice; the later one counts, as in llama.cpp.
        Some(earlier) if model == Model::Characters => replace(tables.slots, hash, earlier, id),
        Some(_) => None,
        None => insert(tables.slots, hash, id),
    }
}

/// Puts `number` in the place of another one of its hash.
fn replace(slots: &mut [cells::Cell], hash: u64, earlier: u32, number: u32) -> Option<()> {
    let wanted = Some(slot(hash, earlier));
    let place = probes(hash, slots.len()).find(|&at| cells::get(slots, at) == wanted)?;
    cells::set(slots, place, slot(hash, number))
}

/// Puts `number` in the first free slot of its hash.
fn insert(slots: &mut [cells::Cell], hash: u64, number: u32) -> Option<()> {
    let free = probes(hash, slots.len()).find(|&at| cells::get(slots, at) == Some(0))?;
    cells::set(slots, free, slot(hash, number))
}

/// Adds token `id` to the set of what words are cut into.
fn add_piece(id: u32, tables: &mut TablesMut<'_>) {
    let vocabulary = Vocabulary::unfinished(tables.view(), Model::WordPiece);
    let text = vocabulary.text(id);
    if vocabulary.find_mergeable(text) != Some(id) {
        return;
    }
    let (first, length) = (text.first().copied(), text.len());
    let set = tables
        .head
        .get_mut(head::BYTE_TOKENS..head::BYTE_TOKENS + special::CELLS);
    if let (Some(set), Some(first)) = (set, first) {
        special::add(set, first, length);
    }
}

fn add_special(kind: TokenKind, text: core::ops::Range<usize>, tables: &mut TablesMut<'_>) {
    let at = match kind {
        TokenKind::UserDefined => head::USER_DEFINED,
        TokenKind::Control | TokenKind::Unknown => head::CONTROL,
        _ => return,
    };
    let set = tables.head.get_mut(at..at + special::CELLS);
    let text = tables.text.get(text).unwrap_or_default();
    if let (Some(set), Some(&first)) = (set, text.first()) {
        special::add(set, first, text.len());
    }
}

/// The byte that a SentencePiece byte token's name says: `<0x0A>`.
// CAST: Two digits of 4 bits.
#[expect(clippy::cast_possible_truncation)]
pub(super) fn byte_of(name: &[u8]) -> Option<u8> {
    let &[b'<', b'0', b'x', high, low, b'>'] = name else {
        return None;
    };
    let digit = |character: u8| char::from(character).to_digit(16);
    Some((digit(high)? << 4 | digit(low)?) as u8)
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
    use super::super::testing::{
        PIECES, Token, array_of, build, byte_level, ids, refused, sentence_piece, tables,
    };
    use super::*;
    use crate::gguf::testing::Writer;

    fn pieces(change: impl FnOnce(&mut Vec<Token>)) -> Writer {
        let mut tokens = PIECES.to_vec();
        change(&mut tokens);
        sentence_piece(&tokens)
    }

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
    fn inconsistent_tokens_are_refused() {
        let refusal = |id, key: &str| (Reason::Vocabulary, id, format!("tokenizer.ggml.{key}"));
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].0 = "a")),
            refusal(6, "tokens")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = 7)),
            refusal(6, "token_type")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = -1)),
            refusal(6, "token_type")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].2 = f32::NAN)),
            refusal(6, "scores")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = 6)),
            refusal(6, "tokens")
        );
        let long = |length| {
            let text = String::leak("x".repeat(length));
            pieces(|tokens| tokens[6].0 = text)
        };
        let too_long = (Reason::Count, 1025, "tokenizer.ggml.tokens".to_owned());
        assert_eq!(refused(&long(1025)), too_long);
        tables(&long(1024));
        let twice = byte_level(&["Ġ", "a", "Ġ"], &[1, 1, 1], &[]);
        assert_eq!(refused(&twice), refusal(2, "tokens"));
        let apart = byte_level(&["Ġ", "a", " "], &[1, 1, 4], &["Ġ a"]);
        assert!(build(&apart.finish(), 10).is_ok());
        let merge = |merge: &str| refused(&byte_level(&["a"], &[1], &["a a", merge]));
        for defect in ["aa", "", "a", " a"] {
            assert_eq!(merge(defect), refusal(1, "merges"));
        }
    }

    #[test]
    fn a_merge_has_an_end() {
        let merge = |length: usize| {
            let text = format!("{} {}", "a".repeat(length), "b".repeat(1024));
            byte_level(&["a"], &[1], &["a a", &text])
        };
        let refusal = (Reason::Vocabulary, 1, "tokenizer.ggml.merges".to_owned());
        assert_eq!(refused(&merge(1025)), refusal);
        tables(&merge(1024));
        let endless = byte_level(&["a"], &[1], &["a a", &"a".repeat(1 << 20)]);
        assert_eq!(refused(&endless), refusal);
    }

    /// The notes on a file, and the ids that end a turn.
    fn built(writer: &Writer) -> (u32, Vec<u32>) {
        let file = writer.finish();
        let parsed = crate::gguf::testing::parse(&file, 1000).expect("a sound file");
        let keys = parsed.parser.keys(&file, &parsed.table).expect("the table");
        let mut builder = Builder::new(&keys).expect("a tokenizer");
        let mut tables = vec![0; builder.table_bytes() as usize];
        while builder.run(&file, &mut tables, 3).expect("a vocabulary") != Progress::Done {}
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        let marked = (0..vocabulary.tokens())
            .filter(|&id| vocabulary.ends(id))
            .collect();
        let ends = builder.ends();
        assert_eq!(&ends.ids[..ends.count as usize], &marked);
        (builder.notes(), marked)
    }

    #[test]
    fn ids_that_are_no_tokens_fall_back_with_a_note() {
        let count = PIECES.len() as u32;
        for (key, note) in [
            ("bos_token_id", note::BOS),
            ("eos_token_id", note::EOS),
            ("unknown_token_id", note::UNKNOWN),
            ("eot_token_id", note::END),
            ("fim_sep_token_id", note::END),
        ] {
            let key = format!("tokenizer.ggml.{key}");
            for id in [count, u32::MAX] {
                let writer = sentence_piece(PIECES).u32(&key, id);
                assert_eq!(built(&writer), (note, vec![2]), "{key}");
                let tables = tables(&writer);
                let vocabulary = Vocabulary::view(&tables).expect("finished tables");
                let ids = (vocabulary.bos(), vocabulary.eos(), vocabulary.unknown());
                assert_eq!(ids, (Some(1), Some(2), Some(0)));
            }
            assert_eq!(built(&sentence_piece(PIECES).u32(&key, count - 1)).0, 0);
        }
        let bytes = byte_level(&["a", "b"], &[1, 1], &[]);
        let bytes = bytes.u32("tokenizer.ggml.eos_token_id", 2);
        assert_eq!(built(&bytes), (note::EOS, vec![]));
    }

    #[test]
    fn a_token_to_be_added_must_be_there() {
        let bytes = |key: &str| byte_level(&["a", "b"], &[1, 1], &[]).bool(key, true);
        for name in ["bos", "eos"] {
            let writer = bytes(&format!("tokenizer.ggml.add_{name}_token"));
            let id = format!("tokenizer.ggml.{name}_token_id");
            assert_eq!(refused(&writer), (Reason::KeyMissing, 0, id.clone()));
            tables(&writer.u32(&id, 1));
        }
    }

    #[test]
    fn a_turn_ends_at_each_id_and_each_name_of_an_end() {
        let key = |name: &str| format!("tokenizer.ggml.{name}_token_id");
        let pieces = sentence_piece(PIECES).u32(&key("eos"), 5);
        // </s> by its name.
        assert_eq!(built(&pieces), (0, vec![2, 5]));
        let pieces = pieces.u32(&key("eot"), 6).u32(&key("eom"), 7);
        assert_eq!(built(&pieces), (0, vec![2, 5, 6, 7]));
        let pieces = pieces.u32(&key("fim_pad"), 8).u32(&key("fim_rep"), 9);
        assert_eq!(
            built(&pieces.u32(&key("fim_sep"), 6)),
            (0, vec![2, 5, 6, 7, 8, 9])
        );
        let named = |names: &[&str]| built(&byte_level(names, &vec![3; names.len()], &[]));
        assert_eq!(named(&["a", "<|im_end|>", "<|eot_id|>"]), (0, vec![1, 2]));
        assert_eq!(named(&["<|im_start|>", "<end_of_turn>"]), (0, vec![1]));
    }

    #[test]
    fn where_messages_end_by_themselves_a_turn_does_not() {
        let named = |names: &[&str]| built(&byte_level(names, &vec![3; names.len()], &[])).1;
        assert_eq!(named(&["<|end|>", "<|return|>"]), [0, 1]);
        assert_eq!(named(&["<|end|>", "<|return|>", "<|call|>"]), [1, 2]);
        assert_eq!(named(&["<|end|>", "<|flush|>", "<|calls|>"]), [1, 2]);
        assert_eq!(named(&["</s>", "<|tool_response>"]), [1]);
    }

    #[test]
    fn a_name_of_an_end_is_a_control_token_whatever_the_file_says() {
        for kind in [1, 4, 5] {
            let file = byte_level(&["a", "<|im_end|>"], &[1, kind], &[]);
            assert_eq!(built(&file), (note::MARK, vec![1]));
            let tables = tables(&file);
            let vocabulary = Vocabulary::view(&tables).expect("finished tables");
            assert_eq!(vocabulary.kind(1), TokenKind::Control);
            assert_eq!(ids(&tables, b"<|im_end|>", true, true), [1]);
            assert_eq!(ids(&tables, b"<|im_end|>", true, false), []);
        }
    }

    #[test]
    fn without_scores_all_are_zero() {
        let pieces: Vec<Token> = PIECES.iter().map(|piece| (piece.0, piece.1, 0.0)).collect();
        let texts: Vec<&[u8]> = PIECES.iter().map(|piece| piece.0.as_bytes()).collect();
        let kinds: Vec<i32> = PIECES.iter().map(|piece| piece.1).collect();
        let unscored = Writer::new()
            .text("tokenizer.ggml.model", "llama")
            .strings("tokenizer.ggml.tokens", &texts)
            .integers("tokenizer.ggml.token_type", &kinds);
        assert_eq!(built(&unscored), (note::SCORES, vec![2]));
        assert_eq!(tables(&unscored), tables(&sentence_piece(&pieces)));
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
    fn texts_made_to_collide_are_refused() {
        // 300 texts whose first slot is the same among 2048.
        let texts: Vec<Vec<u8>> = (0u32..)
            .map(|number| number.to_le_bytes().to_vec())
            .filter(|text| hash(text, 0) >> 32 & 2047 == 9)
            .take(300)
            .collect();
        let texts: Vec<&[u8]> = texts.iter().map(|text| &text[..]).collect();
        let writer = Writer::new()
            .text("general.architecture", "llama")
            .text("tokenizer.ggml.model", "llama")
            .strings(
                "tokenizer.ggml.tokens",
                &[&texts[..], &[&b"x"[..]; 0]].concat(),
            )
            .floats("tokenizer.ggml.scores", &vec![0.0; texts.len()]);
        let (reason, at, subject) = refused(&writer);
        assert_eq!(
            (reason, subject.as_str()),
            (Reason::Vocabulary, "tokenizer.ggml.tokens")
        );
        assert_eq!(at, crate::gguf::hash::PROBES as u64);
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
