// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a prompt: the argument, or standard input.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read};
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use crate::exit_codes::{ExitCode, Failure};

/// The bytes of `argument`; of standard input for `-`, or for nothing unless that is a terminal.
/// Standard input is read no further than `limit` bytes, what the device takes.
pub(crate) fn text(argument: Option<&OsStr>, limit: u32) -> anyhow::Result<Vec<u8>> {
    match argument {
        Some(text) if text != OsStr::new("-") => return Ok(text.as_bytes().to_vec()),
        None if io::stdin().is_terminal() => {
            let sentence = "no text: give it as an argument, or - to type it and end with Ctrl-D";
            return Err(Failure::error(ExitCode::Usage, sentence));
        }
        _ => {}
    }
    read(io::stdin().lock(), limit)
}

/// At most `limit` bytes, without the line end that a shell's `echo` or a text file's last line adds:
/// one, no more.
fn read(from: impl Read, limit: u32) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    // The line end, and a byte that shows that there are more.
    from.take(u64::from(limit) + 2)
        .read_to_end(&mut text)
        .context("cannot read the text from standard input")?;
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    if text.len() > limit as usize {
        let sentence = format!(
            "the text on standard input has more than the {limit} bytes that the device takes: shorten it, \
             or let the administrator raise the module's parameter prompt_max"
        );
        return Err(Failure::error(ExitCode::PromptTooLong, sentence));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_not_part_of_the_text() {
        let text = |from: &[u8]| read(from, 10).unwrap();
        assert_eq!(text(b"one\n"), b"one");
        assert_eq!(text(b"one"), b"one");
        assert_eq!(text(b"one\ntwo\n\n"), b"one\ntwo\n");
        assert_eq!(text(b"\n"), b"");
        assert_eq!(text(b""), b"");
    }

    #[test]
    fn nothing_is_read_past_the_limit() {
        assert_eq!(read(&b"abcd"[..], 4).unwrap(), b"abcd");
        assert_eq!(read(&b"abcd\n"[..], 4).unwrap(), b"abcd");
        for long in [&b"abcde"[..], b"abcde\n", b"abcd\n\n", b"abcdefgh"] {
            let error = read(long, 4).unwrap_err();
            assert_eq!(ExitCode::of(&error), ExitCode::PromptTooLong);
            assert!(error.to_string().contains("more than the 4 bytes"));
        }
        let mut endless = io::repeat(b'y');
        assert!(read(&mut endless, 1000).is_err());
    }
}
