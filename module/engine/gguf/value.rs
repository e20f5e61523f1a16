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
        let unknown = Refusal::new(Reason::Malformed, u64::from(number), key);
        Ok(Self::from_number(number).ok_or(unknown)?)
    }
}

/// A metadata value, as far as this program has a use for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    U32(u32),
    F32(f32),
    Bool(bool),
    String(Span),
    /// Elements of a fixed size are behind the cursor, strings before it: its `bytes` are then 0.
    Array(Array),
    /// A type that no known key has.
    Other,
}

impl Value {
    /// Reads the type and value of `key`; of an array of strings, up to its first element.
    pub(crate) fn read(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<Self, Stop> {
        match Kind::read(cursor, key)? {
            Kind::U32 => cursor.u32().map(Self::U32),
            Kind::F32 => cursor.u32().map(|bits| Self::F32(f32::from_bits(bits))),
            Kind::Bool => match cursor.array()? {
                [0] => Ok(Self::Bool(false)),
                [1] => Ok(Self::Bool(true)),
                [byte] => Err(Refusal::new(Reason::Malformed, u64::from(byte), key).into()),
            },
            Kind::String => {
                let length = cursor.u64()?;
                let offset = cursor.at();
                cursor.bytes(length)?;
                Ok(Self::String(Span {
                    offset: offset as u32,
                    length: length as u32,
                }))
            }
            Kind::Array => Self::read_array(cursor, key),
            other => {
                cursor.bytes(other.bytes().unwrap_or_default())?;
                Ok(Self::Other)
            }
        }
    }

    fn read_array(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<Self, Stop> {
        let kind = Kind::read(cursor, key)?;
        let count = cursor.u64()?;
        let offset = cursor.at();
        let too_many = Refusal::new(Reason::Count, count, key);
        let bytes = match kind {
            Kind::Array => return Err(Refusal::new(Reason::Malformed, 9, key).into()),
            Kind::String => 0,
            fixed => fixed
                .bytes()
                .and_then(|size| size.checked_mul(count))
                .ok_or(too_many)?,
        };
        cursor.bytes(bytes)?;
        let count = u32::try_from(count).map_err(|_| too_many)?;
        Ok(Self::Array(Array {
            kind,
            count,
            offset: offset as u32,
            bytes: bytes as u32,
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

fn wrong_type(key: &[u8]) -> Refusal {
    Refusal::new(Reason::KeyType, 0, key)
}
