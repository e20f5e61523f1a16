// SPDX-License-Identifier: GPL-2.0
//! A vocabulary: a read-only view of its tables.

use crate::gguf::cells;
use crate::gguf::hash::{hash, probes};

use super::character_map::CharacterMap;
use super::layout::{END, Layout, MARK, NONE, Tables, head};
use super::normalizer::Normalizer;
use super::pattern::{self, Pattern};
use super::prefixes::Prefixes;
use super::{TOKEN_BYTES_MAX, score, special};

/// How text becomes tokens, by its `SISLM_TOKENIZER_*` number.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// SentencePiece BPE: pairs merge by the score of the result.
    SentencePiece = 1,
    /// Byte-level BPE: pairs of bytes merge by a list, within words.
    ByteLevel = 2,
    /// WordPiece: the longest pieces of a word, from its start on.
    WordPiece = 3,
    /// BPE of characters: pairs merge by a list, within lines and what is between them.
    Characters = 4,
    /// Unigram: the pieces whose scores have the greatest sum.
    Unigram = 5,
}

impl Model {
    /// That of this number.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::SentencePiece,
            2 => Self::ByteLevel,
            3 => Self::WordPiece,
            4 => Self::Characters,
            5 => Self::Unigram,
            _ => return None,
        })
    }

    /// Whether its tokens have scores.
    pub(super) fn has_scores(self) -> bool {
        matches!(self, Self::SentencePiece | Self::Unigram)
    }
}

/// What a token is, by its number in `tokenizer.ggml.token_type`.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Not said.
    Undefined = 0,
    /// Text.
    Normal = 1,
    /// What stands for text the vocabulary lacks.
    Unknown = 2,
    /// A mark that is no text.
    Control = 3,
    /// Text that is always one token.
    UserDefined = 4,
    /// Not in use.
    Unused = 5,
    /// One byte.
    Byte = 6,
}

impl TokenKind {
    /// The kind of this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Undefined,
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => return None,
        })
    }
}

/// Low bits of a slot: number + 1; above them a part of the hash.
const NUMBER: u32 = (1 << 21) - 1;

/// A slot for `number`, below 2^20, under a hash.
// CAST: The lower half of the hash.
#[expect(clippy::cast_possible_truncation)]
pub(super) fn slot(hash: u64, number: u32) -> u32 {
    hash as u32 & !NUMBER | number.wrapping_add(1) & NUMBER
}

/// The number in a slot, if it can be under this hash.
// CAST: The lower half of the hash.
#[expect(clippy::cast_possible_truncation)]
fn number(hash: u64, slot: u32) -> Option<u32> {
    (hash as u32 & !NUMBER == slot & !NUMBER).then(|| (slot & NUMBER).wrapping_sub(1))
}

/// The hash of a pair of ids.
pub(super) fn pair_hash(left: u32, right: u32) -> u64 {
    hash(&(u64::from(left) << 32 | u64::from(right)).to_le_bytes(), 0)
}

/// A vocabulary.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    tables: Tables<'a>,
    model: Model,
}

impl<'a> Vocabulary<'a> {
    /// The vocabulary in finished tables; `None` when they are not.
    pub fn view(memory: &'a [u8]) -> Option<Self> {
        let cells = cells::cells(memory);
        let get = |at| cells::get(cells, at);
        let model = Model::from_number(get(head::MODEL)?)?;
        let layout = Layout {
            tokens: get(head::TOKENS)?,
            merges: get(head::MERGES)?,
            scored: model.has_scores(),
            prefixed: model == Model::Unigram,
            text_bytes: get(head::TEXT_BYTES)?,
            map_bytes: get(head::MAP_BYTES)?,
        };
        let tables = Tables::new(memory, &layout)?;
        (get(head::MARK)? == MARK).then_some(Self { tables, model })
    }

    /// As [`Vocabulary::view`], of tables in the making.
    pub(super) fn unfinished(tables: Tables<'a>, model: Model) -> Self {
        Self { tables, model }
    }

    /// How text becomes tokens.
    pub fn model(&self) -> Model {
        self.model
    }

    /// Number of tokens.
    // CAST: Cut for a number of 32 bits.
    #[expect(clippy::cast_possible_truncation)]
    pub fn tokens(&self) -> u32 {
        self.tables.kinds.len() as u32
    }

    /// Beginning-of-sequence token.
    pub fn bos(&self) -> Option<u32> {
        self.id(head::BOS)
    }

    /// End-of-sequence token.
    pub fn eos(&self) -> Option<u32> {
        self.id(head::EOS)
    }

    /// The token of text the vocabulary lacks.
    pub fn unknown(&self) -> Option<u32> {
        self.id(head::UNKNOWN)
    }

