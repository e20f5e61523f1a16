// SPDX-License-Identifier: GPL-2.0
//! Why a model is refused.

/// `SISLM_LOAD_*` of the UAPI header, by number.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The magic is not `GGUF`.
    NotGguf = 1,
    /// The version is not 2 or 3, or the file is big-endian.
    Version = 2,
    /// The file ends before its contents.
    Truncated = 3,
    /// The structure of the header.
    Malformed = 4,
    /// A count or length over its cap.
    Count = 5,
    /// A required metadata key is missing.
    KeyMissing = 6,
    /// A metadata key has the wrong type.
    KeyType = 7,
    /// A metadata value is out of range.
    KeyValue = 8,
    /// Not a supported architecture.
    Architecture = 9,
    /// Not a supported tokenizer.
    Tokenizer = 10,
    /// A tensor is missing.
    TensorMissing = 11,
    /// A weight format that is not supported.
    TensorType = 12,
    /// A tensor of another shape than the metadata say.
    TensorShape = 13,
    /// A tensor outside the file, misaligned, or overlapping another.
    TensorBounds = 14,
    /// Two tensors of one name.
    TensorDuplicate = 15,
    /// A weight or scale that is infinite or not a number.
    NotFinite = 16,
    /// Over a limit set with a module parameter.
    Limit = 17,
    /// An inconsistent vocabulary.
    Vocabulary = 18,
    /// A metadata key or tensor that asks for mathematics which are not here.
    Unsupported = 19,
    /// One part of a split model.
    Split = 20,
    /// A tensor that no model of the architecture has.
    TensorUnknown = 21,
    /// A norm or bias in a format that is not supported for these.
    VectorType = 22,
    /// An adapter of something else.
    Adapter = 23,
}

/// How [`Refusal::detail`] is to be read, by its `SISLM_DETAIL_*` number.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A number.
    Number = 0,
    /// The bits of an f32.
    Float = 1,
    /// Not at all: [`Refusal::value`] holds a text.
    Text = 2,
}

/// A refusal: the reason, a number that belongs to it, and the key or tensor it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// How `detail` is to be read.
    pub kind: Detail,
    /// Offset in the file, count, type, id or value, as the reason asks.
    pub detail: u64,
    /// Key or tensor, cut to fit, NUL-terminated; unprintable bytes are shown as `?`.
    pub subject: [u8; 64],
    /// The text that a metadata key has, cut and shown likewise.
    pub value: [u8; 32],
}

/// `text` as far as it fits with a NUL after it; unprintable bytes become `?`.
pub(crate) fn printable<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, &byte) in out.iter_mut().take(N.saturating_sub(1)).zip(text) {
        *to = if matches!(byte, b' '..=b'~') {
            byte
        } else {
            b'?'
        };
    }
    out
}

impl Refusal {
    /// Makes a refusal about `subject`.
    pub fn new(reason: Reason, detail: u64, subject: &[u8]) -> Self {
        Self {
            reason,
            kind: Detail::Number,
            detail,
            subject: printable(subject),
            value: [0; 32],
        }
    }

    /// A refusal about `subject`, whose value is `value`.
    pub fn of_float(reason: Reason, value: f32, subject: &[u8]) -> Self {
        Self {
            kind: Detail::Float,
            ..Self::new(reason, u64::from(value.to_bits()), subject)
        }
    }

    /// A refusal about `subject`, whose value is `value`.
    pub fn of_text(reason: Reason, value: &[u8], subject: &[u8]) -> Self {
        Self {
            kind: Detail::Text,
            value: printable(value),
            ..Self::new(reason, 0, subject)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_cut_and_printable() {
        let refusal = Refusal::new(Reason::Count, 7, &[b'a'; 100]);
        assert_eq!(refusal.subject[62..], [b'a', 0]);
        let refusal = Refusal::new(Reason::Count, 7, b"\x1b[2J\n");
        assert_eq!(&refusal.subject[..6], b"?[2J?\0");
        let refusal = Refusal::of_text(Reason::Tokenizer, "smöl".as_bytes(), b"k");
        assert_eq!(&refusal.value[..6], b"sm??l\0");
        let refusal = Refusal::of_text(Reason::Tokenizer, &[b'x'; 99], b"k");
        assert_eq!(refusal.value[30..], [b'x', 0]);
    }
}
