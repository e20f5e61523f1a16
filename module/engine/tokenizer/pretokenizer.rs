// SPDX-License-Identifier: GPL-2.0
//! The machine that cuts text into pieces, which merges do not cross, by a pattern.
//!
//! A pattern is a list of splits, each of which cuts what the one before left. A split is a list of
//! alternatives, tried in order at each place; what none of them matches stays together. Matching
//! goes as in a regular expression that backtracks: an item takes all it can, and gives back what
//! the next one needs. Here it gives back once, to the last place where the next item could begin,
//! which it notes on its way. With that, time is linear in the text as long as no alternative reads
//! far to fail where a later one takes little; the tests count the steps of every pattern.

use super::pattern::{Alternative, ITEMS_MAX, Item, Pattern, SPLITS_MAX};
use super::unicode::{self, Category, Character};

/// The machine, between two steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pretokenizer {
    /// Where the piece begins.
    start: usize,
    /// Where the part that each split made ends; no later than that of the split before.
    ends: [usize; SPLITS_MAX],
    /// The split at work.
    split: usize,
    attempt: Attempt,
    /// End of a run that is cut in threes, once the threes are whole.
    threes_end: usize,
}

/// An alternative being tried at one place.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// The place.
    from: usize,
    alternative: usize,
    item: usize,
    /// Where the next character is.
    at: usize,
    /// Characters that the item has taken.
    count: u32,
    /// Characters that all items have taken, without what was given back.
    taken: u32,
    /// Where each item could end so that the next begins, if it must.
    retreats: [Option<usize>; ITEMS_MAX],
}

impl Attempt {
    fn new(from: usize, alternative: usize) -> Self {
        Self {
            from,
            alternative,
            item: 0,
            at: from,
            count: 0,
            taken: 0,
            retreats: [None; ITEMS_MAX],
        }
    }

    /// Takes a character.
    fn take(&mut self, character: Character) {
        self.at += character.length;
        self.count += 1;
        self.taken += 1;
    }

    /// Whether the character at the front of `rest` goes on with a phrase.
    fn is_of_phrase(&self, character: Character, rest: &[u8]) -> bool {
        match character.category {
            Category::Letter => true,
            Category::Mark => self.count > 0,
            _ => {
                let after = rest.strip_prefix(b" ").and_then(unicode::next);
                self.count > 0 && after.is_some_and(|after| after.category == Category::Letter)
            }
        }
    }

    fn begin_item(&mut self, item: usize, at: usize) {
        self.item = item;
        self.at = at;
        self.count = 0;
    }

    /// Gives back what an item took too much; with nothing to give back, tries the next alternative.
    fn fail(&mut self) {
        for item in (0..self.item).rev() {
            if let Some(at) = self.retreats.get_mut(item).and_then(Option::take) {
                return self.begin_item(item + 1, at);
            }
        }
        *self = Self::new(self.from, self.alternative + 1);
    }
}

/// What trying an alternative came to.
enum Outcome {
    /// It goes on.
    More,
    /// It matches.
    Match,
    /// It does not match, or not this way.
    Fail,
}

impl Pretokenizer {
    /// A machine at byte `at`, where a piece begins.
    pub(super) fn new(at: usize) -> Self {
        Self {
            start: at,
            ends: [at; SPLITS_MAX],
            split: 0,
            attempt: Attempt::new(at, 0),
            threes_end: at,
        }
    }

    /// Looks at one character of `text`, or tries one text at one place; gives the end of the piece
    /// when it is found, and then goes on from there. `text` and `pattern` are the same in each
    /// call. With no text left, there are no more pieces.
    pub(super) fn step(&mut self, pattern: Pattern, text: &[u8]) -> Option<usize> {
        let Some(split) = pattern.get(self.split) else {
            return Some(self.end_piece(pattern));
        };
        let end = self.limit(text.len());
        let text = text.get(..end).unwrap_or_default();
        let Some(alternative) = split.get(self.attempt.alternative) else {
            let rest = text.get(self.attempt.from..).unwrap_or_default();
            let length = unicode::next(rest).map_or(0, |character| character.length);
            self.pass_over(self.attempt.from + length, end);
            return None;
        };
        if alternative.threes && self.attempt.from < self.threes_end {
            self.end_part(after(text, self.start, 3));
            return None;
        }
        match self.attempt_step(alternative, text) {
            Outcome::More => {}
            Outcome::Fail => self.attempt.fail(),
            Outcome::Match => self.take_match(alternative, text),
        }
        None
    }

