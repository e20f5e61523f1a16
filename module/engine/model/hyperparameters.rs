// SPDX-License-Identifier: GPL-2.0
//! The shape of a model, from the metadata of its file.

use crate::abi::Limits;
use crate::abi::note;
use crate::gguf::Kind;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::keys::ModelKeys;
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

impl Architecture {
    /// Its name in `general.architecture`.
    pub fn name(self) -> &'static [u8] {
        match self {
            Self::Llama => b"llama",
            Self::Gpt2 => b"gpt2",
        }
    }
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

/// A key of the architecture with a number in 1..=`most`.
struct Range {
    suffix: &'static [u8],
    most: u32,
}

impl Range {
    /// The key that ends in `suffix`.
    fn new(suffix: &'static [u8], most: u32) -> Self {
        Self { suffix, most }
    }

    /// The value, which must be there.
    fn required(&self, keys: &ModelKeys<'_>, layers: Option<u32>) -> Result<u32, Refusal> {
        let missing = || Refusal::new(Reason::KeyMissing, 0, keys.name(self.suffix).bytes());
        self.optional(keys, layers)?.ok_or_else(missing)
    }

    /// The value, if it is there. Of a key that says something of `layers`, an array has one for
    /// each of them, all the same.
    fn optional(&self, keys: &ModelKeys<'_>, layers: Option<u32>) -> Result<Option<u32>, Refusal> {
        let name = keys.name(self.suffix);
        let name = name.bytes();
        let Some(value) = keys.all().find(name) else {
            return Ok(None);
        };
        let number = match (value, layers) {
            (Value::Array(array), Some(layers)) if matches!(array.kind, Kind::U32 | Kind::I32) => {
                if array.count != layers {
                    return Err(Refusal::new(Reason::KeyValue, array.count.into(), name));
                }
                let (elements, _) = array.of(keys.all().prefix()).as_chunks::<4>();
                let mut elements = elements.iter().map(|&bytes| u32::from_le_bytes(bytes));
                let first = elements.next().unwrap_or(0);
                if let Some(other) = elements.find(|&other| other != first) {
                    return Err(Refusal::new(Reason::Unsupported, other.into(), name));
                }
                first
            }
            (value, _) => value.u32(name)?,
        };
        self.check((1..=self.most).contains(&number), number, keys)?;
        Ok(Some(number))
    }

    /// Refuses `value` unless it `fits`.
    fn check(&self, fits: bool, value: u32, keys: &ModelKeys<'_>) -> Result<(), Refusal> {
        if fits {
            return Ok(());
        }
        let name = keys.name(self.suffix);
        Err(Refusal::new(Reason::KeyValue, value.into(), name.bytes()))
    }
}

/// A float that must be finite, and positive or, with `zero`, 0.
fn float(keys: &ModelKeys<'_>, suffix: &[u8], zero: bool) -> Result<Option<f32>, Refusal> {
    let name = keys.name(suffix);
    let Some(value) = keys.all().f32(name.bytes())? else {
        return Ok(None);
    };
    let fits = value.is_finite() && (value > 0.0 || zero && value == 0.0);
    if !fits {
        return Err(Refusal::of_float(Reason::KeyValue, value, name.bytes()));
    }
    Ok(Some(value))
}

/// The epsilon of the architecture's norms.
fn epsilon(keys: &ModelKeys<'_>) -> Result<f32, Refusal> {
    let suffix: &[u8] = match keys.architecture() {
        Architecture::Llama => b"attention.layer_norm_rms_epsilon",
        Architecture::Gpt2 => b"attention.layer_norm_epsilon",
    };
    let missing = || Refusal::new(Reason::KeyMissing, 0, keys.name(suffix).bytes());
    float(keys, suffix, true)?.ok_or_else(missing)
}

/// The number of tokens.
fn vocabulary(keys: &ModelKeys<'_>) -> Result<u32, Refusal> {
    const KEY: &[u8] = b"tokenizer.ggml.tokens";
    let tokens = keys.all().array(KEY, &[Kind::String])?;
    let tokens = tokens
        .ok_or(Refusal::new(Reason::KeyMissing, 0, KEY))?
        .count;
    if !(1..=crate::tokenizer::TOKENS_MAX).contains(&tokens) {
        return Err(Refusal::new(Reason::KeyValue, tokens.into(), KEY));
    }
    Ok(tokens)
}

