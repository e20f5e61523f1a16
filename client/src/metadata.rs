// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata keys of a model whose strings the module keeps.

use crate::uapi::SISLM_KEY_MAX;

/// Bytes of a key in the interface, NUL included.
const BYTES: usize = SISLM_KEY_MAX as usize;

/// The keys, as GGUF names them.
pub const METADATA_KEYS: [&str; 16] = [
    "general.architecture",
    "general.name",
    "general.basename",
    "general.finetune",
    "general.size_label",
    "general.version",
    "general.organization",
    "general.author",
    "general.description",
    "general.license",
    "general.license.link",
    "general.url",
    "tokenizer.ggml.model",
    "tokenizer.ggml.pre",
    "tokenizer.chat_template",
    "tokenizer.chat_template.tool_use",
];

/// A key as the interface has it: NUL-terminated, then zero; None when it is too long.
pub(crate) fn to_bytes(key: &str) -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    bytes
        .get_mut(..key.len())
        .filter(|_| key.len() < BYTES)?
        .copy_from_slice(key.as_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_fits_the_interface() {
        for key in METADATA_KEYS {
            let bytes = to_bytes(key).unwrap();
            assert_eq!(crate::name::text_of(&bytes), key);
        }
        assert!(to_bytes(&"k".repeat(63)).is_some());
        assert!(to_bytes(&"k".repeat(64)).is_none());
    }
}