    /// Where the part ends that the present split cuts.
    fn limit(&self, text: usize) -> usize {
        let before = self.split.checked_sub(1);
        before
            .and_then(|split| self.ends.get(split))
            .copied()
            .unwrap_or(text)
    }

    /// Ends the piece: the next one begins in the part of the last split that is not used up.
    fn end_piece(&mut self, pattern: Pattern) -> usize {
        let end = self.limit(self.start);
        self.start = end;
        let ends = self.ends.iter().take(pattern.len());
        self.split = ends.take_while(|&&part| part > end).count();
        self.attempt = Attempt::new(end, 0);
        end
    }

    /// Goes on with the alternative's item at one character.
    fn attempt_step(&mut self, alternative: &Alternative, text: &[u8]) -> Outcome {
        let rest = text.get(self.attempt.at..).unwrap_or_default();
        let next = unicode::next(rest);
        let attempt = &mut self.attempt;
        match alternative.items.get(attempt.item) {
            None => {
                let barred = alternative.not_followed_by;
                let is_barred = |next| barred.is_some_and(|class| class.contains(next));
                if attempt.at == attempt.from || next.is_some_and(is_barred) {
                    return Outcome::Fail;
                }
                return Outcome::Match;
            }
            Some(&Item::Run { class, least, most }) => {
                match next.filter(|&next| attempt.count < most && class.contains(next)) {
                    Some(next) => {
                        if attempt.count >= least
                            && alternative.may_go_on(attempt.item + 1, next)
                            && let Some(retreat) = attempt.retreats.get_mut(attempt.item)
                        {
                            *retreat = Some(attempt.at);
                        }
                        attempt.take(next);
                    }
                    None if attempt.count < least => return Outcome::Fail,
                    None => attempt.begin_item(attempt.item + 1, attempt.at),
                }
            }
            Some(&Item::Text {
                texts,
                fold_case,
                optional,
            }) => {
                let found = texts.iter().find(|found| {
                    let front = rest.get(..found.len()).unwrap_or_default();
                    front == found.as_bytes()
                        || fold_case && front.eq_ignore_ascii_case(found.as_bytes())
                });
                match found {
                    Some(found) => attempt.begin_item(attempt.item + 1, attempt.at + found.len()),
                    None if optional => attempt.begin_item(attempt.item + 1, attempt.at),
                    None => return Outcome::Fail,
                }
            }
            Some(Item::Phrase) => match next.filter(|&next| attempt.is_of_phrase(next, rest)) {
                Some(next) => attempt.take(next),
                None if attempt.count == 0 => return Outcome::Fail,
                None => attempt.begin_item(attempt.item + 1, attempt.at),
            },
        }
        Outcome::More
    }

    /// Ends the part of the split at a match, or before it if nothing matched up to there.
    fn take_match(&mut self, alternative: &Alternative, text: &[u8]) {
        let Attempt {
            from, at, taken, ..
        } = self.attempt;
        if alternative.joined {
            self.pass_over(at, text.len());
        } else if from > self.start && !alternative.text_before {
            // It is found once more, as a part of its own.
            self.end_part(from);
        } else if alternative.threes {
            self.threes_end = at;
            self.end_part(after(text, from, (taken + 2) % 3 + 1));
        } else {
            self.end_part(at);
        }
    }

    /// Leaves what comes before `to` unmatched.
    fn pass_over(&mut self, to: usize, end: usize) {
        if to >= end {
            self.end_part(end);
        } else {
            self.attempt = Attempt::new(to, 0);
        }
    }

    /// Ends the part of the split at work; the next split cuts it.
    fn end_part(&mut self, end: usize) {
        if let Some(part) = self.ends.get_mut(self.split) {
            *part = end;
        }
        self.split += 1;
        self.attempt = Attempt::new(self.start, 0);
    }
}