/// Heads, their keys and values, and the size of each.
struct Heads {
    heads: u32,
    kv_heads: u32,
    head_size: u32,
    rotated: u32,
}

impl Heads {
    fn new(keys: &ModelKeys<'_>, layers: Option<u32>, embedding: u32) -> Result<Self, Refusal> {
        let count = Range::new(b"attention.head_count", embedding);
        let heads = count.required(keys, layers)?;
        let size = Range::new(b"attention.key_length", HEAD_SIZE_MAX);
        let head_size = match size.optional(keys, layers)? {
            Some(size) => size,
            None => {
                count.check(embedding.checked_rem(heads) == Some(0), heads, keys)?;
                let size_of_each = embedding.checked_div(heads).unwrap_or(0);
                size.check(size_of_each <= HEAD_SIZE_MAX, size_of_each, keys)?;
                size_of_each
            }
        };
        let columns = heads.saturating_mul(head_size);
        count.check(columns <= COLUMNS_MAX, columns, keys)?;
        let values = Range::new(b"attention.value_length", HEAD_SIZE_MAX);
        let value_length = values.optional(keys, layers)?.unwrap_or(head_size);
        if value_length != head_size {
            let name = keys.name(b"attention.value_length");
            let name = name.bytes();
            return Err(Refusal::new(Reason::Unsupported, value_length.into(), name));
        }
        let kv = Range::new(b"attention.head_count_kv", heads);
        let kv_heads = kv.optional(keys, layers)?.unwrap_or(heads);
        kv.check(heads.checked_rem(kv_heads) == Some(0), kv_heads, keys)?;
        let rotated = match keys.architecture() {
            Architecture::Llama => rotated(keys, layers, head_size)?,
            Architecture::Gpt2 => 0,
        };
        Ok(Self {
            heads,
            kv_heads,
            head_size,
            rotated,
        })
    }
}

/// Dimensions of a head that rotate.
fn rotated(keys: &ModelKeys<'_>, layers: Option<u32>, head_size: u32) -> Result<u32, Refusal> {
    let range = Range::new(b"rope.dimension_count", head_size);
    let rotated = range.optional(keys, layers)?.unwrap_or(head_size);
    let even = rotated.is_multiple_of(2) && head_size.is_multiple_of(2);
    range.check(even, rotated, keys)?;
    Ok(rotated)
}

