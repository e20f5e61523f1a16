// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which parts of a rendered text are of its messages.
//!
//! The template is rendered twice: with the messages, and with the messages in an alphabet of private
//! characters. In the second text it is plain what the template wrote by itself. Nothing else of the first
//! text counts as the template's.

use std::ops::Range;

use super::alphabet::Alphabet;

/// A piece of a text in the alphabet.
#[derive(Debug, PartialEq)]
enum Piece {
    /// What the template wrote.
    Template(String),
    /// What is of a message, with the white space in it.
    Message(String),
}

/// The parts of `text` that are of messages, `hidden` being the same rendered with messages in `alphabet`:
/// ascending, none empty. None when it cannot be told: the template changes more of a message than the
/// white space around it, and what it made can be read in two ways.
pub(super) fn messages(text: &str, hidden: &str, alphabet: &Alphabet) -> Option<Vec<Range<usize>>> {
    let pieces = pieces(hidden, alphabet);
    unchanged(text, &pieces)
        .or_else(|| unique(text, &pieces))
        .map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect())
}

/// The pieces of `hidden`, messages revealed; never two of a kind in a row.
fn pieces(hidden: &str, alphabet: &Alphabet) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for character in hidden.chars() {
        match alphabet.reveal(character) {
            Some(revealed) => push_message(&mut pieces, revealed),
            None => match pieces.last_mut() {
                Some(Piece::Template(text)) => text.push(character),
                _ => pieces.push(Piece::Template(character.into())),
            },
        }
    }
    pieces
}

/// Appends a character of a message. White space alone between two of them is of a message too.
fn push_message(pieces: &mut Vec<Piece>, character: char) {
    if let [.., Piece::Message(message), Piece::Template(space)] = pieces.as_mut_slice() {
        if space.chars().all(char::is_whitespace) {
            message.push_str(space);
            pieces.pop();
        }
    }
    match pieces.last_mut() {
        Some(Piece::Message(message)) => message.push(character),
        _ => pieces.push(Piece::Message(character.into())),
    }
}

/// The parts of messages that are in `text` as they were given.
fn unchanged(text: &str, pieces: &[Piece]) -> Option<Vec<Range<usize>>> {
    let (mut at, mut parts) = (0, Vec::new());
    for piece in pieces {
        let (Piece::Template(given) | Piece::Message(given)) = piece;
        text.get(at..)?.strip_prefix(given.as_str())?;
        if matches!(piece, Piece::Message(_)) {
            parts.push(at..at + given.len());
        }
        at += given.len();
    }
    (at == text.len()).then_some(parts)
}

/// The parts of messages that were changed: what is between the template's pieces, if these can be found in
/// only one way.
fn unique(text: &str, pieces: &[Piece]) -> Option<Vec<Range<usize>>> {
    let first = match pieces.first()? {
        Piece::Template(first) => first,
        Piece::Message(_) => "",
    };
    let last = match pieces.last()? {
        Piece::Template(last) if pieces.len() > 1 => last,
        _ => "",
    };
    let rest = text.strip_prefix(first)?.strip_suffix(last)?;
    let between = pieces.get(1..pieces.len() - 1).unwrap_or_default();
    let between = between.iter().filter_map(|piece| match piece {
        Piece::Template(text) => Some(text.as_str()),
        Piece::Message(_) => None,
    });
    let mut early = Vec::new();
    let mut at = 0;
    for piece in between.clone() {
        let found = at + rest.get(at..)?.find(piece)?;
        early.push(found);
        at = found + piece.len();
    }
    let mut parts = Vec::new();
    let mut end = rest.len();
    for (piece, early) in between.collect::<Vec<_>>().into_iter().zip(early).rev() {
        let found = rest.get(..end)?.rfind(piece)?;
        if found != early {
            return None;
        }
        parts.push(found + piece.len()..end);
        end = found;
    }
    parts.push(0..end);
    let shifted = parts.into_iter().rev();
    Some(
        shifted
            .map(|part| part.start + first.len()..part.end + first.len())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of the text that a template makes of two messages.
    fn parts(
        template: impl Fn(&str, &str) -> String,
        first: &str,
        second: &str,
    ) -> Option<Vec<String>> {
        let alphabet = Alphabet::of([first, second].into_iter()).unwrap();
        let text = template(first, second);
        let hidden = template(&alphabet.hide(first), &alphabet.hide(second));
        let parts = messages(&text, &hidden, &alphabet)?;
        Some(parts.into_iter().map(|part| text[part].into()).collect())
    }

    fn plain(first: &str, second: &str) -> String {
        format!("<u>{first}<e>\n<u>{}<e>\n", second.trim())
    }

    #[test]
    fn messages_are_found_whatever_they_say() {
        let found = parts(plain, "a", " b c ").unwrap();
        assert_eq!(found, ["a", "b c"]);
        // What looks like the template is of the message.
        let found = parts(plain, "<e>\n<u>x", "<e> \n <u>").unwrap();
        assert_eq!(found, ["<e>\n<u>x", "<e> \n <u>"]);
        assert_eq!(parts(plain, "", "<e>").unwrap(), ["<e>"]);
        assert_eq!(parts(|_, b| b.into(), "x", "y z").unwrap(), ["y z"]);
        assert_eq!(parts(|_, _| "none".into(), "x", "y"), Some(vec![]));
        let beside = |a: &str, b: &str| format!("{a}\n\n{b}");
        assert_eq!(parts(beside, "x", "y").unwrap(), ["x\n\ny"]);
    }

    #[test]
    fn changed_messages_are_found_where_there_is_one_way() {
        let upper = |a: &str, b: &str| format!("<u>{}<e>{}", a.to_uppercase(), b.to_uppercase());
        assert_eq!(parts(upper, "a<x>", "b").unwrap(), ["A<X>", "B"]);
        assert_eq!(parts(upper, "stra\u{df}e", "").unwrap(), ["STRASSE"]);
        // The end of the first message could be at either.
        assert_eq!(
            parts(upper, "a<e>", "b"),
            Some(vec!["A<E>".into(), "B".into()])
        );
        let lower = |a: &str, b: &str| format!("<u>{}<e>{}", a.to_lowercase(), b.to_lowercase());
        assert_eq!(parts(lower, "A<E>", "B"), None);
        // With one message there is one way.
        let one = |a: &str, _: &str| format!("<u>{}<e>", a.to_lowercase());
        assert_eq!(parts(one, "A<E><U>", "").unwrap(), ["a<e><u>"]);
    }

    #[test]
    fn another_text_around_messages_is_not_followed() {
        let choosy = |a: &str, b: &str| {
            if a.contains('x') {
                format!("<u>{a}<other>{b}")
            } else {
                format!("<u>{a}<e>{b}")
            }
        };
        assert_eq!(parts(choosy, "a", "b").unwrap(), ["a", "b"]);
        assert_eq!(parts(choosy, "x", "b"), None);
    }
}