    /// How characters of words are changed, in a WordPiece vocabulary.
    pub(super) fn normalizer(&self) -> Normalizer {
        Normalizer::from_number(self.head(head::NORMALIZER))
    }

    /// The greatest length, at most `most`, of a piece that may be at the front of `text`, in a
    /// WordPiece vocabulary.
    pub(super) fn longest_piece(&self, text: &[u8], most: usize) -> Option<usize> {
        let set = self
            .tables
            .head
            .get(head::BYTE_TOKENS..head::BYTE_TOKENS + special::CELLS);
        special::longest(set?, *text.first()?, most.min(text.len()))
    }

    /// Whether [`Vocabulary::bos`] goes before a text.
    pub fn adds_bos(&self) -> bool {
        self.head(head::ADD_BOS) == 1
    }

    /// Whether [`Vocabulary::eos`] goes after a text.
    pub fn adds_eos(&self) -> bool {
        self.head(head::ADD_EOS) == 1
    }

    /// Whether a space goes before a text.
    pub fn adds_space(&self) -> bool {
        self.head(head::ADD_SPACE) == 1
    }

    /// Whether spaces before, between and behind words merge, in a Unigram vocabulary.
    pub(super) fn merges_spaces(&self) -> bool {
        self.head(head::NORMALIZER) == 1
    }

