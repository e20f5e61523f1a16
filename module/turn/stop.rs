// SPDX-License-Identifier: GPL-2.0
//! What ends a turn by the session's wish: text, which is not part of the answer, and tokens.

use crate::sys::{
    text::TOKEN_BYTES_MAX,
    uapi::{STOP_BYTES, STOP_STRINGS},
    wiped::Wiped,
};
use kernel::prelude::*;

/// The strings of a session.
#[derive(Clone, Copy)]
pub(crate) struct StopStrings {
    bytes: [[u8; STOP_BYTES]; STOP_STRINGS],
    lengths: [u8; STOP_STRINGS],
    count: u8,
}

impl StopStrings {
    /// None.
    pub(crate) const fn none() -> Self {
        Self {
            bytes: [[0; STOP_BYTES]; STOP_STRINGS],
            lengths: [0; STOP_STRINGS],
            count: 0,
        }
    }

    /// `EINVAL` for too many, an empty or too long one, or bytes past a string's end.
    pub(crate) fn new(
        count: u32,
        lengths: &[u32; STOP_STRINGS],
        bytes: &[[u8; STOP_BYTES]; STOP_STRINGS],
    ) -> Result<Self> {
        let mut strings = Self::none();
        strings.count = u8::try_from(count).map_err(|_| EINVAL)?;
        if usize::from(strings.count) > STOP_STRINGS {
            return Err(EINVAL);
        }
        strings.bytes = *bytes;
        for (index, (length, text)) in lengths.iter().zip(bytes).enumerate() {
            let length = u8::try_from(*length).map_err(|_| EINVAL)?;
            let used = index < usize::from(strings.count);
            let fits = if used {
                (1..=STOP_BYTES).contains(&usize::from(length))
            } else {
                length == 0
            };
            if !fits || text.iter().skip(length.into()).any(|byte| *byte != 0) {
                return Err(EINVAL);
            }
            *strings.lengths.get_mut(index).ok_or(EINVAL)? = length;
        }
        Ok(strings)
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes
            .iter()
            .zip(&self.lengths)
            .take(self.count.into())
            .filter_map(|(bytes, length)| bytes.get(..usize::from(*length)))
    }
}

/// The tokens of a session that end a turn, beside the model's own.
#[derive(Clone, Copy)]
pub(crate) struct StopIds {
    ids: [u32; STOP_STRINGS],
    count: u32,
}

impl StopIds {
    /// None.
    pub(crate) const fn none() -> Self {
        Self {
            ids: [0; STOP_STRINGS],
            count: 0,
        }
    }

    /// `EINVAL` for too many, or for ids past their count.
    pub(crate) fn new(count: u32, ids: &[u32; STOP_STRINGS]) -> Result<Self> {
        let used = usize::try_from(count).map_err(|_| EINVAL)?;
        if used > STOP_STRINGS || ids.iter().skip(used).any(|id| *id != 0) {
            return Err(EINVAL);
        }
        Ok(Self { ids: *ids, count })
    }

    /// Whether all are tokens of a vocabulary of so many.
    pub(crate) fn fit(&self, vocabulary: u32) -> bool {
        self.iter().all(|id| id < vocabulary)
    }

    /// Whether `id` is one of them.
    pub(crate) fn contains(&self, id: u32) -> bool {
        self.iter().any(|stop| stop == id)
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.count).zip(self.ids).map(|(_, id)| id)
    }
}

/// Most bytes held back and then given at once.
pub(crate) const HELD_MAX: usize = TOKEN_BYTES_MAX + STOP_BYTES;

/// Text of a turn on its way to the reader; bytes that may begin a stop string are held back.
pub(crate) struct Filter {
    strings: StopStrings,
    held: Wiped<u8>,
}

impl Filter {
    /// For one turn.
    pub(crate) fn new(strings: StopStrings) -> Result<Self> {
        Ok(Self {
            strings,
            held: Wiped::with_capacity(HELD_MAX)?,
        })
    }

    /// Takes the text of a token, at most [`TOKEN_BYTES_MAX`] bytes, and gives what is decided to
    /// `give`. Whether a stop string has come: then the turn is over.
    pub(crate) fn push(&mut self, text: &[u8], give: impl FnOnce(&[u8])) -> bool {
        for byte in text {
            if self.held.push(*byte).is_err() {
                // Not reached: less than a stop string is kept between calls.
                break;
            }
        }
        let (decided, stopped) = self.decide();
        give(self.held.get(..decided).unwrap_or(&[]));
        self.drop_front(decided);
        if stopped {
            self.held.truncate(0);
        }
        stopped
    }

