// SPDX-License-Identifier: GPL-2.0
//! Metadata values and their types.

use super::{Array, Cursor, Reason, Refusal, Span, Stop};

/// Type of a metadata value, by its number in the file.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it all")]
pub enum Kind {
    U8 = 0,
    I8 = 1,
    U16 = 2,
    I16 = 3,
    U32 = 4,
    I32 = 5,
    F32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    U64 = 10,
    I64 = 11,
    F64 = 12,
}

impl Kind {
    /// The kind of this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            8 => Self::String,
            9 => Self::Array,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of a value; `None` for strings and arrays.
    pub fn bytes(self) -> Option<u64> {
        match self {
            Self::U8 | Self::I8 | Self::Bool => Some(1),
            Self::U16 | Self::I16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::String | Self::Array => None,
        }
    }

    fn read(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<Self, Stop> {
        let number = cursor.u32()?;
        Self::from_number(number).ok_or_else(|| refused(Reason::Malformed, u64::from(number), key))
    }
}

/// A metadata value, as far as this program has a use for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    String(Span),
    /// An integer of another size.
    Integer(i64),
    /// Elements of a fixed size are behind the cursor, strings before it: its `bytes` are then 0.
    Array(Array),
    /// A type that no known key has.
    Other,
}

impl Value {
    /// Reads the type and value of `key`; of an array of strings, up to its first element.
    pub(crate) fn read(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<Self, Stop> {
        match Kind::read(cursor, key)? {
            Kind::U32 => Ok(Self::U32(cursor.u32()?)),
            Kind::F32 => Ok(Self::F32(f32::from_bits(cursor.u32()?))),
            Kind::Bool => match cursor.array()? {
                [0] => Ok(Self::Bool(false)),
                [1] => Ok(Self::Bool(true)),
                [byte] => Err(refused(Reason::Malformed, u64::from(byte), key)),
            },
            Kind::String => {
                let length = cursor.u64()?;
                let offset = cursor.at();
                cursor.bytes(length)?;
                Ok(Self::String(Span::new(offset, length)))
            }
            Kind::Array => Self::read_array(cursor, key),
            Kind::F64 => {
                cursor.u64()?;
                Ok(Self::Other)
            }
            integer => {
                let bytes = cursor.bytes(integer.bytes().unwrap_or_default())?;
                Ok(integer_of(integer, bytes).map_or(Self::Other, Self::Integer))
            }
        }
    }

    /// The value with the end of its bytes filled in, which is only known of the whole header.
    pub(crate) fn closed(self, end: u32) -> Self {
        match self {
            Self::Array(array) if array.kind == Kind::String => Self::Array(Array {
                bytes: end.saturating_sub(array.offset),
                ..array
            }),
            other => other,
        }
    }

    /// The value as a number; `None` when it is none.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::U32(number) => Some(f64::from(number)),
            Self::Integer(number) => Some(number as f64),
            Self::F32(number) => Some(f64::from(number)),
            _ => None,
        }
    }

    /// A refusal of the key `key` that shows its value; `prefix` is the file from its start.
    pub(crate) fn refuse(self, reason: Reason, key: &[u8], prefix: &[u8]) -> Refusal {
        match self {
            Self::U32(number) => Refusal::new(reason, u64::from(number), key),
            Self::Integer(number) => Refusal::new(reason, number.cast_unsigned(), key),
            Self::Bool(truth) => Refusal::new(reason, u64::from(truth), key),
            Self::F32(number) => Refusal::of_float(reason, number, key),
            Self::String(text) => Refusal::of_text(reason, text.of(prefix), key),
            Self::Array(array) => Refusal::new(reason, u64::from(array.count), key),
            Self::Other => Refusal::new(reason, 0, key),
        }
    }

    #[inline(never)]
    fn read_array(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<Self, Stop> {
        let kind = Kind::read(cursor, key)?;
        let count = cursor.u64()?;
        let offset = cursor.at();
        let too_many = || refused(Reason::Count, count, key);
        let bytes = match kind {
            Kind::Array => return Err(refused(Reason::Malformed, 9, key)),
            Kind::String => 0,
            fixed => fixed
                .bytes()
                .and_then(|size| size.checked_mul(count))
                .ok_or_else(too_many)?,
        };
        cursor.bytes(bytes)?;
        let count = u32::try_from(count).map_err(|_| too_many())?;
        let Span { offset, length } = Span::new(offset, bytes);
        Ok(Self::Array(Array {
            kind,
            count,
            offset,
            bytes: length,
        }))
    }

    /// The value, when it is a 32-bit unsigned integer.
    pub(crate) fn u32(self, key: &[u8]) -> Result<u32, Refusal> {
        if let Self::U32(number) = self {
            Ok(number)
        } else {
            Err(wrong_type(key))
        }
    }

    /// The value, when it is a 32-bit float.
    pub(crate) fn f32(self, key: &[u8]) -> Result<f32, Refusal> {
        if let Self::F32(number) = self {
            Ok(number)
        } else {
            Err(wrong_type(key))
        }
    }

    /// The value, when it is a truth value.
    pub(crate) fn bool(self, key: &[u8]) -> Result<bool, Refusal> {
        if let Self::Bool(truth) = self {
            Ok(truth)
        } else {
            Err(wrong_type(key))
        }
    }

    /// The value, when it is a string.
    pub(crate) fn string(self, key: &[u8]) -> Result<Span, Refusal> {
        if let Self::String(span) = self {
            Ok(span)
        } else {
            Err(wrong_type(key))
        }
    }

    /// The value, when it is an array of one of `kinds`.
    pub(crate) fn array(self, key: &[u8], kinds: &[Kind]) -> Result<Array, Refusal> {
        match self {
            Self::Array(array) if kinds.contains(&array.kind) => Ok(array),
            _ => Err(wrong_type(key)),
        }
    }
}

