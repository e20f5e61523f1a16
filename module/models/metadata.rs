// SPDX-License-Identifier: GPL-2.0
//! The strings of a model's metadata that are kept for programs: those of a fixed set of keys.

use crate::sys::{
    errno::ENODATA,
    memory::{Memory, Owner},
};
use kernel::prelude::*;

/// Longest string that is kept, in bytes.
const STRING_BYTES_MAX: usize = crate::sys::uapi::SISLM_METADATA_MAX as usize;

/// The keys.
const KEYS: [&[u8]; 16] = [
    b"tokenizer.chat_template",
    b"tokenizer.chat_template.tool_use",
    b"tokenizer.ggml.model",
    b"tokenizer.ggml.pre",
    b"general.architecture",
    b"general.name",
    b"general.basename",
    b"general.finetune",
    b"general.size_label",
    b"general.version",
    b"general.organization",
    b"general.author",
    b"general.description",
    b"general.license",
    b"general.license.link",
    b"general.url",
];

/// Where the string of a key is.
#[derive(Clone, Copy)]
enum Place {
    /// The file has none.
    Absent,
    /// It is longer than what is kept.
    TooLong,
    /// From this byte on, so many bytes.
    At(usize, usize),
}

/// The strings of a model.
pub(crate) struct Metadata {
    texts: Memory,
    places: [Place; KEYS.len()],
}

impl Metadata {
    /// Keeps what `find` finds of each key in the file. On the heap: the stack of a load is deep.
    #[inline(never)]
    pub(crate) fn new<'a, E: From<Error>>(
        mut find: impl FnMut(&[u8]) -> Result<Option<&'a [u8]>, E>,
    ) -> Result<KBox<Self>, E> {
        let mut found = [None; KEYS.len()];
        let mut places = [Place::Absent; KEYS.len()];
        let mut bytes = 0usize;
        for ((key, text), place) in KEYS.iter().zip(&mut found).zip(&mut places) {
            *text = find(key)?;
            *place = match text.map(<[u8]>::len) {
                None => Place::Absent,
                Some(length) if length > STRING_BYTES_MAX => Place::TooLong,
                Some(length) => {
                    let start = bytes;
                    bytes = bytes.saturating_add(length);
                    Place::At(start, length)
                }
            };
        }
        let mut texts = Memory::new(bytes, Owner::Model)?;
        for (text, place) in found.iter().zip(places) {
            if let (Some(text), Place::At(start, length)) = (text, place) {
                let to = texts.get_mut(start..start.saturating_add(length));
                to.ok_or(EINVAL)?.copy_from_slice(text);
            }
        }
        Ok(KBox::new(Self { texts, places }, GFP_KERNEL).map_err(Error::from)?)
    }

    /// The string of `key`. `EINVAL`: not one of the keys that are kept; `ENODATA`: the file has no such
    /// string; `EFBIG`: it is longer than what is kept.
    pub(crate) fn get(&self, key: &[u8]) -> Result<&[u8]> {
        let index = KEYS.iter().position(|kept| *kept == key).ok_or(EINVAL)?;
        match self.places.get(index) {
            Some(Place::At(start, length)) => {
                let text = self.texts.get(*start..start.saturating_add(*length));
                text.ok_or(EINVAL)
            }
            Some(Place::TooLong) => Err(EFBIG),
            _ => Err(ENODATA()),
        }
    }

    /// Whether a string was not kept for its length.
    pub(crate) fn is_incomplete(&self) -> bool {
        let too_long = |place: &Place| matches!(place, Place::TooLong);
        self.places.iter().any(too_long)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.texts.len() as u64
    }
}
