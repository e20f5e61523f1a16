// SPDX-License-Identifier: GPL-2.0
//! Which metadata keys a model may have, and what those may say that ask for mathematics.
//!
//! No key is passed over in silence: it is read, or it carries no mathematics, or the file is
//! refused by the key's name. The order of keys means nothing.

use crate::gguf::Keys;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::architecture::Architecture;
use crate::model::rule::COMMON;
use crate::model::rule::EXPERTS;
use crate::model::rule::Key;
use crate::model::rule::ROTARY;
use crate::model::rule::Rule;

/// Bytes of the longest name that is looked up.
const NAME_BYTES: usize = 64;

/// The keys of a model's architecture: those that begin with its name.
#[derive(Clone, Copy)]
pub struct ModelKeys<'a> {
    keys: Keys<'a>,
    architecture: &'static Architecture,
}

impl<'a> ModelKeys<'a> {
    /// The keys of the model in `keys`.
    ///
    /// # Errors
    ///
    /// A part of a split model, a file that holds no model, an architecture that is not known.
    pub fn new(keys: Keys<'a>) -> Result<Self, Refusal> {
        check_whole(&keys)?;
        const KIND: &[u8] = b"general.type";
        match keys.text(KIND)? {
            None | Some(b"model") => {}
            Some(other) => return Err(Refusal::of_text(Reason::Unsupported, other, KIND)),
        }
        const NAME: &[u8] = b"general.architecture";
        let architecture = match keys.text(NAME)? {
            None => return Err(Refusal::new(Reason::KeyMissing, 0, NAME)),
            Some(name) => Architecture::find(name)
                .ok_or_else(|| Refusal::of_text(Reason::Architecture, name, NAME))?,
        };
        Ok(Self { keys, architecture })
    }

    /// The architecture.
    pub fn architecture(&self) -> &'static Architecture {
        self.architecture
    }

    /// All keys of the file.
    pub fn all(&self) -> &Keys<'a> {
        &self.keys
    }

    /// Checks the keys with a rule of their own.
    ///
    /// # Errors
    ///
    /// A key that asks for mathematics which are not here.
    pub fn check_rules(&self) -> Result<(), Refusal> {
        for (suffix, _) in self.rules() {
            let name = self.name(suffix);
            let Some(value) = self.keys.find(name.bytes()) else {
                continue;
            };
            // The architecture's own rule, if it has one, is the first.
            let Some(rule) = self.rule(suffix) else {
                continue;
            };
            let neutral = match rule {
                Rule::Read | Rule::Free => true,
                Rule::Numbers(neutral) => {
                    let number = value.number();
                    number.is_some_and(|number| neutral.contains(&number))
                }
                Rule::Truth(neutral) => value == Value::Bool(*neutral),
            };
            if !neutral {
                return Err(self.unsupported(value, name.bytes()));
            }
        }
        Ok(())
    }

    /// Checks a key of the file, with its value.
    ///
    /// # Errors
    ///
    /// A key of the architecture that is not known: it may ask for mathematics which are not here.
    pub(crate) fn check_known(&self, name: &[u8], value: Value) -> Result<(), Refusal> {
        let suffix = name.strip_prefix(self.architecture.name);
        let suffix = suffix.and_then(|rest| rest.strip_prefix(b"."));
        match suffix {
            Some(suffix) if self.rule(suffix).is_none() => Err(self.unsupported(value, name)),
            _ => Ok(()),
        }
    }

    /// Whether the key that ends in `suffix` is read.
    pub(super) fn reads(&self, suffix: &[u8]) -> bool {
        matches!(self.rule(suffix), Some(Rule::Read))
    }

    /// The rule of the key that ends in `suffix`.
    fn rule(&self, suffix: &[u8]) -> Option<&'static Rule> {
        let mut rules = self.rules();
        let (_, rule) = rules.find(|(known, _)| *known == suffix)?;
        Some(rule)
    }

    /// The rules of the architecture, its own first.
    fn rules(&self) -> impl Iterator<Item = &'static Key> {
        let rotary: &[Key] = if self.architecture.rotates() {
            &ROTARY
        } else {
            &[]
        };
        let experts: &[Key] = match self.architecture.experts {
            Some(_) => &EXPERTS,
            None => &[],
        };
        let own = self.architecture.keys.iter();
        own.chain(rotary).chain(experts).chain(&COMMON)
    }

    fn unsupported(&self, value: Value, name: &[u8]) -> Refusal {
        value.refuse(Reason::Unsupported, name, self.keys.prefix())
    }

    /// The value of the key that ends in `suffix`; its name is made here.
    pub(super) fn name(&self, suffix: &[u8]) -> Name {
        let mut name = Name {
            bytes: [0; NAME_BYTES],
            length: 0,
        };
        for &byte in self.architecture.name.iter().chain(b".").chain(suffix) {
            if let Some(place) = name.bytes.get_mut(name.length) {
                *place = byte;
                name.length += 1;
            }
        }
        name
    }
}

/// The whole name of a key of an architecture.
pub(super) struct Name {
    bytes: [u8; NAME_BYTES],
    length: usize,
}

