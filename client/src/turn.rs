// SPDX-License-Identifier: MIT OR Apache-2.0
//! A turn: the text that answers a prompt, as it comes.

use std::io::{ErrorKind, Read};

use crate::error::errno_of;
use crate::{Error, Guidance, GuidedTurn, Joiner, Session};

/// Bytes asked for by one read.
const READ_BYTES: usize = 4096;

/// The text of a running turn, in whole characters; ends when the turn does.
///
/// Bytes that are no UTF-8 become U+FFFD. Dropped early, the turn goes on until the session is
/// reset, cancelled or closed.
///
/// # Errors
///
/// [`Error::PromptTokens`], [`Error::Turn`], [`Error::Call`]; nothing follows an error.
#[derive(Debug)]
pub struct Turn<'a> {
    session: &'a Session,
    joiner: Joiner,
    over: bool,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        Self {
            session,
            joiner: Joiner::default(),
            over: false,
        }
    }

    /// The same turn, guided: its tokens in the place of its text.
    pub fn guided(self, guidance: Guidance) -> GuidedTurn<'a> {
        GuidedTurn::new(self.session, guidance)
    }

    /// The next bytes of the text, which may cut characters; None when the turn is over.
    ///
    /// # Errors
    ///
    /// Those of the turn.
    pub fn next_bytes(&mut self) -> Option<Result<Vec<u8>, Error>> {
        if self.over {
            return None;
        }
        let mut buffer = [0; READ_BYTES];
        let read = self.read(&mut buffer);
        self.over = !matches!(read, Ok(length) if length > 0);
        match read {
            Ok(0) => None,
            Ok(length) => Some(Ok(buffer[..length].to_vec())),
            Err(error) => Some(Err(error)),
        }
    }

    /// Bytes from the device, none at the end of the turn.
    fn read(&mut self, buffer: &mut [u8; READ_BYTES]) -> Result<usize, Error> {
        loop {
            match self.session.file().read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(length) => return Ok(length),
                Err(error) => {
                    return Err(self.session.turn_error("read the answer", errno_of(&error)))
                }
            }
        }
    }
}

impl Iterator for Turn<'_> {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let text = match self.next_bytes() {
                None => self.joiner.finish(),
                Some(Ok(bytes)) => self.joiner.push(&bytes),
                Some(Err(error)) => return Some(Err(error)),
            };
            if !text.is_empty() {
                return Some(Ok(text));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use nix::errno::Errno;

    use super::*;

    fn session(bytes: &[u8]) -> Session {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Session::of_file(File::open(file.path()).unwrap())
    }

    #[test]
    fn the_text_comes_in_whole_characters_to_the_end() {
        // A character across the border of two reads, another one cut at the end.
        let text = "x".repeat(READ_BYTES - 1) + "\u{20ac}y";
        let session = session(&[text.as_bytes(), b"\xe2\x82"].concat());
        let pieces: Vec<String> = Turn::new(&session).map(Result::unwrap).collect();
        assert!(pieces.len() > 1);
        assert_eq!(pieces.concat(), text + "\u{fffd}");
    }

    #[test]
    fn a_turn_without_text_ends_at_once() {
        let session = session(b"");
        assert_eq!(Turn::new(&session).count(), 0);
    }

    #[test]
    fn nothing_follows_an_error() {
        // Not a device: a directory cannot be read, and RESULT is not known to it.
        let session = Session::of_file(File::open("/").unwrap());
        let pieces: Vec<_> = Turn::new(&session).collect();
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].as_ref().unwrap_err().errno(), Errno::ENOTTY);
    }
}
