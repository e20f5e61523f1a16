// SPDX-License-Identifier: GPL-2.0
//! The shape of a model, from the metadata of its file.

use crate::abi::Limits;
use crate::abi::note;
use crate::gguf::Kind;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::architecture::Branches;
use crate::model::architecture::Norm;
use crate::model::architecture::Windows;
use crate::model::embeddings::Embeddings;
use crate::model::experts::Experts;
use crate::model::heads;
use crate::model::heads::Heads;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::keys::ModelKeys;
use crate::model::latent::Latent;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Widths;
use crate::model::mixers;
use crate::model::number::COLUMNS_MAX;
use crate::model::number::LAYERS_MAX;
use crate::model::number::Range;
use crate::model::number::float;
use crate::model::rope::Rope;
use crate::model::scales::Scales;
use crate::model::windows::Window;

/// Most positions of a context.
const CONTEXT_MAX: u32 = 1 << 20;

/// Name of the key of [`Hyperparameters::temperature`].
const TEMPERATURE: &[u8] = b"attention.temperature_scale";

impl Hyperparameters {
    /// The shape in the file's `keys`; `shapes` gets those of the layers.
    ///
    /// # Errors
    ///
    /// A key that is missing or out of range.
    #[inline(never)]
    pub fn new(
        keys: &ModelKeys<'_>,
        limits: &Limits,
        shapes: &mut [LayerShape; LAYERS_MAX as usize],
    ) -> Result<Self, Refusal> {
        let number = |suffix, most| Range::new(suffix, most).required(keys, None);
        let layers = number(b"block_count", LAYERS_MAX)?;
        let embedding = number(b"embedding_length", COLUMNS_MAX)?;
        let shapes = shapes.get_mut(..layers as usize).unwrap_or_default();
        let latent = Latent::new(keys, COLUMNS_MAX)?;
        let heads = Heads::new(keys, embedding, COLUMNS_MAX, shapes)?;
        mixers::fill(keys, embedding, COLUMNS_MAX, &latent, shapes)?;
        let trained_context = number(b"context_length", CONTEXT_MAX)?;
        let architecture = keys.architecture();
        let window = Window::new(keys, layers)?;
        let windowed = heads::windowed(keys, &window, &heads, COLUMNS_MAX, shapes)?;
        heads::share(keys, &window, shapes)?;
        let rotated = [heads.rotated, windowed.unwrap_or(heads.rotated)];
        let rope = Rope::new(keys, window.positions > 0, rotated, trained_context)?;
        let hidden = feed_forward(keys, shapes)?;
        let temperature = match keys.reads(TEMPERATURE) {
            true => float(keys, TEMPERATURE, true)?.unwrap_or(0.0),
            false => 0.0,
        };
        let mut experts = Experts::new(keys, layers, hidden)?;
        experts.tell(keys, layers)?;
        for (layer, shape) in (0..).zip(shapes.iter_mut()) {
            shape.experts = experts.count > 0 && layer >= experts.dense;
        }
        let mut shape = Hyperparameters {
            architecture,
            layers,
            embedding,
            heads: heads.heads,
            kv_heads: heads.kv_heads,
            head_size: heads.head_size,
            rotated: heads.rotated,
            feed_forward: hidden,
            widths: Widths::default(),
            block_values: 0,
            block_scales: 0,
            kept: 0,
            taps: mixers::taps(keys)?,
            state_values: 0,
            latent,
            per_layer: per_layer(keys)?,
            vocabulary: vocabulary(keys)?,
            trained_context,
            context: trained_context.min(limits.context),
            epsilon: epsilon(keys)?,
            rope,
            scales: Scales::new(keys, layers, embedding, &heads, &latent)?,
            window,
            experts,
            parallel: parallel(keys)?,
            temperature,
            embeddings: Embeddings::new(keys, COLUMNS_MAX)?,
        };
        shape.measure(shapes).ok_or_else(|| {
            let name = keys.name(b"block_count");
            Refusal::new(Reason::Limit, layers.into(), name.bytes())
        })?;
        Ok(shape)
    }

    /// A note on a window that is passed over ([`note`]).
    ///
    /// # Errors
    ///
    /// A window of another type.
    #[inline(never)]
    pub fn notes(&self, keys: &ModelKeys<'_>) -> Result<u32, Refusal> {
        let told = keys
            .all()
            .u32(keys.name(b"attention.sliding_window").bytes())?;
        let narrow = told.is_some_and(|window| window != 0 && window < self.trained_context);
        let passed_over = self.architecture.windows == Windows::None && narrow;
        Ok(if passed_over { note::WINDOW } else { 0 })
    }
}

/// The epsilon of the architecture's norms.
fn epsilon(keys: &ModelKeys<'_>) -> Result<f32, Refusal> {
    let suffix: &[u8] = match keys.architecture().norm {
        Norm::Rms => b"attention.layer_norm_rms_epsilon",
        Norm::Layer | Norm::LayerWithBias => b"attention.layer_norm_epsilon",
    };
    let missing = || Refusal::new(Reason::KeyMissing, 0, keys.name(suffix).bytes());
    float(keys, suffix, true)?.ok_or_else(missing)
}

