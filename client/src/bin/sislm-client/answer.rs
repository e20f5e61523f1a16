// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of an answer, shown as it comes.

use std::io::{self, Write};

use nix::errno::Errno;
use sislm::{Error, Finish, GuidedTurn, Joiner, Turn};

use crate::interrupt::Interrupt;

/// The answer so far, of one turn or of several.
pub(crate) struct Answer<'a, W> {
    /// Where whole characters are shown; None where the answer is printed another way.
    out: Option<&'a mut W>,
    interrupt: &'a Interrupt,
    joiner: Joiner,
    text: String,
}

impl<'a, W: Write> Answer<'a, W> {
    pub(crate) fn new(out: Option<&'a mut W>, interrupt: &'a Interrupt) -> Self {
        Self {
            out,
            interrupt,
            joiner: Joiner::default(),
            text: String::new(),
        }
    }

    /// Takes all of a turn.
    pub(crate) fn take(&mut self, mut turn: Turn<'_>) -> anyhow::Result<()> {
        while let Some(bytes) = turn.next_bytes() {
            match bytes {
                Ok(bytes) => self.push(&bytes)?,
                Err(error) if self.was_dropped(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes all of a guided turn, and says why it ended.
    pub(crate) fn take_guided(&mut self, mut turn: GuidedTurn<'_>) -> anyhow::Result<Finish> {
        for token in &mut turn {
            match token {
                Ok(token) => self.push(&token.text)?,
                Err(error) if self.was_dropped(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(turn.finish())
    }

    /// The whole text; bytes of a character whose rest did not come are U+FFFD.
    pub(crate) fn finish(mut self) -> io::Result<String> {
        let rest = self.joiner.finish();
        self.show(&rest)?;
        Ok(self.text)
    }

    /// Whether the prompt itself was dropped, because of Ctrl-C.
    fn was_dropped(&self, error: &Error) -> bool {
        self.interrupt.is_set() && error.errno() == Errno::ENODATA
    }

    /// Takes bytes, and shows the characters that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let piece = self.joiner.push(bytes);
        self.show(&piece)
    }

    fn show(&mut self, piece: &str) -> io::Result<()> {
        self.text.push_str(piece);
        if let Some(out) = &mut self.out {
            out.write_all(piece.as_bytes())?;
            out.flush()?;
        }
        Ok(())
    }
}
