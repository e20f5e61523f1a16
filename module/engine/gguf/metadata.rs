// SPDX-License-Identifier: GPL-2.0
//! The metadata that this program has a use for, kept while the header is parsed.

use super::value::Value;
use super::{Kind, Reason, Refusal};

/// A piece of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset from the start of the file.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

impl Span {
    /// The piece's bytes, `prefix` being the start of the file; empty when they are not in it.
    pub fn of(self, prefix: &[u8]) -> &[u8] {
        let rest = prefix.get(self.offset as usize..).unwrap_or_default();
        rest.get(..self.length as usize).unwrap_or_default()
    }
}

/// An array in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    /// Type of the elements, never an array.
    pub kind: Kind,
    /// Number of elements.
    pub count: u32,
    /// Offset of the first element from the start of the file.
    pub offset: u32,
    /// Bytes of all elements; of strings: with the length before each.
    pub bytes: u32,
}

impl Array {
    /// The elements' bytes, `prefix` being the start of the file; empty when they are not in it.
    pub fn of(self, prefix: &[u8]) -> &[u8] {
        Span {
            offset: self.offset,
            length: self.bytes,
        }
        .of(prefix)
    }
}

/// `tokenizer.ggml.*`, as the file has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TokenizerKeys {
    /// `model`.
    pub model: Option<Span>,
    /// `pre`: the pre-tokenizer.
    pub pre: Option<Span>,
    /// `tokens`: strings.
    pub tokens: Option<Array>,
    /// `scores`: f32.
    pub scores: Option<Array>,
    /// `token_type`: i32 or u32.
    pub token_type: Option<Array>,
    /// `merges`: strings.
    pub merges: Option<Array>,
    /// `bos_token_id`.
    pub bos: Option<u32>,
    /// `eos_token_id`.
    pub eos: Option<u32>,
    /// `unknown_token_id`.
    pub unknown: Option<u32>,
    /// `add_bos_token`.
    pub add_bos: Option<bool>,
    /// `add_space_prefix`.
    pub add_space_prefix: Option<bool>,
}

/// Known metadata; keys marked `{arch}` are those of `general.architecture`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metadata {
    /// `general.architecture`.
    pub architecture: Option<Span>,
    /// `general.name`.
    pub name: Option<Span>,
    /// `general.alignment`: a power of two, 8 to 65536.
    pub alignment: Option<u32>,
    /// `general.file_type`.
    pub file_type: Option<u32>,
    /// `{arch}.context_length`.
    pub context_length: Option<u32>,
    /// `{arch}.embedding_length`.
    pub embedding_length: Option<u32>,
    /// `{arch}.block_count`.
    pub block_count: Option<u32>,
    /// `{arch}.feed_forward_length`.
    pub feed_forward_length: Option<u32>,
    /// `{arch}.attention.head_count`.
    pub head_count: Option<u32>,
    /// `{arch}.attention.head_count_kv`.
    pub head_count_kv: Option<u32>,
    /// `{arch}.attention.key_length`.
    pub key_length: Option<u32>,
    /// `{arch}.attention.value_length`.
    pub value_length: Option<u32>,
    /// `{arch}.attention.layer_norm_rms_epsilon`: finite, not negative.
    pub rms_epsilon: Option<f32>,
    /// `{arch}.attention.layer_norm_epsilon`: finite, not negative.
    pub layer_norm_epsilon: Option<f32>,
    /// `{arch}.rope.dimension_count`.
    pub rope_dimension_count: Option<u32>,
    /// `{arch}.rope.freq_base`: finite, positive.
    pub rope_freq_base: Option<f32>,
    /// `{arch}.vocab_size`.
    pub vocab_size: Option<u32>,
    /// `tokenizer.ggml.*`.
    pub tokenizer: TokenizerKeys,
}

/// The arrays of strings whose end is filled in when the parser has walked over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strings {
    /// `tokenizer.ggml.tokens`.
    Tokens,
    /// `tokenizer.ggml.merges`.
    Merges,
    /// Any other.
    Unknown,
}

impl Metadata {
    /// Keeps `value` if `key` is known. Keys of an architecture are known once that is.
    pub(crate) fn keep(&mut self, key: &[u8], value: Value, prefix: &[u8]) -> Result<(), Refusal> {
        if let Some(rest) = key.strip_prefix(b"tokenizer.ggml.") {
            return self.tokenizer.keep(rest, key, value);
        }
        match key {
            b"general.architecture" => self.architecture = Some(value.string(key)?),
            b"general.name" => self.name = Some(value.string(key)?),
            b"general.file_type" => self.file_type = Some(value.u32(key)?),
            b"general.alignment" => {
                let alignment = value.u32(key)?;
                let fits = alignment.is_power_of_two() && matches!(alignment, 8..=65536);
                self.alignment = Some(in_range(alignment, fits, u64::from(alignment), key)?);
            }
            _ => return self.keep_of_architecture(key, value, prefix),
        }
        Ok(())
    }