    /// The map of characters of a Unigram vocabulary.
    pub(super) fn character_map(&self) -> CharacterMap<'a> {
        CharacterMap::new(self.tables.map).unwrap_or_default()
    }

    /// The beginnings of tokens, in a Unigram vocabulary.
    pub(super) fn prefixes(&self) -> Prefixes<'a> {
        Prefixes(self.tables.prefixes)
    }

    /// The score of a token, or of the unknown one without a token, in a Unigram vocabulary.
    pub(super) fn weight(&self, id: Option<u32>) -> i64 {
        match id {
            None => score::of_unknown(self.head(head::LEAST_SCORE)),
            // Nothing is better than them.
            Some(id) if self.kind(id) == TokenKind::UserDefined => 0,
            Some(id) => score::fixed(self.score(id)),
        }
    }

    /// The token of a Unigram vocabulary that is just this text.
    pub(super) fn find_piece(&self, text: &[u8]) -> Option<u32> {
        let id = self.find(text, 0)?;
        let pieces = [TokenKind::Normal, TokenKind::UserDefined, TokenKind::Unused];
        pieces.contains(&self.kind(id)).then_some(id)
    }

    /// Whether it matters that a text is at position 0: there may be a space before it.
    pub(super) fn begins_apart(&self) -> bool {
        self.adds_space() || self.model == Model::Unigram
    }

    /// How text is cut into words: not at all in a SentencePiece vocabulary.
    pub(super) fn pattern(&self) -> Pattern {
        self.pretokenizer().map_or(&[], |row| row.pattern)
    }

    /// The token that a whole word becomes, whatever the merges say.
    pub(super) fn find_word(&self, word: &[u8]) -> Option<u32> {
        let row = self.pretokenizer()?;
        let is_whole = match self.model {
            // Newlines alone, as in llama.cpp.
            Model::Characters => word.first() == Some(&b'\n'),
            _ => row.whole_words,
        };
        is_whole.then(|| self.find_mergeable(word)).flatten()
    }

    fn pretokenizer(&self) -> Option<&'static pattern::Row> {
        pattern::at(self.head(head::PRETOKENIZER))
    }

    /// What token `id` is; unused past the end.
    pub fn kind(&self, id: u32) -> TokenKind {
        let number = self.tables.kinds.get(id as usize).copied().unwrap_or(5);
        TokenKind::from_number(u32::from(number & !END)).unwrap_or(TokenKind::Unused)
    }

    /// Whether token `id` ends a turn.
    pub fn ends(&self, id: u32) -> bool {
        let kind = self.tables.kinds.get(id as usize);
        kind.is_some_and(|kind| kind & END != 0)
    }

    /// Whether token `id` is a mark that is no text.
    pub fn is_control(&self, id: u32) -> bool {
        matches!(self.kind(id), TokenKind::Control | TokenKind::Unknown)
    }

    /// Text of token `id` as the tables hold it: in a byte-level vocabulary as bytes, in others with
    /// U+2581 for spaces.
    pub fn text(&self, id: u32) -> &'a [u8] {
        let start = cells::get(self.tables.starts, id as usize).unwrap_or_default();
        let end = cells::get(self.tables.starts, (id as usize).saturating_add(1));
        let end = end.unwrap_or_default();
        self.tables
            .text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// Score of token `id`, as an integer of the same order.
    pub(super) fn score(&self, id: u32) -> u32 {
        cells::get(self.tables.scores, id as usize).unwrap_or_default()
    }

    /// Whether text after token `id` begins anew, with the space that goes before a text. After a
    /// user-defined piece of the SentencePiece model itself, which has the score 0, text goes on; such
    /// a token that was added to the model later cuts text, and has a score below all others.
    pub(super) fn begins_anew(&self, id: u32) -> bool {
        if self.model == Model::Unigram {
            // After each, as in llama.cpp.
            return true;
        }
        let added = || self.kind(id) == TokenKind::UserDefined && self.score(id) < score::ZERO;
        self.adds_space() && (self.is_control(id) || added())
    }

    /// The token for one byte of text.
    pub(super) fn byte_token(&self, byte: u8) -> Option<u32> {
        self.id(head::BYTE_TOKENS + usize::from(byte))
    }

    /// Which of two sets of texts a token is in: a byte-level vocabulary can hold a piece of text
    /// twice, in its alphabet and as a special token.
    pub(super) fn set_of(&self, kind: TokenKind) -> u64 {
        let special = matches!(
            kind,
            TokenKind::Unknown | TokenKind::Control | TokenKind::UserDefined
        );
        u64::from(special && !self.model.has_scores())
    }

    /// The token of this set with this text.
    pub(super) fn find(&self, text: &[u8], set: u64) -> Option<u32> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        self.find_hashed(hash(text, set), text, set)
    }

    /// [`Vocabulary::find`] of a text whose hash is known.
    pub(super) fn find_hashed(&self, hash: u64, text: &[u8], set: u64) -> Option<u32> {
        for at in probes(hash, self.tables.slots.len()) {
            match cells::get(self.tables.slots, at)? {
                0 => return None,
                slot => {
                    let id = number(hash, slot);
                    let same =
                        |&id: &u32| self.text(id) == text && self.set_of(self.kind(id)) == set;
                    if let Some(id) = id.filter(same) {
                        return Some(id);
                    }
                }
            }
        }
        None
    }

    /// The token that a piece of text can become by merging.
    pub(super) fn find_mergeable(&self, text: &[u8]) -> Option<u32> {
        let id = self.find(text, 0)?;
        let barred = [TokenKind::Control, TokenKind::Unknown, TokenKind::Byte];
        (!barred.contains(&self.kind(id))).then_some(id)
    }

    /// The token that stands for `byte`, by its name: not in a byte-level vocabulary.
    pub(super) fn find_byte(&self, byte: u8) -> Option<u32> {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied();
        let name = [b'<', b'0', b'x', digit(byte >> 4)?, digit(byte)?, b'>'];
        self.find(&name, 0)
            .filter(|&id| self.kind(id) == TokenKind::Byte)
    }

    /// The longest special token, at most `most` bytes, at the front of `text`: user-defined ones
    /// and, of at most `reach` bytes, control and unknown ones. Also its length, found or not: 0 when
    /// no shorter one need be looked for.
    pub(super) fn find_special(
        &self,
        text: &[u8],
        most: usize,
        reach: usize,
    ) -> (Option<u32>, usize) {
        let Some(&first) = text.first() else {
            return (None, 0);
        };
        let set = |at| {
            self.tables
                .head
                .get(at..at + special::CELLS)
                .unwrap_or_default()
        };
        let most = most.min(text.len());
        let user_defined = special::longest(set(head::USER_DEFINED), first, most);
        let controls = special::longest(set(head::CONTROL), first, most.min(reach));
        let Some(length) = user_defined.max(controls) else {
            return (None, 0);
        };
        let kind = self.set_of(TokenKind::Control);
        let id = text.get(..length).and_then(|text| self.find(text, kind));
        let wanted = |&id: &u32| match self.kind(id) {
            TokenKind::UserDefined => true,
            TokenKind::Control | TokenKind::Unknown => length <= reach,
            _ => false,
        };
        (id.filter(wanted), length)
    }

    /// The merge of two tokens: its rank and the token it makes.
    pub(super) fn pair(&self, left: u32, right: u32) -> Option<(u32, u32)> {
        let hash = pair_hash(left, right);
        for at in probes(hash, self.tables.merge_slots.len()) {
            match cells::get(self.tables.merge_slots, at)? {
                0 => return None,
                slot => {
                    let Some(rank) = number(hash, slot) else {
                        continue;
                    };
                    let &[first, second, merged] = self.tables.merges.get(rank as usize)?;
                    if (u32::from_le_bytes(first), u32::from_le_bytes(second)) == (left, right) {
                        return Some((rank, u32::from_le_bytes(merged)));
                    }
                }
            }
        }
        None
    }

    fn head(&self, at: usize) -> u32 {
        cells::get(self.tables.head, at).unwrap_or(NONE)
    }

    fn id(&self, at: usize) -> Option<u32> {
        Some(self.head(at)).filter(|&id| id != NONE)
    }
}
