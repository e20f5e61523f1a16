// SPDX-License-Identifier: GPL-2.0
//! TOKENIZE and DETOKENIZE.

use super::require;
use crate::{
    session::{buffer::Buffer, tokenize as tokenize_text, Session},
    sys::{
        neon::Section,
        task,
        text::{self, TOKEN_BYTES_MAX},
        uapi::{self, SISLM_LITERAL_MAX, SISLM_TOKENIZE_BOS, SISLM_TOKENIZE_CONTROL},
        user::{self, Argument},
        wiped::Wiped,
    }, //
};
use kernel::{prelude::*, sync::Arc};

/// Ids read from the caller at once.
const IDS: usize = 64;
/// Most ids of a text of `bytes` bytes: two each, BOS, and a space before it.
fn most_ids(bytes: u32) -> u32 {
    bytes.saturating_mul(2).saturating_add(2)
}

#[inline(never)]
pub(super) fn tokenize(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Tokenize = argument.read()?;
    require(request.flags & !(SISLM_TOKENIZE_BOS | SISLM_TOKENIZE_CONTROL) == 0)?;
    require(request.pad == 0)?;
    let literal = read_literal(&request)?;
    if request.length > session.shared().limits.prompt {
        return Err(EMSGSIZE);
    }
    let model = session.model()?;
    let count = request.length as usize;
    let mut text = Buffer::with_capacity(count)?;
    user::read_array(request.text, 0, text.spare(count)?)?;
    text.extend(count);
    let mut section = Section::new()?;
    let flags = request.flags;
    let text = text.bytes();
    let ids = tokenize_text(&mut section, &model, text, &literal, flags, task::dying)?;
    // CAST: Fewer ids than bytes, but for those added.
    request.count = ids.len() as u32;
    let fits = ids.len() <= request.capacity as usize;
    if fits {
        user::write_array(request.ids, 0, &ids)?;
    }
    argument.write(&request)?;
    if fits {
        Ok(())
    } else {
        Err(ENOSPC)
    }
}

/// The literal parts of the text: within it, none empty, ascending and apart, else `EINVAL`.
fn read_literal(request: &uapi::Tokenize) -> Result<Wiped<uapi::Literal>> {
    let parses = request.flags & SISLM_TOKENIZE_CONTROL != 0;
    require(request.literal_count == 0 || parses)?;
    require(request.literal_count <= SISLM_LITERAL_MAX)?;
    let mut parts = Wiped::zeroed(request.literal_count as usize)?;
    user::read_array(request.literal, 0, &mut parts)?;
    let mut end = 0u32;
    for part in parts.iter() {
        let part: &uapi::Literal = part;
        require(part.length > 0 && part.offset >= end)?;
        end = part.offset.checked_add(part.length).ok_or(EINVAL)?;
    }
    require(end <= request.length)?;
    Ok(parts)
}

#[inline(never)]
pub(super) fn detokenize(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Detokenize = argument.read()?;
    require(request.flags & !(SISLM_TOKENIZE_BOS | SISLM_TOKENIZE_CONTROL) == 0)?;
    if request.count > most_ids(session.shared().limits.prompt) {
        return Err(EMSGSIZE);
    }
    let model = session.model()?;
    let mut section = Section::new()?;
    let mut bytes = Wiped::zeroed(TOKEN_BYTES_MAX)?;
    let mut ids = [0u32; IDS];
    request.length = 0;
    let mut done = 0u32;
    while done < request.count {
        task::relax();
        // The count bounds it: no other signal than death ends it.
        task::interrupted_by_death()?;
        let left = request.count.saturating_sub(done) as usize;
        let part = ids.get_mut(..left.min(IDS)).ok_or(EINVAL)?;
        user::read_array(request.ids, u64::from(done), part)?;
        for id in part.iter() {
            require(*id < model.facts.vocabulary)?;
            let first = if done == 0 { SISLM_TOKENIZE_BOS } else { 0 };
            let flags = request.flags & (SISLM_TOKENIZE_CONTROL | first);
            // Let go before the caller's pages are touched, since these may never answer.
            let length = {
                let content = model.content()?;
                text::detokenize(&mut section, &content.memory, *id, flags, &mut bytes)?
            };
            let text = bytes.get(..length).ok_or(EINVAL)?;
            // CAST: At most TOKEN_BYTES_MAX.
            let end = request.length.checked_add(length as u32).ok_or(EOVERFLOW)?;
            if end <= request.capacity {
                user::write_array(request.text, u64::from(request.length), text)?;
            }
            request.length = end;
            done = done.saturating_add(1);
        }
    }
    argument.write(&request)?;
    if request.length > request.capacity {
        return Err(ENOSPC);
    }
    Ok(())
}