impl Hyperparameters {
    /// The shape in the file's `keys`, and notes on it ([`note`]).
    ///
    /// # Errors
    ///
    /// A key that is missing or out of range.
    pub fn new(keys: &ModelKeys<'_>, limits: &Limits) -> Result<(Self, u32), Refusal> {
        let number = |suffix, most| Range::new(suffix, most).required(keys, None);
        let layers = number(b"block_count", LAYERS_MAX)?;
        let embedding = number(b"embedding_length", COLUMNS_MAX)?;
        let Heads {
            heads,
            kv_heads,
            head_size,
            rotated,
        } = Heads::new(keys, Some(layers), embedding)?;
        let trained_context = number(b"context_length", CONTEXT_MAX)?;
        let hidden = Range::new(b"feed_forward_length", COLUMNS_MAX);
        // Within the window every position is seen, as without one.
        let window = keys.name(b"attention.sliding_window");
        let window = match keys.architecture() {
            Architecture::Llama => keys.all().u32(window.bytes())?,
            Architecture::Gpt2 => None,
        };
        let window = window.filter(|&window| window != 0 && window < trained_context);
        let notes = if window.is_some() { note::WINDOW } else { 0 };
        let most = window.unwrap_or(trained_context);
        let shape = Hyperparameters {
            architecture: keys.architecture(),
            layers,
            embedding,
            heads,
            kv_heads,
            head_size,
            rotated,
            feed_forward: hidden.required(keys, Some(layers))?,
            vocabulary: vocabulary(keys)?,
            trained_context,
            context: most.min(limits.context),
            epsilon: epsilon(keys)?,
            rope_base: float(keys, b"rope.freq_base", false)?.unwrap_or(10_000.0),
        };
        Ok((shape, notes))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Detail;
    use crate::gguf::testing::Parsed;
    use crate::gguf::testing::Writer;
    use crate::gguf::testing::parse;

    /// The keys of a small llama, with one in another form: `with` adds its replacement.
    fn llama(without: &str, with: impl Fn(Writer) -> Writer) -> Writer {
        let numbers = [
            ("context_length", 512),
            ("embedding_length", 32),
            ("block_count", 2),
            ("feed_forward_length", 64),
            ("attention.head_count", 4),
        ];
        let mut writer = Writer::new().text("general.architecture", "llama");
        for (name, number) in numbers.into_iter().filter(|(name, _)| *name != without) {
            writer = writer.u32(&format!("llama.{name}"), number);
        }
        let epsilon = "attention.layer_norm_rms_epsilon";
        if epsilon != without {
            writer = writer.f32(&format!("llama.{epsilon}"), 1e-5);
        }
        with(writer).strings("tokenizer.ggml.tokens", &[b"a", b"b"])
    }

    fn read(writer: &Writer) -> Result<(Hyperparameters, u32), Refusal> {
        let file = writer.finish();
        let Parsed { parser, table } = parse(&file, 100)?;
        let keys = ModelKeys::new(parser.keys(&file, &table).expect("the table"))?;
        let limits = Limits {
            file_bytes: file.len() as u64,
            model_bytes: 1 << 30,
            context: 256,
            simd: 1,
            segment_bytes: crate::abi::SEGMENT_BYTES,
            pad: 0,
        };
        Hyperparameters::new(&keys, &limits)
    }

    fn refused(writer: &Writer) -> (Reason, u64, String) {
        let refusal = read(writer).expect_err("a refusal");
        let subject = refusal.subject.split(|&byte| byte == 0).next();
        let subject = String::from_utf8(subject.expect("text").to_vec());
        (refusal.reason, refusal.detail, subject.expect("ASCII"))
    }

    fn changed(name: &'static str, value: u32) -> Writer {
        llama(name, |writer| writer.u32(&format!("llama.{name}"), value))
    }

    #[test]
    fn what_is_not_said_has_its_usual_value() {
        let (shape, notes) = read(&llama("", |writer| writer)).expect("a shape");
        assert_eq!((shape.kv_heads, shape.head_size, shape.rotated), (4, 8, 8));
        assert_eq!((shape.rope_base, shape.epsilon), (10_000.0, 1e-5));
        assert_eq!((shape.trained_context, shape.context), (512, 256));
        assert_eq!((shape.vocabulary, notes), (2, 0));
    }

    #[test]
    fn each_number_has_a_type_and_a_range() {
        for (name, most) in [
            ("context_length", CONTEXT_MAX),
            ("embedding_length", COLUMNS_MAX),
            ("block_count", LAYERS_MAX),
            ("feed_forward_length", COLUMNS_MAX),
            ("attention.head_count", 32),
            ("attention.head_count_kv", 4),
            ("attention.key_length", HEAD_SIZE_MAX),
            ("rope.dimension_count", 8),
        ] {
            let key = format!("llama.{name}");
            for value in [0, most + 1, u32::MAX] {
                let found = refused(&changed(name, value));
                assert_eq!(found, (Reason::KeyValue, value.into(), key.clone()));
            }
            let text = llama(name, |writer| writer.text(&key, "4"));
            assert_eq!(refused(&text), (Reason::KeyType, 0, key.clone()));
            let float = llama(name, |writer| writer.f32(&key, 4.0));
            assert_eq!(refused(&float), (Reason::KeyType, 0, key));
        }
        // The greatest are taken.
        for (name, most) in [
            ("context_length", CONTEXT_MAX),
            ("embedding_length", 4096),
            ("block_count", LAYERS_MAX),
            ("feed_forward_length", COLUMNS_MAX),
            ("attention.key_length", HEAD_SIZE_MAX),
        ] {
            assert!(read(&changed(name, most)).is_ok(), "{name}");
        }
    }

    #[test]
    fn heads_fit_each_other() {
        let key = |name: &str| format!("llama.attention.{name}");
        assert_eq!(
            refused(&changed("attention.head_count", 3)).2,
            key("head_count")
        );
        assert_eq!(
            refused(&changed("attention.head_count_kv", 3)).2,
            key("head_count_kv")
        );
        let odd = changed("attention.key_length", 7);
        assert_eq!(refused(&odd).2, "llama.rope.dimension_count");
        assert_eq!(
            refused(&changed("rope.dimension_count", 7)).0,
            Reason::KeyValue
        );
        let values = changed("attention.value_length", 4);
        let found = (Reason::Unsupported, 4, key("value_length"));
        assert_eq!(refused(&values), found);
        assert!(read(&changed("attention.value_length", 8)).is_ok());
        // Heads may be wider than the model, which need not be a multiple of them.
        let wide = llama("attention.head_count", |writer| {
            let writer = writer.u32("llama.attention.head_count", 5);
            writer.u32("llama.attention.key_length", 16)
        });
        let (shape, _) = read(&wide).expect("a shape");
        assert_eq!((shape.query_columns(), shape.kv_columns()), (80, 80));
        let half = read(&changed("rope.dimension_count", 4)).expect("a shape");
        assert_eq!(half.0.rotated, 4);
    }

    #[test]
    fn floats_are_finite_and_positive() {
        for (name, zero) in [
            ("attention.layer_norm_rms_epsilon", true),
            ("rope.freq_base", false),
        ] {
            let key = format!("llama.{name}");
            let with = |value| llama(name, |writer| writer.f32(&key, value));
            for value in [f32::NAN, f32::INFINITY, -1.0] {
                let refusal = read(&with(value)).expect_err("a refusal");
                assert_eq!(
                    (refusal.reason, refusal.kind),
                    (Reason::KeyValue, Detail::Float)
                );
                assert_eq!(refusal.detail, u64::from(value.to_bits()));
            }
            assert_eq!(read(&with(0.0)).is_ok(), zero);
            let integer = llama(name, |writer| writer.u32(&key, 1));
            assert_eq!(refused(&integer).0, Reason::KeyType);
        }
        let missing = llama("attention.layer_norm_rms_epsilon", |writer| writer);
        assert_eq!(refused(&missing).0, Reason::KeyMissing);
    }

    #[test]
    fn one_number_a_layer_is_taken_when_all_are_the_same() {
        for name in [
            "attention.head_count",
            "attention.head_count_kv",
            "feed_forward_length",
        ] {
            let key = format!("llama.{name}");
            let with = |values: &[i32]| llama(name, |writer| writer.integers(&key, values));
            let (shape, _) = read(&with(&[4, 4])).expect("a shape");
            assert!([shape.heads, shape.kv_heads, shape.feed_forward].contains(&4));
            assert_eq!(
                refused(&with(&[4, 2])),
                (Reason::Unsupported, 2, key.clone())
            );
            assert_eq!(refused(&with(&[4; 3])), (Reason::KeyValue, 3, key.clone()));
            assert_eq!(refused(&with(&[])), (Reason::KeyValue, 0, key.clone()));
            assert_eq!(refused(&with(&[-1, -1])).0, Reason::KeyValue);
            let texts = llama(name, |writer| writer.strings(&key, &[b"4", b"4"]));
            assert_eq!(refused(&texts), (Reason::KeyType, 0, key));
        }
        for name in ["block_count", "embedding_length", "context_length"] {
            let key = format!("llama.{name}");
            let array = llama(name, |writer| writer.integers(&key, &[4, 4]));
            assert_eq!(refused(&array).0, Reason::KeyType);
        }
    }

    #[test]
    fn the_context_ends_at_the_sliding_window() {
        let window = |window| {
            let (shape, notes) =
                read(&changed("attention.sliding_window", window)).expect("a shape");
            (shape.context, notes)
        };
        assert_eq!(window(0), (256, 0));
        assert_eq!(window(512), (256, 0));
        assert_eq!(window(511), (256, note::WINDOW));
        assert_eq!(window(100), (100, note::WINDOW));
    }
}
