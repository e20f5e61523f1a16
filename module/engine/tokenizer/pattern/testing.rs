// SPDX-License-Identifier: GPL-2.0
//! Pieces of texts, for the tests of patterns.

use super::super::pretokenizer::Pretokenizer;
use super::{Pattern, ROWS, Row, at, place};

/// All patterns, each once, with one of its names.
pub(in super::super) fn all() -> Vec<&'static Row> {
    let mut rows: Vec<&Row> = ROWS.iter().collect();
    rows.dedup_by_key(|row| row.pattern.as_ptr());
    rows
}

/// The ends of the pieces of a text, and the steps it took to find them.
pub(in super::super) fn ends(pattern: Pattern, text: &[u8]) -> (Vec<usize>, usize) {
    let mut machine = Pretokenizer::new(0);
    let mut ends = vec![];
    let mut steps = 0;
    while ends.last().copied().unwrap_or(0) < text.len() {
        steps += 1;
        assert!(steps <= 200 * (text.len() + 1), "it goes on for ever");
        ends.extend(machine.step(pattern, text));
    }
    (ends, steps)
}

/// The pieces of a text, by the pattern of this name.
pub(super) fn pieces<'a>(name: &str, text: &'a str) -> Vec<&'a str> {
    let row = place(name.as_bytes()).and_then(at).expect("a known name");
    let mut start = 0;
    let piece = |end| &text[core::mem::replace(&mut start, end)..end];
    ends(row.pattern, text.as_bytes())
        .0
        .into_iter()
        .map(piece)
        .collect()
}
