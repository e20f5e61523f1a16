// SPDX-License-Identifier: GPL-2.0
//! The shape of a model, from the metadata of its file.

use crate::abi::Limits;
use crate::gguf::Metadata;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::step::kv::KvLayout;

/// Most layers.
pub const LAYERS_MAX: u32 = 512;
/// Most columns of a matrix: a group of 16 rows in f32 fills a read.
const COLUMNS_MAX: u32 = 65_536;
/// Most positions of a context.
const CONTEXT_MAX: u32 = 1 << 20;
/// Most dimensions of a head.
const HEAD_SIZE_MAX: u32 = 1024;

/// What kind of transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Architecture {
    /// RMSNorm, rotary positions, SwiGLU; `SISLM_ARCH_LLAMA`.
    Llama = 1,
    /// LayerNorm, learned positions, GELU, biases; `SISLM_ARCH_GPT2`.
    Gpt2 = 2,
}

/// The shape of a model.
///
/// # Invariants
///
/// No number is 0 unless said; `heads` is a multiple of `kv_heads`; `heads * head_size` and all
/// widths are at most 65536.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Hyperparameters {
    /// Kind of transformer.
    pub architecture: Architecture,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub embedding: u32,
    /// Attention heads.
    pub heads: u32,
    /// Key and value heads.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
    /// Dimensions of a head that rotate, even; 0 with learned positions.
    pub rotated: u32,
    /// Width of the hidden layer of the feed-forward network.
    pub feed_forward: u32,
    /// Number of token ids.
    pub vocabulary: u32,
    /// Positions the model was made for.
    pub trained_context: u32,
    /// Most positions of a context here.
    pub context: u32,
    /// Added to the mean in norms.
    pub epsilon: f32,
    /// Base of the angles of rotation.
    pub rope_base: f32,
}

/// Keys of an architecture, for what is said of them.
#[derive(Clone, Copy)]
struct Keys {
    /// What they begin with.
    prefix: &'static [u8],
}

impl Keys {
    /// A refusal about the key that ends in `name`.
    fn refuse(self, reason: Reason, value: u32, name: &str) -> Refusal {
        let mut refusal = Refusal::new(reason, u64::from(value), b"");
        let text = self.prefix.iter().chain(name.as_bytes());
        for (to, from) in refusal.subject.iter_mut().take(63).zip(text) {
            *to = *from;
        }
        refusal
    }

    /// A required key.
    fn required<T>(self, value: Option<T>, name: &str) -> Result<T, Refusal> {
        value.ok_or(self.refuse(Reason::KeyMissing, 0, name))
    }

    /// Checks that `value` is in 1..=`most`.
    fn within(self, value: u32, most: u32, name: &str) -> Result<u32, Refusal> {
        self.check(value >= 1 && value <= most, value, name)?;
        Ok(value)
    }

    /// A required key with a value in 1..=`most`.
    fn number(self, value: Option<u32>, most: u32, name: &str) -> Result<u32, Refusal> {
        self.within(self.required(value, name)?, most, name)
    }

    /// Refuses `value` unless it `fits`.
    fn check(self, fits: bool, value: u32, name: &str) -> Result<(), Refusal> {
        if fits {
            Ok(())
        } else {
            Err(self.refuse(Reason::KeyValue, value, name))
        }
    }
}

impl Hyperparameters {
    /// The shape in `metadata`; `prefix` is the header.
    ///
    /// # Errors
    ///
    /// A key that is missing or out of range, or an architecture that is not known here.
    pub fn new(metadata: &Metadata, prefix: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        let general = Keys {
            prefix: b"general.",
        };
        let name = general
            .required(metadata.architecture, "architecture")?
            .of(prefix);
        let (architecture, keys) = match name {
            b"llama" => (Architecture::Llama, Keys { prefix: b"llama." }),
            b"gpt2" => (Architecture::Gpt2, Keys { prefix: b"gpt2." }),
            _ => return Err(general.refuse(Reason::Architecture, 0, "architecture")),
        };
        let layers = keys.number(metadata.block_count, LAYERS_MAX, "block_count")?;
        let embedding = keys.number(metadata.embedding_length, COLUMNS_MAX, "embedding_length")?;
        let heads = keys.number(metadata.head_count, embedding, "attention.head_count")?;
        let head_size = match metadata.key_length {
            Some(size) => size,
            None => {
                let whole = embedding.checked_rem(heads) == Some(0);
                keys.check(whole, heads, "attention.head_count")?;
                embedding.checked_div(heads).unwrap_or(0)
            }
        };
        let head_size = keys.within(head_size, HEAD_SIZE_MAX, "attention.key_length")?;
        let value_length = metadata.value_length.unwrap_or(head_size);
        keys.check(
            value_length == head_size,
            value_length,
            "attention.value_length",
        )?;
        keys.within(
            heads.saturating_mul(head_size),
            COLUMNS_MAX,
            "attention.head_count",
        )?;
        let kv_heads = metadata.head_count_kv.unwrap_or(heads);
        let kv_heads = keys.within(kv_heads, heads, "attention.head_count_kv")?;
        let whole = heads.checked_rem(kv_heads) == Some(0);
        keys.check(whole, kv_heads, "attention.head_count_kv")?;
        let trained_context =
            keys.number(metadata.context_length, CONTEXT_MAX, "context_length")?;
        let (epsilon, rotated) = match architecture {
            Architecture::Llama => {
                let rotated = metadata.rope_dimension_count.unwrap_or(head_size);
                let rotated = keys.within(rotated, head_size, "rope.dimension_count")?;
                let even = rotated.is_multiple_of(2) && head_size.is_multiple_of(2);
                keys.check(even, rotated, "rope.dimension_count")?;
                (
                    keys.required(metadata.rms_epsilon, "attention.layer_norm_rms_epsilon")?,
                    rotated,
                )
            }
            Architecture::Gpt2 => (
                keys.required(metadata.layer_norm_epsilon, "attention.layer_norm_epsilon")?,
                0,
            ),
        };
        let feed_forward = metadata.feed_forward_length;
        let feed_forward = keys.number(feed_forward, COLUMNS_MAX, "feed_forward_length")?;
        let tokenizer = Keys {
            prefix: b"tokenizer.ggml.",
        };
        let tokens = tokenizer
            .required(metadata.tokenizer.tokens, "tokens")?
            .count;
        let vocabulary = tokenizer.within(tokens, crate::tokenizer::TOKENS_MAX, "tokens")?;
        Ok(Hyperparameters {
            architecture,
            layers,
            embedding,
            heads,
            kv_heads,
            head_size,
            rotated,
            feed_forward,
            vocabulary,
            trained_context,
            context: trained_context.min(limits.context),
            epsilon,
            rope_base: metadata.rope_freq_base.unwrap_or(10_000.0),
        })
    }

    /// Columns of the queries and of the attention's result.
    pub fn query_columns(&self) -> u32 {
        self.heads.saturating_mul(self.head_size)
    }

    /// Columns of the keys, and of the values.
    pub fn kv_columns(&self) -> u32 {
        self.kv_heads.saturating_mul(self.head_size)
    }

    /// Layout of the KV blocks.
    pub fn kv_layout(&self) -> KvLayout {
        let Hyperparameters {
            layers,
            kv_heads,
            head_size,
            ..
        } = *self;
        KvLayout {
            layers,
            kv_heads,
            head_size,
        }
    }

    /// Heads that share keys and values.
    pub fn group(&self) -> u32 {
        self.heads.checked_div(self.kv_heads).unwrap_or(1)
    }
}
