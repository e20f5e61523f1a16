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
}

/// A refusal: the reason, a number that belongs to it, and the key or tensor it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub reason: Reason,
    /// Offset in the file, count, type or id, as the reason asks.
    pub detail: u64,
    /// Key or tensor, cut to fit, NUL-terminated; unprintable bytes are shown as `?`.
    pub subject: [u8; 64],
}

impl Refusal {
    /// Makes a refusal about `subject`.
    pub fn new(reason: Reason, detail: u64, subject: &[u8]) -> Self {
        let mut text = [0; 64];
        for (to, &byte) in text.iter_mut().take(63).zip(subject) {
            *to = if matches!(byte, b' '..=b'~') {
                byte
            } else {
                b'?'
            };
        }
        Self {
            reason,
            detail,
            subject: text,
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
    }
}