    fn keep_of_architecture(
        &mut self,
        key: &[u8],
        value: Value,
        prefix: &[u8],
    ) -> Result<(), Refusal> {
        let name = self.architecture.unwrap_or_default().of(prefix);
        let suffix = key
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(b"."));
        let Some(suffix) = suffix else {
            return self.expect_architecture(key);
        };
        match suffix {
            b"context_length" => self.context_length = Some(value.u32(key)?),
            b"embedding_length" => self.embedding_length = Some(value.u32(key)?),
            b"block_count" => self.block_count = Some(value.u32(key)?),
            b"feed_forward_length" => self.feed_forward_length = Some(value.u32(key)?),
            b"attention.head_count" => self.head_count = Some(value.u32(key)?),
            b"attention.head_count_kv" => self.head_count_kv = Some(value.u32(key)?),
            b"attention.key_length" => self.key_length = Some(value.u32(key)?),
            b"attention.value_length" => self.value_length = Some(value.u32(key)?),
            b"attention.layer_norm_rms_epsilon" => self.rms_epsilon = Some(epsilon(value, key)?),
            b"attention.layer_norm_epsilon" => self.layer_norm_epsilon = Some(epsilon(value, key)?),
            b"rope.dimension_count" => self.rope_dimension_count = Some(value.u32(key)?),
            b"rope.freq_base" => {
                let base = value.f32(key)?;
                let fits = base.is_finite() && base > 0.0;
                self.rope_freq_base = Some(in_range(base, fits, u64::from(base.to_bits()), key)?);
            }
            b"vocab_size" => self.vocab_size = Some(value.u32(key)?),
            _ => refuse_other_mathematics(suffix, key, value, prefix)?,
        }
        Ok(())
    }

    /// Refuses keys that would have been known, had `general.architecture` come before them.
    fn expect_architecture(&self, key: &[u8]) -> Result<(), Refusal> {
        let late = self.architecture.is_none()
            && (key.ends_with(b".context_length") || key.ends_with(b".embedding_length"));
        if late {
            return Err(Refusal::new(Reason::KeyMissing, 0, b"general.architecture"));
        }
        Ok(())
    }

    /// Which array of strings `key` is.
    pub(crate) fn strings(key: &[u8]) -> Strings {
        match key {
            b"tokenizer.ggml.tokens" => Strings::Tokens,
            b"tokenizer.ggml.merges" => Strings::Merges,
            _ => Strings::Unknown,
        }
    }

    /// Fills in the end of an array of strings.
    pub(crate) fn close(&mut self, strings: Strings, end: usize) {
        let array = match strings {
            Strings::Tokens => &mut self.tokenizer.tokens,
            Strings::Merges => &mut self.tokenizer.merges,
            Strings::Unknown => return,
        };
        if let Some(array) = array {
            array.bytes = (end as u32).saturating_sub(array.offset);
        }
    }
}

impl TokenizerKeys {
    /// Keeps `value`, `name` being `key` without its prefix.
    fn keep(&mut self, name: &[u8], key: &[u8], value: Value) -> Result<(), Refusal> {
        match name {
            b"model" => self.model = Some(value.string(key)?),
            b"pre" => self.pre = Some(value.string(key)?),
            b"tokens" => self.tokens = Some(value.array(key, &[Kind::String])?),
            b"scores" => self.scores = Some(value.array(key, &[Kind::F32])?),
            b"token_type" => self.token_type = Some(value.array(key, &[Kind::I32, Kind::U32])?),
            b"merges" => self.merges = Some(value.array(key, &[Kind::String])?),
            b"bos_token_id" => self.bos = Some(value.u32(key)?),
            b"eos_token_id" => self.eos = Some(value.u32(key)?),
            b"unknown_token_id" => self.unknown = Some(value.u32(key)?),
            b"add_bos_token" => self.add_bos = Some(value.bool(key)?),
            b"add_space_prefix" => self.add_space_prefix = Some(value.bool(key)?),
            _ => {}
        }
        Ok(())
    }
}

fn in_range<T>(value: T, fits: bool, detail: u64, key: &[u8]) -> Result<T, Refusal> {
    if fits {
        Ok(value)
    } else {
        Err(Refusal::new(Reason::KeyValue, detail, key))
    }
}

fn epsilon(value: Value, key: &[u8]) -> Result<f32, Refusal> {
    let epsilon = value.f32(key)?;
    let fits = epsilon.is_finite() && epsilon >= 0.0;
    in_range(epsilon, fits, u64::from(epsilon.to_bits()), key)
}

/// Keys that change what a model computes are refused unless they change nothing: ignoring them
/// would give wrong answers without a word.
fn refuse_other_mathematics(
    suffix: &[u8],
    key: &[u8],
    value: Value,
    prefix: &[u8],
) -> Result<(), Refusal> {
    let neutral = match suffix {
        b"rope.scaling.type" => {
            matches!(value.string(key)?.of(prefix), b"none" | b"linear")
        }
        b"rope.scaling.factor" | b"rope.scale_linear" => matches!(value.f32(key)?, 0.0 | 1.0),
        b"rope.scaling.attn_factor" => value.f32(key)? == 1.0,
        b"attention.scale" => value.f32(key)? == 0.0,
        b"attention.causal" => value.bool(key)?,
        b"expert_count" => value.u32(key)? == 0,
        _ => true,
    };
    in_range((), neutral, 0, key)
}