/// The refusal of a key whose value cannot be read. On its own, as it is large and rare.
#[cold]
#[inline(never)]
fn refused(reason: Reason, detail: u64, key: &[u8]) -> Stop {
    Refusal::new(reason, detail, key).into()
}

/// The integer in `bytes`; `None` when it is 2^63 or more.
// CAST: `bytes` are as many as the type has; above them are zeros.
#[expect(clippy::cast_possible_truncation)]
fn integer_of(kind: Kind, bytes: &[u8]) -> Option<i64> {
    let mut word = [0; 8];
    word.get_mut(..bytes.len())?.copy_from_slice(bytes);
    let number = u64::from_le_bytes(word);
    match kind {
        Kind::I8 => Some(i64::from(number as i8)),
        Kind::I16 => Some(i64::from(number as i16)),
        Kind::I32 => Some(i64::from(number as i32)),
        Kind::I64 => Some(number.cast_signed()),
        _ => i64::try_from(number).ok(),
    }
}

fn wrong_type(key: &[u8]) -> Refusal {
    Refusal::new(Reason::KeyType, 0, key)
}

#[cfg(test)]
mod tests {
    use super::super::Detail;
    use super::*;

    fn read(kind: Kind, bytes: &[u8]) -> Value {
        let bytes = [&(kind as u32).to_le_bytes()[..], bytes].concat();
        let mut cursor = Cursor::new(&bytes, 0, bytes.len() as u64);
        Value::read(&mut cursor, b"k").expect("a value")
    }

    #[test]
    fn integers_of_every_size_are_read() {
        assert_eq!(read(Kind::U8, &[200]), Value::Integer(200));
        assert_eq!(read(Kind::I8, &[200]), Value::Integer(-56));
        assert_eq!(read(Kind::U16, &[2, 1]), Value::Integer(258));
        assert_eq!(read(Kind::I16, &[255; 2]), Value::Integer(-1));
        assert_eq!(read(Kind::I32, &[254, 255, 255, 255]), Value::Integer(-2));
        assert_eq!(read(Kind::I64, &[255; 8]), Value::Integer(-1));
        assert_eq!(read(Kind::U64, &[255; 8]), Value::Other);
        assert_eq!(
            read(Kind::U64, &[1, 0, 0, 0, 0, 0, 0, 1]),
            Value::Integer((1 << 56) + 1)
        );
        assert_eq!(read(Kind::U32, &[255; 4]), Value::U32(u32::MAX));
        assert_eq!(read(Kind::F64, &[0; 8]), Value::Other);
    }

    #[test]
    fn a_refusal_shows_the_value() {
        let refuse = |value: Value| value.refuse(Reason::Unsupported, b"k", b"yarn");
        assert_eq!(refuse(Value::U32(8)).detail, 8);
        let scale = refuse(Value::F32(4.0));
        assert_eq!((scale.kind, scale.detail), (Detail::Float, 0x4080_0000));
        let text = Span {
            offset: 0,
            length: 4,
        };
        let text = refuse(Value::String(text));
        assert_eq!(
            (text.kind, &text.value[..5]),
            (Detail::Text, &b"yarn\0"[..])
        );
    }
}
