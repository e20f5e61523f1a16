// SPDX-License-Identifier: GPL-2.0
//! The metadata keys of a parsed header, looked up by name: their order means nothing.

use super::cells::{self, Cell};
use super::hash::{hash, probes};
use super::value::Value;
use super::{Array, Cursor, Kind, Refusal, Span};

/// The keys of a header.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    prefix: &'a [u8],
    /// Offset of each key's length field, in the file's order, and of the end of the last value.
    starts: &'a [Cell],
    /// Hash table of names: the key's place in `starts` + 1.
    slots: &'a [Cell],
}

impl<'a> Keys<'a> {
    pub(crate) fn new(prefix: &'a [u8], starts: &'a [Cell], slots: &'a [Cell]) -> Self {
        Self {
            prefix,
            starts,
            slots,
        }
    }

    /// The file from its start, as far as it is in memory.
    pub fn prefix(&self) -> &'a [u8] {
        self.prefix
    }

    /// Name and value of key `index`, in the file's order; `None` past the last.
    pub(crate) fn at(&self, index: usize) -> Option<(&'a [u8], Value)> {
        let end = cells::get(self.starts, index.checked_add(1)?)?;
        let start = cells::get(self.starts, index)?;
        let mut cursor = Cursor::new(self.prefix, start as usize, u64::from(end));
        let name = cursor.string().ok()?;
        let value = Value::read(&mut cursor, name).ok()?;
        Some((name, value.closed(end)))
    }

    /// The value of key `name`.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Value> {
        for slot in probes(hash(name, 0), self.slots.len()) {
            let index = cells::get(self.slots, slot)?.checked_sub(1)?;
            if let Some((found, value)) = self.at(index as usize)
                && found == name
            {
                return Some(value);
            }
        }
        None
    }

    /// The value of key `name` as a 32-bit unsigned integer.
    ///
    /// # Errors
    /// A value of another type; likewise below.
    pub fn u32(&self, name: &[u8]) -> Result<Option<u32>, Refusal> {
        self.find(name).map(|value| value.u32(name)).transpose()
    }

    /// The value of key `name` as a 32-bit float.
    pub fn f32(&self, name: &[u8]) -> Result<Option<f32>, Refusal> {
        self.find(name).map(|value| value.f32(name)).transpose()
    }

    /// The value of key `name` as a truth value.
    pub fn bool(&self, name: &[u8]) -> Result<Option<bool>, Refusal> {
        self.find(name).map(|value| value.bool(name)).transpose()
    }

    /// The value of key `name` as a string.
    pub fn text(&self, name: &[u8]) -> Result<Option<&'a [u8]>, Refusal> {
        let span: Option<Span> = self
            .find(name)
            .map(|value| value.string(name))
            .transpose()?;
        Ok(span.map(|span| span.of(self.prefix)))
    }

    /// Where the string of key `name` is; `None` when it has none, or a value of another type.
    pub fn string(&self, name: &[u8]) -> Option<Span> {
        self.find(name)?.string(name).ok()
    }

    /// The value of key `name` as an array of one of `kinds`.
    pub fn array(&self, name: &[u8], kinds: &[Kind]) -> Result<Option<Array>, Refusal> {
        self.find(name)
            .map(|value| value.array(name, kinds))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Parsed, Writer, parse};
    use super::super::{Reason, hash::hash};
    use super::*;

    #[test]
    fn every_key_is_found_with_its_value() {
        let names: Vec<String> = (0..300).map(|number| format!("key.{number}")).collect();
        let mut writer = Writer::new().strings("texts", &[b"one", b"", b"three"]);
        for (number, name) in (0..).zip(&names) {
            writer = writer.u32(name, number);
        }
        let file = writer.text("last", "text").finish();
        let Parsed { parser, table } = parse(&file, 7).expect("a sound file");
        let keys = parser.keys(&file, &table).expect("the table");
        for (number, name) in (0..).zip(&names) {
            assert_eq!(keys.u32(name.as_bytes()), Ok(Some(number)));
        }
        let texts = keys.array(b"texts", &[Kind::String]).expect("strings");
        assert_eq!(texts.map(|texts| (texts.count, texts.bytes)), Some((3, 32)));
        assert_eq!(keys.text(b"last"), Ok(Some(&b"text"[..])));
        let span = keys.string(b"last").expect("a string");
        assert_eq!(span.of(&file), b"text");
        assert_eq!((keys.string(b"key.1"), keys.string(b"key")), (None, None));
        assert_eq!(keys.at(0).map(|(name, _)| name), Some(&b"texts"[..]));
        assert_eq!(keys.at(301).map(|(name, _)| name), Some(&b"last"[..]));
        assert!(keys.at(302).is_none() && keys.at(usize::MAX).is_none());
        for absent in [&b"key.300"[..], b"", b"key"] {
            assert_eq!(keys.u32(absent), Ok(None));
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let file = Writer::new().u32("number", 1).text("text", "1").finish();
        let Parsed { parser, table } = parse(&file, 100).expect("a sound file");
        let keys = parser.keys(&file, &table).expect("the table");
        let refused = |name| Refusal::new(Reason::KeyType, 0, name);
        assert_eq!(keys.u32(b"text"), Err(refused(b"text")));
        assert_eq!(keys.text(b"number"), Err(refused(b"number")));
        assert_eq!(keys.f32(b"number"), Err(refused(b"number")));
        assert_eq!(keys.bool(b"number"), Err(refused(b"number")));
        let array = keys.array(b"number", &[Kind::U32]);
        assert_eq!(array, Err(refused(b"number")));
    }

    #[test]
    fn names_in_one_slot_are_told_apart() {
        // 512 slots for 256 keys; all of these begin at slot 9.
        let names: Vec<String> = (0..)
            .map(|number| format!("k{number}"))
            .filter(|name| hash(name.as_bytes(), 0) >> 32 & 511 == 9)
            .take(61)
            .collect();
        let mut writer = Writer::new();
        for (number, name) in (0..).zip(&names[..60]) {
            writer = writer.u32(name, number);
        }
        for number in 0..196 {
            writer = writer.u32(&format!("other.{number}"), number);
        }
        let file = writer.finish();
        let Parsed { parser, table } = parse(&file, 100).expect("a sound file");
        let keys = parser.keys(&file, &table).expect("the table");
        for (number, name) in (0..).zip(&names[..60]) {
            assert_eq!(keys.u32(name.as_bytes()), Ok(Some(number)));
        }
        assert_eq!(keys.u32(names[60].as_bytes()), Ok(None));
    }
}