impl Name {
    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Refuses a file that holds one part of a model: its first part has the keys, each has some of the
/// tensors.
pub(super) fn check_whole(keys: &Keys<'_>) -> Result<(), Refusal> {
    const KEY: &[u8] = b"split.count";
    let count = keys.find(KEY).and_then(Value::number).unwrap_or(0.0);
    if count > 1.0 {
        // CAST: Above 1; what is too large becomes the largest.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = count as u64;
        return Err(Refusal::new(Reason::Split, count, KEY));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Detail;
    use crate::gguf::Kind;
    use crate::gguf::testing::Parsed;
    use crate::gguf::testing::Writer;
    use crate::gguf::testing::parse;

    /// Reason, detail and subject of the refusal of the file's keys.
    fn checked(writer: &Writer) -> Result<(), Refusal> {
        let file = writer.finish();
        let Parsed { parser, table } = parse(&file, 100)?;
        let keys = ModelKeys::new(parser.keys(&file, &table).expect("the table"))?;
        keys.check_rules()?;
        for index in 0..writer.keys() {
            let (name, value) = keys.all().at(index as usize).expect("a key");
            keys.check_known(name, value)?;
        }
        Ok(())
    }

    fn llama() -> Writer {
        Writer::new().text("general.architecture", "llama")
    }

    fn unsupported(writer: Writer) -> String {
        let refusal = checked(&writer).expect_err("a refusal");
        assert_eq!(refusal.reason, Reason::Unsupported);
        let subject = refusal.subject.split(|&byte| byte == 0).next();
        String::from_utf8(subject.expect("text").to_vec()).expect("ASCII")
    }

    #[test]
    fn other_mathematics_are_refused_by_name() {
        let refused = |key: &str, writer: Writer| assert_eq!(unsupported(writer), key);
        for (key, value) in [
            ("llama.attention.clamp_kqv", 8.0),
            ("llama.logit_scale", 16.0),
            ("llama.attn_logit_softcapping", 50.0),
            ("llama.final_logit_softcapping", 30.0),
            ("llama.residual_scale", 0.5),
        ] {
            refused(key, llama().f32(key, value));
        }
        let causal = "llama.attention.causal";
        refused(causal, llama().bool(causal, false));
        let parallel = "llama.use_parallel_residual";
        refused(parallel, llama().bool(parallel, true));
        // A number where a truth value belongs, and the other way round, is not neutral.
        refused(causal, llama().u32(causal, 1));
        let scale = "llama.logit_scale";
        refused(scale, llama().bool(scale, false));
    }

    #[test]
    fn an_unknown_key_of_the_architecture_is_refused_wherever_it_stands() {
        let key = "llama.a_new.idea";
        assert_eq!(unsupported(llama().u32(key, 0)), key);
        let first = Writer::new().bool(key, false);
        assert_eq!(
            unsupported(first.text("general.architecture", "llama")),
            key
        );
        let array = llama().array(key, Kind::U8, 2, &[0; 2]);
        assert_eq!(unsupported(array), key);
        let gpt2 = Writer::new().text("general.architecture", "gpt2");
        let rope = "gpt2.rope.freq_base";
        assert_eq!(unsupported(gpt2.f32(rope, 1e4)), rope);
    }

    #[test]
    fn what_changes_nothing_is_taken() {
        let neutral = llama()
            .text("llama.rope.scaling.type", "linear")
            .f32("llama.rope.scaling.factor", 1.0)
            .f32("llama.rope.scale_linear", 8.0)
            .f32("llama.rope.scaling.attn_factor", 1.0)
            .u32("llama.rope.scaling.original_context_length", 4096)
            .f32("llama.rope.scaling.yarn_beta_fast", 32.0)
            .f32("llama.attention.scale", 0.0)
            .bool("llama.attention.causal", true)
            .u32("llama.expert_count", 0)
            .u32("llama.vocab_size", 7)
            .u32("other.expert_count", 7)
            .text("general.anything", "x")
            .text("llamas.expert_count", "x");
        assert_eq!(checked(&neutral), Ok(()));
        let none = llama()
            .f32("llama.rope.scaling.factor", 8.0)
            .text("llama.rope.scaling.type", "none");
        assert_eq!(checked(&none), Ok(()));
    }

    #[test]
    fn a_refusal_shows_the_value() {
        let scaled = llama().f32("llama.logit_scale", 4.0);
        let refusal = checked(&scaled).expect_err("a refusal");
        let four = u64::from(4f32.to_bits());
        assert_eq!((refusal.kind, refusal.detail), (Detail::Float, four));
        let unknown = checked(&llama().u32("llama.a_new.idea", 8)).expect_err("a refusal");
        assert_eq!((unknown.kind, unknown.detail), (Detail::Number, 8));
        let qwen = Writer::new().text("general.architecture", "mamba");
        let refusal = checked(&qwen).expect_err("a refusal");
        assert_eq!(refusal.reason, Reason::Architecture);
        assert_eq!(&refusal.value[..6], b"mamba\0");
    }

    #[test]
    fn a_part_of_a_model_is_told_before_what_it_lacks() {
        for (kind, bytes) in [(Kind::U16, &[3, 0][..]), (Kind::U32, &[3, 0, 0, 0])] {
            let part = Writer::new().key("split.count", kind as u32, bytes);
            let refusal = checked(&part).expect_err("a refusal");
            assert_eq!((refusal.reason, refusal.detail), (Reason::Split, 3));
        }
        let whole = llama().key("split.count", Kind::U16 as u32, &[1, 0]);
        assert_eq!(checked(&whole), Ok(()));
    }

    #[test]
    fn a_file_that_holds_no_model_is_refused() {
        assert_eq!(
            unsupported(llama().text("general.type", "adapter")),
            "general.type"
        );
        assert_eq!(checked(&llama().text("general.type", "model")), Ok(()));
        let refusal = checked(&Writer::new()).expect_err("a refusal");
        assert_eq!(refusal.reason, Reason::KeyMissing);
    }
}
