// SPDX-License-Identifier: MIT OR Apache-2.0
//! An alphabet of private characters that stand for those of messages.
//!
//! White space stays as it is, so that a template that trims, splits or joins text at white space does
//! the same to the text in this alphabet.

use std::collections::BTreeSet;

/// The first characters of the two planes of private ones.
const PLANES: [u32; 2] = [0xf_0000, 0x10_0000];
/// Private characters of a plane.
const PLANE: u32 = 0xfffe;

/// The characters of some texts, each with a private one.
pub(super) struct Alphabet(Vec<char>);

impl Alphabet {
    /// That of `texts`; None when there are more characters in them than private ones.
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let characters: BTreeSet<char> = texts
            .flat_map(str::chars)
            .filter(|character| !character.is_whitespace())
            .collect();
        let room = PLANE as usize * PLANES.len();
        (characters.len() <= room).then(|| Self(characters.into_iter().collect()))
    }

    /// `text` in the alphabet; characters that are not in it stay.
    pub(super) fn hide(&self, text: &str) -> String {
        let hide = |character| {
            let index = self.0.binary_search(&character).ok();
            index.and_then(private).unwrap_or(character)
        };
        text.chars().map(hide).collect()
    }

    /// The character that a private one stands for.
    pub(super) fn reveal(&self, character: char) -> Option<char> {
        let place = |first: u32| {
            let place = u32::from(character).checked_sub(first)?;
            (place < PLANE).then_some(place)
        };
        let [first, second] = PLANES;
        let index = place(first).or_else(|| Some(place(second)? + PLANE))?;
        self.0.get(index as usize).copied()
    }
}

/// The private character of this number.
fn private(index: usize) -> Option<char> {
    let index = u32::try_from(index).ok()?;
    let first = PLANES.get((index / PLANE) as usize)?;
    char::from_u32(first + index % PLANE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_can_be_revealed_and_has_the_same_white_space() {
        let text = " <|im_end|>\n\u{a0}\u{e9} \u{f0001}\u{10fffd} x";
        let alphabet = Alphabet::of([text].into_iter()).unwrap();
        let hidden = alphabet.hide(text);
        assert_eq!(hidden.chars().count(), text.chars().count());
        for (hidden, character) in hidden.chars().zip(text.chars()) {
            match alphabet.reveal(hidden) {
                Some(revealed) => assert_eq!(revealed, character),
                None => assert!(hidden == character && character.is_whitespace()),
            }
        }
        assert_eq!(alphabet.reveal('x'), None);
        assert_eq!(alphabet.reveal('\u{f1234}'), None);
    }

    #[test]
    fn more_characters_than_one_plane_has_are_told_apart() {
        let text: String = ('!'..).take(70_000).collect();
        let alphabet = Alphabet::of([text.as_str()].into_iter()).unwrap();
        for index in [0, 1, 65_533, 65_534, 69_000] {
            let character = text
                .chars()
                .filter(|c| !c.is_whitespace())
                .nth(index)
                .unwrap();
            let hidden = alphabet.hide(&character.to_string());
            assert_eq!(
                alphabet.reveal(hidden.chars().next().unwrap()),
                Some(character)
            );
        }
    }
}
