// SPDX-License-Identifier: GPL-2.0
//! What a tensor is for, by its name in a GGUF file.

/// A part of the model that one tensor holds.
#[repr(u16)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Token embeddings: (embedding, vocabulary).
    TokenEmbedding,
    /// Learned positions of gpt2: (embedding, context).
    PositionEmbedding,
    /// Weight of the last norm: (embedding).
    OutputNorm,
    /// Its bias.
    OutputNormBias,
    /// Head: (embedding, vocabulary); without it the token embeddings serve.
    Output,
    /// Weight of the norm before attention: (embedding).
    AttentionNorm,
    /// Its bias.
    AttentionNormBias,
    /// Query, key and value as one tensor: (embedding, heads + 2 kv_heads).
    QueryKeyValue,
    /// Its bias.
    QueryKeyValueBias,
    /// Query projection: (embedding, heads * head size).
    Query,
    /// Its bias.
    QueryBias,
    /// Key projection: (embedding, kv_heads * head size).
    Key,
    /// Its bias.
    KeyBias,
    /// Value projection: (embedding, kv_heads * head size).
    Value,
    /// Its bias.
    ValueBias,
    /// Projection after attention: (heads * head size, embedding).
    AttentionOutput,
    /// Its bias.
    AttentionOutputBias,
    /// Weight of the norm before the feed-forward layer: (embedding).
    FeedForwardNorm,
    /// Its bias.
    FeedForwardNormBias,
    /// Gate projection: (embedding, feed_forward).
    Gate,
    /// Its bias.
    GateBias,
    /// Up projection: (embedding, feed_forward).
    Up,
    /// Its bias.
    UpBias,
    /// Down projection: (feed_forward, embedding).
    Down,
    /// Its bias.
    DownBias,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 25] = {
        let mut all = [Part::TokenEmbedding; 25];
        let mut index = 0;
        while index < OF_MODEL.len() {
            all[index] = OF_MODEL[index].1;
            index += 1;
        }
        while index < all.len() {
            all[index] = OF_LAYER[index - OF_MODEL.len()].1;
            index += 1;
        }
        all
    };

    /// Whether each layer has one.
    pub fn is_of_layer(self) -> bool {
        OF_MODEL.iter().all(|(_, part)| *part != self)
    }
}

/// A part and the layer it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The part.
    pub part: Part,
    /// The layer; 0 for parts of the whole model.
    pub layer: u16,
}

/// Names of the parts of the whole model.
const OF_MODEL: [(&[u8], Part); 5] = [
    (b"token_embd.weight", Part::TokenEmbedding),
    (b"position_embd.weight", Part::PositionEmbedding),
    (b"output_norm.weight", Part::OutputNorm),
    (b"output_norm.bias", Part::OutputNormBias),
    (b"output.weight", Part::Output),
];

/// Names of the parts of a layer, after `blk.N.`.
const OF_LAYER: [(&[u8], Part); 20] = [
    (b"attn_norm.weight", Part::AttentionNorm),
    (b"attn_norm.bias", Part::AttentionNormBias),
    (b"attn_qkv.weight", Part::QueryKeyValue),
    (b"attn_qkv.bias", Part::QueryKeyValueBias),
    (b"attn_q.weight", Part::Query),
    (b"attn_q.bias", Part::QueryBias),
    (b"attn_k.weight", Part::Key),
    (b"attn_k.bias", Part::KeyBias),
    (b"attn_v.weight", Part::Value),
    (b"attn_v.bias", Part::ValueBias),
    (b"attn_output.weight", Part::AttentionOutput),
    (b"attn_output.bias", Part::AttentionOutputBias),
    (b"ffn_norm.weight", Part::FeedForwardNorm),
    (b"ffn_norm.bias", Part::FeedForwardNormBias),
    (b"ffn_gate.weight", Part::Gate),
    (b"ffn_gate.bias", Part::GateBias),
    (b"ffn_up.weight", Part::Up),
    (b"ffn_up.bias", Part::UpBias),
    (b"ffn_down.weight", Part::Down),
    (b"ffn_down.bias", Part::DownBias),
];

/// Prefix of the parts of a layer.
const LAYER: &[u8] = b"blk.";

impl Role {
    /// The role of tensor `name`; `None` when it has none here. A layer's number has one spelling,
    /// so two tensors never have the same role unless they have the same name.
    pub fn of(name: &[u8]) -> Option<Role> {
        if let Some((_, part)) = OF_MODEL.iter().find(|(text, _)| *text == name) {
            return Some(Role {
                part: *part,
                layer: 0,
            });
        }
        let rest = name.strip_prefix(LAYER)?;
        let (layer, rest) = number(rest)?;
        let rest = rest.strip_prefix(b".")?;
        let (_, part) = OF_LAYER.iter().find(|(text, _)| *text == rest)?;
        Some(Role { part: *part, layer })
    }

    /// Writes the tensor's name, NUL-terminated.
    pub fn write(self, out: &mut [u8; 64]) {
        *out = [0; 64];
        let mut end = out.iter_mut().take(63);
        let mut put = |text: &[u8]| {
            for (from, to) in text.iter().zip(end.by_ref()) {
                *to = *from;
            }
        };
        if let Some((text, _)) = OF_MODEL.iter().find(|(_, part)| *part == self.part) {
            return put(text);
        }
        put(LAYER);
        let digits = [10_000, 1_000, 100, 10, 1].map(|unit| b'0' + (self.layer / unit % 10) as u8);
        let zeros = digits
            .iter()
            .take(4)
            .take_while(|&&digit| digit == b'0')
            .count();
        put(digits.get(zeros..).unwrap_or(&[]));
        put(b".");
        if let Some((text, _)) = OF_LAYER.iter().find(|(_, part)| *part == self.part) {
            put(text);
        }
    }
}

/// A decimal number without leading zeros, and what follows it.
fn number(text: &[u8]) -> Option<(u16, &[u8])> {
    let length = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    if digits.len() > 1 && digits.starts_with(b"0") {
        return None;
    }
    let value = digits.iter().try_fold(0u16, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u16::from(digit.wrapping_sub(b'0')))
    })?;
    (length > 0).then_some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(role: Role) -> Vec<u8> {
        let mut text = [1; 64];
        role.write(&mut text);
        text.iter().copied().take_while(|&c| c != 0).collect()
    }

    #[test]
    fn every_name_is_read_and_written() {
        for (name, part) in OF_MODEL {
            assert_eq!(Role::of(name), Some(Role { part, layer: 0 }));
            assert_eq!(written(Role { part, layer: 0 }), name);
        }
        for (text, part) in OF_LAYER {
            for layer in [0, 7, 10, 511, 65535] {
                let name = [format!("blk.{layer}.").as_bytes(), text].concat();
                assert_eq!(Role::of(&name), Some(Role { part, layer }));
                assert_eq!(written(Role { part, layer }), name);
            }
        }
    }

    #[test]
    fn other_names_have_no_role() {
        for name in [
            "",
            "blk.",
            "blk.0",
            "blk.0.",
            "blk..attn_q.weight",
            "blk.00.attn_q.weight",
        ] {
            assert_eq!(Role::of(name.as_bytes()), None, "{name}");
        }
        for name in [
            "blk.65536.attn_q.weight",
            "blk.-1.attn_q.weight",
            "rope_freqs.weight",
        ] {
            assert_eq!(Role::of(name.as_bytes()), None, "{name}");
        }
    }
}