    /// Gives what is held back: the turn is over without a stop string.
    pub(crate) fn flush(&mut self, give: impl FnOnce(&[u8])) {
        give(&self.held);
        self.held.truncate(0);
    }

    /// Bytes that cannot be part of a stop string, and whether one comes right after them.
    fn decide(&self) -> (usize, bool) {
        let tails = || (0..self.held.len()).map(|start| self.held.get(start..).unwrap_or(&[]));
        let matches = |tail: &[u8]| self.strings.iter().any(|string| tail.starts_with(string));
        let begins = |tail: &[u8]| self.strings.iter().any(|string| string.starts_with(tail));
        if let Some(start) = tails().position(matches) {
            return (start, true);
        }
        (tails().position(begins).unwrap_or(self.held.len()), false)
    }

    fn drop_front(&mut self, count: usize) {
        let left = self.held.len().saturating_sub(count);
        for place in 0..left {
            let byte = self.held.get(place.saturating_add(count)).copied();
            if let (Some(to), Some(byte)) = (self.held.get_mut(place), byte) {
                *to = byte;
            }
        }
        self.held.truncate(left);
    }
}

#[kunit_tests(sislm_stop)]
mod tests {
    use super::*;

    fn strings(all: &[&[u8]]) -> Result<StopStrings> {
        let mut lengths = [0; STOP_STRINGS];
        let mut bytes = [[0; STOP_BYTES]; STOP_STRINGS];
        for ((length, to), from) in lengths.iter_mut().zip(&mut bytes).zip(all) {
            *length = from.len() as u32;
            for (to, from) in to.iter_mut().zip(*from) {
                *to = *from;
            }
        }
        StopStrings::new(all.len() as u32, &lengths, &bytes)
    }

    /// What comes out for pieces that go in, and whether it stopped.
    fn filter(all: &[&[u8]], pieces: &[&[u8]]) -> Result<(KVec<u8>, bool)> {
        let mut filter = Filter::new(strings(all)?)?;
        let mut out = KVec::new();
        let mut failed = false;
        for piece in pieces {
            let stopped = filter.push(piece, |text| {
                failed |= out.extend_from_slice(text, GFP_KERNEL).is_err();
            });
            if stopped {
                return Ok((out, true));
            }
        }
        filter.flush(|text| failed |= out.extend_from_slice(text, GFP_KERNEL).is_err());
        assert!(!failed);
        Ok((out, false))
    }

    #[test]
    fn without_strings_all_passes() -> Result {
        let (out, stopped) = filter(&[], &[b"one", b"", b" two"])?;
        assert_eq!(&*out, b"one two");
        assert!(!stopped);
        Ok(())
    }

    #[test]
    fn a_string_across_pieces_ends_the_text_before_it() -> Result {
        let (out, stopped) = filter(&[b"END"], &[b"a E", b"N", b"D b"])?;
        assert_eq!(&*out, b"a ");
        assert!(stopped);
        Ok(())
    }

    #[test]
    fn a_false_beginning_is_given_later() -> Result {
        let (out, stopped) = filter(&[b"END"], &[b"a E", b"NE", b"N"])?;
        assert_eq!(&*out, b"a ENEN");
        assert!(!stopped);
        Ok(())
    }

    #[test]
    fn the_first_of_several_strings_counts() -> Result {
        let (out, stopped) = filter(&[b"xaby", b"ab"], &[b"1xab", b"y"])?;
        assert_eq!(&*out, b"1x");
        assert!(stopped);
        Ok(())
    }

    #[test]
    fn only_given_ids_count() -> Result {
        let ids = StopIds::new(2, &[7, 0, 0, 0])?;
        assert!(ids.contains(7) && ids.contains(0) && !ids.contains(1));
        assert!(ids.fit(8) && !ids.fit(7));
        assert!(!StopIds::none().contains(0) && StopIds::none().fit(0));
        assert!(StopIds::new(1, &[7, 1, 0, 0]).is_err());
        assert!(StopIds::new(5, &[0; STOP_STRINGS]).is_err());
        Ok(())
    }

    #[test]
    fn unsound_strings_are_refused() -> Result {
        let bytes = [[0; STOP_BYTES]; STOP_STRINGS];
        assert!(StopStrings::new(1, &[0; STOP_STRINGS], &bytes).is_err());
        assert!(StopStrings::new(0, &[1, 0, 0, 0], &bytes).is_err());
        assert!(StopStrings::new(5, &[1; STOP_STRINGS], &bytes).is_err());
        let mut past_its_end = bytes;
        past_its_end[0][1] = b'x';
        assert!(StopStrings::new(1, &[1, 0, 0, 0], &past_its_end).is_err());
        Ok(())
    }
}
