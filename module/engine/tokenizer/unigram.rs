// SPDX-License-Identifier: GPL-2.0
//! Unigram (Kudo, 2018): of all ways to cut a text into pieces, the one whose scores have the greatest
//! sum, which is found from the left to the right (Viterbi, 1967).
//!
//! Text is changed first, by a map of the file's and by its rules for spaces. At each character, what
//! is best up to there goes on by each piece that begins there, or by the unknown token where no piece is
//! that character alone. Unknown tokens side by side are one.

use super::character_map::CharacterMap;
use super::prefixes::Prefix;
use super::vocabulary::Vocabulary;
use super::work::{SUMS, Work};
use super::{SPACE, TOKEN_BYTES_MAX, utf8};

/// In a step's length: it is the unknown token.
const UNKNOWN: u16 = 1 << 15;

/// What a byte that is no UTF-8 becomes: U+FFFD.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// What comes after a unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More of the same.
    More,
    /// A token, by its id; there may be none for text that is unknown.
    Token(Option<u32>),
    /// The fragment is done.
    Done,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Changes characters.
    Normalize,
    /// Looks for the pieces at a place.
    Search,
    /// Turns the best way round, which is known from its end.
    Reverse,
    /// Gives the tokens.
    Emit,
}

/// The machine. The text that it cuts lies in the workspace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unigram {
    stage: Stage,
    /// Bytes of the text.
    length: usize,
    /// Whether the text's last character is none of a space's.
    in_word: bool,
    /// Whether the space before the text is there.
    begun: bool,
    /// The place in the text.
    at: usize,
    /// Where the piece that is looked for ends so far.
    end: usize,
    /// That piece.
    prefix: Prefix,
    /// Whether a piece is the character at the place.
    has_character: bool,
    /// While the way is turned round: the step that is taken out.
    taken: u16,
    /// Whether the last token was the unknown one.
    after_unknown: bool,
}

impl Unigram {
    /// At the start of a fragment; `anew`: text begins, with the space before it where there is one.
    pub(super) fn new(anew: bool) -> Self {
        Self {
            stage: Stage::Normalize,
            length: 0,
            in_word: !anew,
            begun: !anew,
            at: 0,
            end: 0,
            prefix: Prefix::EMPTY,
            has_character: false,
            taken: 0,
            after_unknown: false,
        }
    }

    /// Does one unit of work on `text`, of which `taken` bytes are done. `None` when the workspace is too
    /// small.
    pub(super) fn step(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        taken: &mut usize,
        work: &mut Work<'_>,
    ) -> Option<Step> {
        match self.stage {
            Stage::Normalize => {
                let rest = text.get(*taken..).unwrap_or_default();
                if rest.is_empty() {
                    return self.begin_search(work);
                }
                *taken += self.normalize(vocabulary, rest, work)?;
            }
            Stage::Search => self.search(vocabulary, work)?,
            Stage::Reverse => self.reverse(work)?,
            Stage::Emit => return self.emit(vocabulary, work),
        }
        Some(Step::More)
    }

    /// Changes the character at the front of `rest`, and gives its length.
    fn normalize(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        rest: &[u8],
        work: &mut Work<'_>,
    ) -> Option<usize> {
        let map: CharacterMap<'_> = vocabulary.character_map();
        let (given, length) = map.replace(rest).or_else(|| character(rest))?;
        let (adds_space, merges) = (vocabulary.adds_space(), vocabulary.merges_spaces());
        for &byte in given {
            if byte == b' ' {
                self.in_word = false;
                if !merges {
                    self.push(SPACE, work)?;
                }
                continue;
            }
            if !self.in_word && (merges || adds_space && !self.begun) {
                self.push(SPACE, work)?;
                self.begun = true;
            }
            self.in_word = true;
            self.push(&[byte], work)?;
        }
        Some(length)
    }

