// SPDX-License-Identifier: GPL-2.0
//! The tokens that end a turn: those that keys of the file name, and those whose text says so.

use crate::abi::ENDS_MAX;

/// Texts of tokens that end a turn, as llama.cpp takes them. The last group is of models for code.
const NAMES: [&[u8]; 32] = [
    b"</s>",
    b"<eos>",
    b"<|endoftext|>",
    b"<|end_of_text|>",
    b"<|eot_id|>",
    b"<|eom_id|>",
    b"<|im_end|>",
    b"<|end|>",
    b"<|return|>",
    b"<|call|>",
    b"<|calls|>",
    b"<|flush|>",
    b"<|tool_response>",
    b"<end_of_turn>",
    b"<turn|>",
    b"<end_of_utterance>",
    b"<EOT>",
    b"_<EOT>",
    b"[EOT]",
    b"[EOS]",
    "<\u{ff5c}end\u{2581}of\u{2581}sentence\u{ff5c}>".as_bytes(),
    b"<|fim_pad|>",
    b"<fim-pad>",
    b"<fim_pad>",
    b"<PAD>",
    b"[PAD]",
    b"<|fim_repo|>",
    b"<|repo_name|>",
    b"<fim-repo>",
    b"<REPO>",
    b"<reponame>",
    b"<|file_sep|>",
];

/// A text, and two others: where a vocabulary has all three, the first one ends a message but no turn.
pub(super) const EXCEPTIONS: [[&[u8]; 3]; 5] = [
    [b"<|end|>", b"<|return|>", b"<|call|>"],
    [b"<|end|>", b"<|return|>", b"<|calls|>"],
    [b"<|end|>", b"<|flush|>", b"<|call|>"],
    [b"<|end|>", b"<|flush|>", b"<|calls|>"],
    [b"</s>", b"</s>", b"<|tool_response>"],
];

/// Whether a token of this text ends a turn.
pub(super) fn is_end(text: &[u8]) -> bool {
    // Most texts are none, which the last byte tells.
    matches!(text, [.., b'>' | b']']) && NAMES.contains(&text)
}

/// The first ids that end a turn, for those who ask.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The ids; the first `count` of them, at most as many as there is room for.
    pub ids: [u32; ENDS_MAX],
    /// How many there are in all.
    pub count: u32,
}

impl Ends {
    /// None.
    pub(super) const NONE: Self = Self {
        ids: [0; ENDS_MAX],
        count: 0,
    };

    /// Adds an id that is not among them.
    pub(super) fn add(&mut self, id: u32) {
        if let Some(place) = self.ids.get_mut(self.count as usize) {
            *place = id;
        }
        self.count = self.count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_end_a_turn() {
        assert!(is_end(b"<|im_end|>") && is_end(b"</s>") && is_end(b"<end_of_turn>"));
        for text in [&b""[..], b"<|im_start|>", b"</s> ", b"<|im_end|", b"end"] {
            assert!(!is_end(text));
        }
    }

    #[test]
    fn ids_past_the_room_are_counted() {
        let mut ends = Ends::NONE;
        for id in 0..ENDS_MAX as u32 + 3 {
            ends.add(id + 5);
        }
        assert_eq!(ends.count, ENDS_MAX as u32 + 3);
        assert_eq!(
            (ends.ids[0], ends.ids[ENDS_MAX - 1]),
            (5, ENDS_MAX as u32 + 4)
        );
    }
}