/// The place in `text` some characters behind `at`.
fn after(text: &[u8], at: usize, characters: u32) -> usize {
    (0..characters).fold(at, |at, _| {
        let rest = text.get(at..).unwrap_or_default();
        at + unicode::next(rest).map_or(0, |character| character.length)
    })
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Row;
    use super::super::pattern::testing::{all, ends};
    use super::*;

    /// What patterns tell apart, and a byte that is not UTF-8.
    const CHARACTERS: &[&[u8]] = &[
        b"a",
        b"B",
        b"s",
        b"l",
        b"'s",
        b"'LL",
        b"'",
        b" ",
        b" ",
        b"    ",
        b"\n",
        b"\r\n",
        b"\t",
        b"1",
        b"234567",
        b"/",
        b"(",
        b"~",
        b".",
        b"IMGIMG",
        b"A",
        b"Z",
        b"<sentinel:",
        b">",
        b"_",
        b"\0",
        b"\xff",
        b"\xe2\x82",
        "é".as_bytes(),
        "É".as_bytes(),
        "日".as_bytes(),
        "か".as_bytes(),
        "한".as_bytes(),
        "ไ".as_bytes(),
        "。".as_bytes(),
        "½".as_bytes(),
        "\u{301}".as_bytes(),
        "\u{3000}".as_bytes(),
        "🦙".as_bytes(),
    ];

    /// Most steps for a byte, with some to begin with.
    const STEPS: usize = 80;

    /// Numbers below `below`, the same in each run.
    fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
        let mut state = seed;
        move |below| {
            state = state
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) as usize % below
        }
    }

    #[test]
    fn pieces_are_the_text_and_never_empty() {
        let mut number = numbers(1);
        for _ in 0..1_000 {
            let mut text = vec![];
            for _ in 0..number(20) {
                let character = CHARACTERS[number(CHARACTERS.len())];
                for _ in 0..[1, 1, 1, 2, 5][number(5)] {
                    text.extend_from_slice(character);
                }
            }
            for row in all() {
                let (ends, steps) = ends(row.pattern, &text);
                let last = ends.last().copied().unwrap_or(0);
                assert_eq!(last, text.len());
                assert!(ends.is_sorted_by(|a, b| a < b), "{ends:?}");
                assert!(ends.first() != Some(&0));
                assert!(steps <= STEPS * (text.len() + 1), "{}", name(row));
            }
        }
    }

    /// Expects a number of steps that grows as the text does.
    fn expect_linear(row: &Row, text: &[u8]) {
        let (ends, steps) = ends(row.pattern, text);
        assert_eq!(ends.last(), Some(&text.len()));
        assert!(steps < STEPS * text.len(), "{}: {steps} steps", name(row));
    }

    fn name(row: &Row) -> &str {
        core::str::from_utf8(row.name).expect("ASCII")
    }

    #[test]
    fn time_is_linear_in_any_text() {
        let repeated = |unit: &[u8]| unit.repeat(4096 / unit.len());
        let mut texts: Vec<Vec<u8>> = CHARACTERS.iter().map(|unit| repeated(unit)).collect();
        // Runs that end in what the longest alternatives do not want.
        texts.extend(
            CHARACTERS
                .iter()
                .map(|unit| [&repeated(unit)[..], b"!x"].concat()),
        );
        let pairs: [&[u8]; 7] = [b" x", b"  1", b"1a", b"12 ", b"aB", b"' ", "aÉ".as_bytes()];
        texts.extend(pairs.map(repeated));
        texts.push([&repeated(b"A")[..], "é1".as_bytes()].concat());
        texts.push(["É".as_bytes(), &repeated(b"A"), b"1"].concat());
        for row in all() {
            for text in &texts {
                expect_linear(row, text);
            }
        }
    }

    #[test]
    fn a_megabyte_takes_as_long_a_byte_as_a_line() {
        let row = all()[0];
        for byte in [b"a", b" ", b"\xff"] {
            expect_linear(row, &byte.repeat(1 << 20));
        }
    }

    #[test]
    fn items_and_splits_fit() {
        for row in all() {
            assert!((1..=SPLITS_MAX).contains(&row.pattern.len()));
            let alternatives = row.pattern.iter().copied().flatten();
            for alternative in alternatives.clone() {
                assert!((1..=ITEMS_MAX).contains(&alternative.items.len()));
            }
            assert!(
                alternatives
                    .filter(|alternative| alternative.threes)
                    .count()
                    <= 1
            );
        }
    }
}