    /// Adds bytes to the text; no way leads to behind them yet.
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) -> Option<()> {
        let end = self.length.checked_add(bytes.len())?;
        work.text.get_mut(self.length..end)?.copy_from_slice(bytes);
        let behind = work.steps.get_mut(self.length + 1..end + 1)?;
        behind.fill([0; 2]);
        self.length = end;
        Some(())
    }

    fn begin_search(&mut self, work: &mut Work<'_>) -> Option<Step> {
        if self.length == 0 {
            return Some(Step::Done);
        }
        *work.sums.first_mut()? = [0; 8];
        *work.steps.first_mut()? = [0; 2];
        self.stage = Stage::Search;
        Some(Step::More)
    }

    /// Looks at one more byte of the pieces at the place.
    fn search(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        let text = work.text.get(..self.length)?;
        let width = width(*text.get(self.at)?).min(self.length - self.at);
        let &byte = text.get(self.end)?;
        self.prefix = self.prefix.and(byte);
        self.end += 1;
        let length = self.end - self.at;
        let answer = vocabulary.prefixes().of(self.prefix);
        let piece = text.get(self.at..self.end)?;
        if answer.is_token
            && let Some(id) = vocabulary.find_piece(piece)
        {
            self.has_character |= length == width;
            self.offer(length, 0, vocabulary.weight(Some(id)), work)?;
        }
        if answer.goes_on && self.end < self.length && length < TOKEN_BYTES_MAX {
            return Some(());
        }
        if !self.has_character {
            self.offer(width, UNKNOWN, vocabulary.weight(None), work)?;
        }
        self.go_to(self.at + width);
        if self.at == self.length {
            self.stage = Stage::Reverse;
            self.taken = 0;
        }
        Some(())
    }

    /// Goes on by a step of so many bytes, if nothing that leads there is as good.
    fn offer(&mut self, length: usize, mark: u16, weight: i64, work: &mut Work<'_>) -> Option<()> {
        let to = self.at + length;
        let sum = i64::from_le_bytes(*work.sums.get(self.at % SUMS)?);
        let sum = sum.saturating_add(weight);
        let step = work.steps.get_mut(to)?;
        let best = work.sums.get_mut(to % SUMS)?;
        if *step == [0; 2] || sum > i64::from_le_bytes(*best) {
            *best = sum.to_le_bytes();
            // CAST: At most TOKEN_BYTES_MAX.
            #[expect(clippy::cast_possible_truncation)]
            let length = length as u16;
            *step = (length | mark).to_le_bytes();
        }
        Some(())
    }

    fn go_to(&mut self, at: usize) {
        self.at = at;
        self.end = at;
        self.prefix = Prefix::EMPTY;
        self.has_character = false;
    }

    /// Puts the step that leads on from the place where the one that leads to it was.
    fn reverse(&mut self, work: &mut Work<'_>) -> Option<()> {
        let cell = work.steps.get_mut(self.at)?;
        let step = u16::from_le_bytes(*cell);
        *cell = self.taken.to_le_bytes();
        self.taken = step;
        if self.at == 0 {
            self.stage = Stage::Emit;
        } else {
            // A place that no step leads to is none of the way.
            let length = usize::from(step & !UNKNOWN).max(1);
            self.at = self.at.checked_sub(length)?;
        }
        Some(())
    }

    /// Gives the token at the place.
    fn emit(&mut self, vocabulary: &Vocabulary<'_>, work: &Work<'_>) -> Option<Step> {
        if self.at >= self.length {
            return Some(Step::Done);
        }
        let step = u16::from_le_bytes(*work.steps.get(self.at)?);
        let end = self.at + usize::from(step & !UNKNOWN).max(1);
        let id = if step & UNKNOWN == 0 {
            vocabulary.find_piece(work.text.get(self.at..end)?)
        } else {
            vocabulary.unknown()
        };
        self.at = end;
        let is_unknown = id == vocabulary.unknown();
        let repeats = is_unknown && self.after_unknown;
        self.after_unknown = is_unknown;
        Some(if repeats { Step::More } else { Step::Token(id) })
    }
}