/// Width of the embeddings of each layer; 0 without any.
fn per_layer(keys: &ModelKeys<'_>) -> Result<u32, Refusal> {
    const KEY: &[u8] = b"embedding_length_per_layer_input";
    if !keys.reads(KEY) {
        return Ok(0);
    }
    let most = COLUMNS_MAX / LAYERS_MAX;
    Ok(Range::from(KEY, 0, most).optional(keys, None)?.unwrap_or(0))
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

/// Whether attention and feed-forward network see the same row, as far as keys say it.
fn parallel(keys: &ModelKeys<'_>) -> Result<bool, Refusal> {
    match keys.architecture().branches {
        Branches::Sequential | Branches::ParallelWithoutNorm => Ok(false),
        Branches::Parallel => Ok(true),
        Branches::Told => {
            let name = keys.name(b"use_parallel_residual");
            let told = keys.all().find(name.bytes());
            let missing = || Refusal::new(Reason::KeyMissing, 0, name.bytes());
            told.ok_or_else(missing)?.bool(name.bytes())
        }
    }
}

/// The widths of the layers' feed-forward networks, which `shapes` get; the largest is given.
#[inline(never)]
fn feed_forward(keys: &ModelKeys<'_>, shapes: &mut [LayerShape]) -> Result<u32, Refusal> {
    let hidden = Range::new(b"feed_forward_length", COLUMNS_MAX);
    // CAST: At most LAYERS_MAX.
    #[expect(clippy::cast_possible_truncation)]
    let layers = shapes.len() as u32;
    let numbers = hidden.of_layers(keys, layers)?;
    let numbers = numbers.ok_or_else(|| hidden.missing(keys))?;
    let mut largest = 0;
    for (layer, shape) in (0..).zip(shapes) {
        shape.feed_forward = numbers.of(layer);
        largest = largest.max(shape.feed_forward);
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Detail;
    use crate::gguf::testing::Parsed;
    use crate::gguf::testing::Writer;
    use crate::gguf::testing::parse;
    use crate::model::number::HEAD_SIZE_MAX;

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
        let mut shapes = [LayerShape::NONE; LAYERS_MAX as usize];
        read_layers(writer, &mut shapes)
    }

    fn read_layers(
        writer: &Writer,
        shapes: &mut [LayerShape; LAYERS_MAX as usize],
    ) -> Result<(Hyperparameters, u32), Refusal> {
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
        let shape = Hyperparameters::new(&keys, &limits, shapes)?;
        let notes = shape.notes(&keys)?;
        Ok((shape, notes))
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
        assert_eq!(shape.epsilon, 1e-5);
        let frequency = shape.rope.table(0).expect("a table").frequency(1, 8, 1.0);
        assert!((frequency - 0.1).abs() < 1e-12, "a base of 10,000");
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
        let layer = LayerShape::of(&shape);
        assert_eq!((layer.query_columns(), layer.kv_columns()), (80, 80));
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
    fn one_number_a_layer_is_taken() {
        for name in [
            "attention.head_count",
            "attention.head_count_kv",
            "feed_forward_length",
        ] {
            let key = format!("llama.{name}");
            let with = |values: &[i32]| llama(name, |writer| writer.integers(&key, values));
            let (shape, _) = read(&with(&[4, 4])).expect("a shape");
            assert!([shape.heads, shape.kv_heads, shape.feed_forward].contains(&4));
            assert_eq!(refused(&with(&[4; 3])), (Reason::KeyValue, 3, key.clone()));
            assert_eq!(refused(&with(&[])), (Reason::KeyValue, 0, key.clone()));
            assert_eq!(refused(&with(&[-1, -1])).0, Reason::KeyValue);
            let texts = llama(name, |writer| writer.strings(&key, &[b"4", b"4"]));
            assert_eq!(refused(&texts), (Reason::KeyType, 0, key));
        }
        let sizes = llama("attention.key_length", |writer| {
            writer.integers("llama.attention.key_length", &[8, 4])
        });
        let key = "llama.attention.key_length".to_string();
        assert_eq!(refused(&sizes), (Reason::Unsupported, 4, key));
        for name in ["block_count", "embedding_length", "context_length"] {
            let key = format!("llama.{name}");
            let array = llama(name, |writer| writer.integers(&key, &[4, 4]));
            assert_eq!(refused(&array).0, Reason::KeyType);
        }
    }

    #[test]
    fn each_layer_has_its_numbers() {
        let file = llama("feed_forward_length", |writer| {
            let writer = writer.integers("llama.feed_forward_length", &[64, 96]);
            writer.integers("llama.attention.head_count_kv", &[1, 4])
        });
        let mut shapes = [LayerShape::NONE; LAYERS_MAX as usize];
        let (shape, _) = read_layers(&file, &mut shapes).expect("a shape");
        let numbers = |layer: &LayerShape| (layer.feed_forward, layer.kv_heads, layer.cache);
        let block = 2 * 32 * 8;
        assert_eq!(
            shapes.each_ref().map(numbers)[..3],
            [(64, 1, 0), (96, 4, block), (0, 0, 0)]
        );
        assert_eq!((shape.feed_forward, shape.kv_heads), (96, 4));
        assert_eq!(shape.block_values, 5 * block);
        let odd = llama("", |writer| {
            writer.integers("llama.attention.head_count_kv", &[2, 3])
        });
        assert_eq!(refused(&odd).1, 3);
    }

    #[test]
    fn a_window_that_is_passed_over_is_noted() {
        let window = |window| {
            let (shape, notes) =
                read(&changed("attention.sliding_window", window)).expect("a shape");
            (shape.context, shape.window.positions, notes)
        };
        assert_eq!(window(0), (256, 0, 0));
        assert_eq!(window(512), (256, 0, 0));
        assert_eq!(window(511), (256, 0, note::WINDOW));
        assert_eq!(window(100), (256, 0, note::WINDOW));
    }
}
