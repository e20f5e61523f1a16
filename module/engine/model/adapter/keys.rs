// SPDX-License-Identifier: GPL-2.0
//! The metadata keys of an adapter.

use crate::gguf::Keys;
use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::gguf::Value;
use crate::model::architecture::Architecture;
use crate::model::keys::check_whole;

/// Those that begin with `adapter.`: what they say is read, or is no mathematics.
const KNOWN: [&[u8]; 4] = [
    b"type",
    b"lora.alpha",
    b"lora.task_name",
    b"lora.prompt_prefix",
];

/// Checks that the file holds an adapter of a model of `architecture`; gives its alpha.
///
/// # Errors
///
/// A file of something else, or of another architecture.
pub fn check(keys: &Keys<'_>, architecture: &Architecture) -> Result<f32, Refusal> {
    check_whole(keys)?;
    for (name, wanted) in [
        (&b"general.type"[..], &b"adapter"[..]),
        (b"adapter.type", b"lora"),
        (b"general.architecture", architecture.name),
    ] {
        match keys.text(name)? {
            None => return Err(Refusal::new(Reason::KeyMissing, 0, name)),
            Some(text) if text == wanted => {}
            Some(other) => return Err(Refusal::of_text(Reason::Adapter, other, name)),
        }
    }
    const ALPHA: &[u8] = b"adapter.lora.alpha";
    let alpha = keys.f32(ALPHA)?.unwrap_or(0.0);
    if alpha.is_finite() {
        Ok(alpha)
    } else {
        Err(Refusal::of_float(Reason::KeyValue, alpha, ALPHA))
    }
}

/// Checks a key of the file, with its value.
///
/// # Errors
///
/// A key of adapters that is not known: it may ask for mathematics which are not here.
pub(crate) fn check_known(name: &[u8], value: Value, prefix: &[u8]) -> Result<(), Refusal> {
    match name.strip_prefix(b"adapter.") {
        Some(suffix) if !KNOWN.contains(&suffix) => {
            Err(value.refuse(Reason::Unsupported, name, prefix))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Kind;
    use crate::gguf::testing::Parsed;
    use crate::gguf::testing::Writer;
    use crate::gguf::testing::parse;

    fn checked(writer: &Writer) -> Result<f32, (Reason, Vec<u8>)> {
        let file = writer.finish();
        let Parsed { parser, table } = parse(&file, 100).expect("a sound header");
        let keys = parser.keys(&file, &table).expect("the table");
        let llama = Architecture::find(b"llama").expect("an architecture");
        let mut result = check(&keys, llama);
        for index in 0..writer.keys() {
            let (name, value) = keys.at(index as usize).expect("a key");
            let known = check_known(name, value, &file);
            result = result.and_then(|alpha| known.map(|()| alpha));
        }
        result.map_err(|refusal| {
            let subject = refusal.subject.iter().copied();
            let subject = subject.take_while(|&byte| byte != 0).collect();
            (refusal.reason, subject)
        })
    }

    fn lora() -> Writer {
        Writer::new()
            .text("general.type", "adapter")
            .text("adapter.type", "lora")
            .text("general.architecture", "llama")
    }

    #[test]
    fn an_adapter_says_what_it_is_of() {
        let refused = |reason, subject: &str| Err((reason, subject.as_bytes().to_vec()));
        assert_eq!(checked(&lora()), Ok(0.0));
        let known = lora()
            .f32("adapter.lora.alpha", 8.0)
            .text("adapter.lora.task_name", "x")
            .u32("llama.block_count", 9);
        assert_eq!(checked(&known), Ok(8.0));
        let infinite = lora().f32("adapter.lora.alpha", f32::INFINITY);
        assert_eq!(
            checked(&infinite),
            refused(Reason::KeyValue, "adapter.lora.alpha")
        );
        let activated = lora().array("adapter.alora.invocation_tokens", Kind::U32, 1, &[0; 4]);
        assert_eq!(
            checked(&activated),
            refused(Reason::Unsupported, "adapter.alora.invocation_tokens")
        );
        let whole = Writer::new().text("general.architecture", "llama");
        assert_eq!(checked(&whole), refused(Reason::KeyMissing, "general.type"));
        let model = Writer::new().text("general.type", "model");
        assert_eq!(checked(&model), refused(Reason::Adapter, "general.type"));
        let vector = Writer::new()
            .text("general.type", "adapter")
            .text("adapter.type", "control_vector");
        assert_eq!(checked(&vector), refused(Reason::Adapter, "adapter.type"));
        let other = Writer::new()
            .text("general.type", "adapter")
            .text("adapter.type", "lora")
            .text("general.architecture", "qwen3");
        assert_eq!(
            checked(&other),
            refused(Reason::Adapter, "general.architecture")
        );
    }
}