/// Bytes of a character by its first one.
fn width(lead: u8) -> usize {
    match lead {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}

/// The character at the front of `text`, and its length; U+FFFD for a byte that begins none. As in
/// llama.cpp, a surrogate is a character.
fn character(text: &[u8]) -> Option<(&[u8], usize)> {
    let length = match *text {
        [] => return None,
        [0xed, 0xa0..0xc0, 0x80..0xc0, ..] => 3,
        _ => match utf8::decode(text) {
            Some((_, length)) => length,
            None => return Some((REPLACEMENT, 1)),
        },
    };
    Some((text.get(..length)?, length))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{UNIGRAM, character_map, ids, tables, text, unigram, with_map};

    const MERGE: &str = "tokenizer.ggml.remove_extra_whitespaces";
    const PREFIX: &str = "tokenizer.ggml.add_space_prefix";

    fn found(text: &str) -> Vec<u32> {
        let file = unigram(UNIGRAM).bool(MERGE, true).bool(PREFIX, true);
        ids(&tables(&file), text.as_bytes(), true, false)
    }

    #[test]
    fn the_sum_of_scores_decides() {
        // ▁ab (-2.5) and c (-2) are better than ▁a (-2) and bc (-3).
        assert_eq!(found("abc"), [9, 8, 1]);
        // Of equals the longer last piece: ▁a and bb, ▁ab and b are -5.5 both.
        assert_eq!(found("abb"), [5, 11, 1]);
        assert_eq!(found(""), [1]);
        assert_eq!(found("  "), [1]);
        assert_eq!(found("cab"), [4, 8, 6, 7, 1]);
    }

    #[test]
    fn text_without_pieces_is_unknown_once() {
        assert_eq!(found("xyz"), [4, 2, 1]);
        assert_eq!(found("ax日本x b"), [5, 2, 4, 7, 1]);
        // No control token is made of text, nor a byte's.
        assert_eq!(found("</s>"), [4, 2, 1]);
        assert_eq!(found("<0x41>"), [4, 2, 1]);
    }

    #[test]
    fn spaces_are_as_the_file_says() {
        let with = |merge, prefix, text: &[u8], first| {
            let file = unigram(UNIGRAM).bool(MERGE, merge).bool(PREFIX, prefix);
            ids(&tables(&file), text, first, true)
        };
        let text = b" a  b ";
        assert_eq!(with(true, true, text, true), [5, 4, 7, 1]);
        assert_eq!(with(false, true, text, true), [4, 5, 4, 4, 7, 4, 1]);
        assert_eq!(with(false, false, text, true), [5, 4, 4, 7, 4, 1]);
        // As in llama.cpp, whatever the file says of the space before a text.
        assert_eq!(with(true, false, b"b", true), [4, 7, 1]);
        assert_eq!(with(false, false, b"b", true), [7, 1]);
        // Text that goes on.
        assert_eq!(with(true, true, b"b", false), [7]);
        assert_eq!(with(true, true, b" b", false), [4, 7]);
        // After a special token text begins anew.
        assert_eq!(with(true, true, b"a</s>b", true), [5, 1, 4, 7, 1]);
        assert_eq!(with(true, true, b"a<u>b", true), [5, 12, 4, 7, 1]);
    }

    #[test]
    fn characters_change_by_the_map() {
        let map = character_map(&[
            ("①", "a"),
            ("①②", "ab"),
            ("\u{3000}", " "),
            ("\t", " "),
            ("Ｘ", ""),
            ("＜", "<"),
            ("＞", ">"),
            ("\u{fdfa}", "a b c a b c a b"),
            ("!", "abcabcabcabcabc"),
        ]);
        let file = with_map(unigram(UNIGRAM), &map);
        let file = file.bool(MERGE, true).bool(PREFIX, true);
        let tables = tables(&file);
        let found = |text: &str| ids(&tables, text.as_bytes(), true, false);
        assert_eq!(found("①"), [5, 1]);
        assert_eq!(found("①②"), [9, 1]);
        assert_eq!(found("①①"), [5, 6, 1]);
        assert_eq!(found("a\u{3000}\tb"), [5, 4, 7, 1]);
        assert_eq!(found("ＸaＸ"), [5, 1]);
        // What becomes a user-defined token is one.
        assert_eq!(found("＜u＞"), [4, 12, 1]);
        assert_eq!(found("\u{fdfa}").len(), 14);
        // Too much of one byte.
        assert_eq!(found("!"), [4, 2, 1]);
        assert_eq!(found("a\0①"), [5, 2, 6, 1]);
    }

    #[test]
    fn bytes_that_are_no_characters_are_replaced() {
        let mut tokens = UNIGRAM.to_vec();
        tokens.push(("\u{fffd}", 1, -3.0));
        let tables = tables(&unigram(&tokens));
        let last = UNIGRAM.len() as u32;
        assert_eq!(
            ids(&tables, b"a\xff\x80b", true, false),
            [6, last, last, 7, 1]
        );
        assert_eq!(ids(&tables, b"\xe2\x82", true, false), [last, last, 1]);
        assert_eq!(ids(&tables, b"\xc0\x80", true, false), [last, last, 1]);
        assert_eq!(ids(&tables, b"\xed\xa0\x80", true, false), [2, 1]);
    }

    #[test]
    fn pieces_come_back_with_their_spaces() {
        let file = unigram(UNIGRAM).bool(PREFIX, true);
        assert_eq!(text(&tables(&file), &[9, 8, 5, 12, 1]), b"abc a<u>");
    }
}
