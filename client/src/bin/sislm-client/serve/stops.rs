// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens of an answer on their way to the client, up to a text that ends it.

use std::collections::VecDeque;
use std::mem;

use sislm::{Joiner, Token};

/// What is decided: text, and the tokens whose bytes are all in the text until now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decided {
    /// In whole characters.
    pub text: String,
    /// As many as have come.
    pub tokens: Vec<Token>,
}

/// Bytes that may begin a text that ends the answer are held back, and their tokens.
#[derive(Debug)]
pub(super) struct Stops<'a> {
    texts: &'a [Vec<u8>],
    held: Vec<u8>,
    /// Tokens, and how many bytes of `held` come before their end.
    tokens: VecDeque<(Token, usize)>,
    joiner: Joiner,
}

impl<'a> Stops<'a> {
    /// At these texts.
    pub(super) fn new(texts: &'a [Vec<u8>]) -> Self {
        Self {
            texts,
            held: Vec::new(),
            tokens: VecDeque::new(),
            joiner: Joiner::default(),
        }
    }

    /// Takes a token; whether one of the texts has come, which ends the answer.
    pub(super) fn push(&mut self, token: Token) -> (Decided, bool) {
        self.held.extend_from_slice(&token.text);
        self.tokens.push_back((token, self.held.len()));
        let tails = || (0..self.held.len()).map(|start| &self.held[start..]);
        let ends = |tail: &[u8]| self.texts.iter().any(|text| tail.starts_with(text));
        let may_end = |tail: &[u8]| self.texts.iter().any(|text| text.starts_with(tail));
        if let Some(start) = tails().position(ends) {
            self.held.truncate(start);
            return (self.decide(start), true);
        }
        let decided = tails().position(may_end).unwrap_or(self.held.len());
        (self.decide(decided), false)
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Decided {
        let mut decided = self.decide(self.held.len());
        decided.text += &self.joiner.finish();
        decided
    }

    fn decide(&mut self, bytes: usize) -> Decided {
        let rest = self.held.split_off(bytes);
        let text = self.joiner.push(&mem::replace(&mut self.held, rest));
        let mut tokens = Vec::new();
        while let Some((token, _)) = self.tokens.pop_front_if(|(_, end)| *end <= bytes) {
            tokens.push(token);
        }
        for (_, end) in &mut self.tokens {
            *end = end.saturating_sub(bytes);
        }
        Decided { text, tokens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts and the numbers of tokens that come out for words that go in.
    fn told(stops: &[&str], words: &[&str]) -> (Vec<(String, usize)>, bool) {
        let texts: Vec<Vec<u8>> = stops.iter().map(|text| text.as_bytes().to_vec()).collect();
        let mut stops = Stops::new(&texts);
        let mut all = Vec::new();
        for (id, word) in (0..).zip(words) {
            let (decided, ended) = stops.push(Token {
                id,
                text: word.as_bytes().to_vec(),
                log_probability: None,
                top: Vec::new(),
            });
            all.push((decided.text, decided.tokens.len()));
            if ended {
                return (all, true);
            }
        }
        let rest = stops.finish();
        all.push((rest.text, rest.tokens.len()));
        (all, false)
    }

    fn pairs(all: &[(&str, usize)]) -> Vec<(String, usize)> {
        all.iter()
            .map(|(text, count)| ((*text).into(), *count))
            .collect()
    }

    #[test]
    fn without_texts_all_comes_at_once() {
        let all = pairs(&[("a", 1), ("", 1), ("bc", 1), ("", 0)]);
        assert_eq!(told(&[], &["a", "", "bc"]), (all, false));
    }

    #[test]
    fn a_text_across_tokens_ends_the_answer_before_it() {
        let all = pairs(&[("a ", 0), ("", 0), ("", 0)]);
        assert_eq!(told(&["END"], &["a E", "N", "D b"]), (all, true));
        let all = pairs(&[("a", 1), ("", 0), ("ENx", 2), ("", 0)]);
        assert_eq!(told(&["END"], &["a", "EN", "x"]), (all, false));
    }

    #[test]
    fn a_character_in_two_tokens_is_given_whole() {
        let mut stops = Stops::new(&[]);
        let token = |text: &[u8]| Token {
            id: 0,
            text: text.to_vec(),
            log_probability: None,
            top: Vec::new(),
        };
        assert_eq!(stops.push(token(b"\xe2\x82")).0.text, "");
        assert_eq!(stops.push(token(b"\xac")).0.text, "\u{20ac}");
    }
}
