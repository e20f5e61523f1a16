// SPDX-License-Identifier: GPL-2.0
//! VOCABULARY.

use super::require;
use crate::{
    models::{model::Model, name::Wanted},
    session::Session,
    sys::{
        neon::Section,
        task,
        text::{self, TOKEN_BYTES_MAX},
        uapi::{self, SISLM_TOKENIZE_CONTROL},
        user::{self, Argument},
        wiped::Wiped,
    }, //
};
use core::ops::Range;
use kernel::{prelude::*, sync::Arc};

/// Tokens that are copied to the caller at once.
const PART: u32 = 64;

#[inline(never)]
pub(super) fn vocabulary(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Vocabulary = argument.read()?;
    require(request.flags == 0 && request.pad == 0)?;
    let number = session.link.who().session;
    let wanted = Wanted::new(request.name)?;
    let model = session.shared().registry.get(wanted, number)?;
    let mut section = Section::new()?;
    let mut part = Part::new()?;
    request.count = model.facts.vocabulary;
    request.text_length = 0;
    let has_room = request.count <= request.capacity;
    let mut first = 0;
    while first < request.count {
        // The vocabulary bounds it: no other signal than death ends it.
        task::interrupted_by_death()?;
        let end = first.saturating_add(PART).min(request.count);
        let start = request.text_length;
        request.text_length = part.fill(&mut section, &model, first..end, start)?;
        if has_room && request.text_length <= request.text_capacity {
            user::write_array(request.types, first.into(), &part.types)?;
            user::write_array(request.ends, first.into(), &part.ends)?;
            user::write_array(request.text, start.into(), &part.text)?;
        }
        first = end;
    }
    argument.write(&request)?;
    if has_room && request.text_length <= request.text_capacity {
        Ok(())
    } else {
        Err(ENOSPC)
    }
}

/// Some tokens, on their way to a caller.
struct Part {
    types: Wiped<u8>,
    ends: Wiped<u32>,
    text: Wiped<u8>,
    token: Wiped<u8>,
}

impl Part {
    fn new() -> Result<Self> {
        Ok(Self {
            types: Wiped::with_capacity(PART as usize)?,
            ends: Wiped::with_capacity(PART as usize)?,
            text: Wiped::with_capacity(PART as usize * TOKEN_BYTES_MAX)?,
            token: Wiped::zeroed(TOKEN_BYTES_MAX)?,
        })
    }

    /// Takes tokens `ids`, whose text begins at place `end`; gives where it ends. The memory of the
    /// model is let go before the caller's pages are touched, since these may never answer.
    fn fill(
        &mut self,
        section: &mut Section,
        model: &Model,
        ids: Range<u32>,
        mut end: u32,
    ) -> Result<u32> {
        let content = model.content()?;
        self.types.truncate(0);
        self.ends.truncate(0);
        self.text.truncate(0);
        for id in ids {
            task::relax();
            let (memory, flags) = (&content.memory, SISLM_TOKENIZE_CONTROL);
            let length = text::detokenize(section, memory, id, flags, &mut self.token)?;
            // CAST: At most TOKEN_BYTES_MAX.
            end = end.checked_add(length as u32).ok_or(EOVERFLOW)?;
            self.types.push(text::kind(section, memory, id)?)?;
            self.ends.push(end)?;
            self.text.extend(self.token.get(..length).ok_or(EINVAL)?)?;
        }
        Ok(end)
    }
}
