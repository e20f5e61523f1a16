// SPDX-License-Identifier: GPL-2.0
//! Whether the ids of one model mean the same to another.

use crate::{
    models::model::Model,
    sys::{
        digest::{Sha256, DIGEST_BYTES},
        neon::Section,
        task,
        text::{self, TOKEN_BYTES_MAX},
        uapi::SISLM_TOKENIZE_CONTROL,
        wiped::Wiped,
    },
};
use kernel::prelude::*;

/// SHA-256 of all tokens of a model, each with its kind. `EINTR` when `stop` says so.
pub(crate) fn digest(
    model: &Model,
    section: &mut Section,
    stop: impl Fn() -> bool,
) -> Result<[u8; DIGEST_BYTES]> {
    let mut hash = Sha256::new();
    let mut token = Wiped::zeroed(TOKEN_BYTES_MAX)?;
    for id in 0..model.facts.vocabulary {
        if stop() {
            return Err(EINTR);
        }
        task::relax();
        // Let go after each: unloading waits for nobody.
        let content = model.content()?;
        let (memory, flags) = (&content.memory, SISLM_TOKENIZE_CONTROL);
        let length = text::detokenize(section, memory, id, flags, &mut token)?;
        let kind = text::kind(section, memory, id)?;
        hash.update(&[kind]);
        hash.update(&(length as u64).to_le_bytes());
        hash.update(token.get(..length).ok_or(EINVAL)?);
    }
    Ok(hash.finish())
}
