// SPDX-License-Identifier: GPL-2.0
//! The wall's functions for text and token ids.

use core::slice;

use crate::abi::ALIGN;
use crate::abi::DONE;
use crate::abi::Literal;
use crate::abi::MORE;
use crate::abi::fault;
use crate::tokenizer::Text;
use crate::tokenizer::Tokenizer;
use crate::tokenizer::Vocabulary;
use crate::wall::model::loaded;

/// `SISLM_TOKENIZE_BOS`: as at position 0.
const FIRST: u32 = 1 << 0;
/// `SISLM_TOKENIZE_CONTROL`: control tokens in text are parsed, or written as their names.
const CONTROL: u32 = 1 << 1;

/// Start of the workspace; the tokenizer's memory follows, with the ids at its front.
#[repr(C)]
struct Head {
    model: *const u8,
    text: *const u8,
    text_bytes: usize,
    literal: *const Literal,
    literals: usize,
    work_bytes: usize,
    done: bool,
    tokenizer: Tokenizer,
}

/// Bytes before the tokenizer's memory.
const HEAD: usize = size_of::<Head>().next_multiple_of(ALIGN);

/// The vocabulary of a model.
///
/// # Safety
///
/// As [`loaded`].
unsafe fn vocabulary<'a>(model: *const u8) -> Option<Vocabulary<'a>> {
    // SAFETY: The caller's promise.
    let loaded = unsafe { loaded(model)? };
    Vocabulary::view(loaded.vocabulary)
}

/// Bytes of the workspace for `bytes` of text.
fn size(vocabulary: &Vocabulary<'_>, bytes: usize) -> Option<usize> {
    let work = usize::try_from(Tokenizer::work_bytes(vocabulary, bytes)?).ok()?;
    work.checked_add(HEAD)
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_tokenize_size(
    model: *const u8,
    bytes: usize,
    size: *mut u64,
) -> i32 {
    // SAFETY: The rules of the wall: a model, an output.
    unsafe {
        let Some(vocabulary) = vocabulary(model) else {
            return fault::ARGUMENT;
        };
        let Some(all) = self::size(&vocabulary, bytes) else {
            return fault::CAPACITY;
        };
        size.write(all as u64);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the model, `text` and `literal` live until the ids are taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_tokenize_begin(
    work: *mut u8,
    work_bytes: usize,
    model: *const u8,
    text: *const u8,
    bytes: usize,
    literal: *const Literal,
    count: usize,
    flags: u32,
) -> i32 {
    // SAFETY: The rules of the wall: a model; zeroed, exclusive memory.
    unsafe {
        let needed = vocabulary(model).and_then(|vocabulary| size(&vocabulary, bytes));
        if needed.is_none_or(|needed| needed > work_bytes) || flags & !(FIRST | CONTROL) != 0 {
            return fault::ARGUMENT;
        }
        work.cast::<Head>().write(Head {
            model,
            text,
            text_bytes: bytes,
            literal,
            literals: count,
            work_bytes: work_bytes - HEAD,
            done: false,
            tokenizer: Tokenizer::new(flags & FIRST != 0, flags & CONTROL != 0),
        });
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_tokenize_run(work: *mut u8, budget: u32) -> i32 {
    // SAFETY: The rules of the wall: a begun workspace, exclusive; its model, text and literals live.
    unsafe {
        let head = &mut *work.cast::<Head>();
        let memory = slice::from_raw_parts_mut(work.add(HEAD), head.work_bytes);
        let Some(vocabulary) = vocabulary(head.model) else {
            return fault::ARGUMENT;
        };
        let text = match head.text_bytes {
            0 => &[],
            bytes => slice::from_raw_parts(head.text, bytes),
        };
        let literal = match head.literals {
            0 => &[],
            count => slice::from_raw_parts(head.literal, count),
        };
        let text = Text {
            bytes: text,
            literal,
        };
        match head.tokenizer.run(&vocabulary, text, memory, budget) {
            Ok(done) => {
                head.done = done;
                if done { DONE } else { MORE }
            }
            Err(_) => fault::CAPACITY,
        }
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_tokenize_ids(
    work: *const u8,
    ids: *mut *const u32,
    count: *mut u32,
) -> i32 {
    // SAFETY: The rules of the wall: a begun workspace, two outputs.
    unsafe {
        let head = &*work.cast::<Head>();
        if !head.done {
            return fault::ARGUMENT;
        }
        ids.write(work.add(HEAD).cast());
        count.write(head.tokenizer.count());
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_detokenize(
    model: *const u8,
    id: u32,
    flags: u32,
    text: *mut u8,
    capacity: usize,
    length: *mut u32,
) -> i32 {
    // SAFETY: The rules of the wall: a model, `capacity` bytes of text, an output.
    unsafe {
        let Some(vocabulary) = vocabulary(model) else {
            return fault::ARGUMENT;
        };
        if id >= vocabulary.tokens() || flags & !(FIRST | CONTROL) != 0 {
            return fault::ARGUMENT;
        }
        let text = slice::from_raw_parts_mut(text, capacity);
        let piece = if flags & CONTROL != 0 && vocabulary.is_control(id) {
            vocabulary.name(id, text)
        } else {
            vocabulary.piece(id, flags & FIRST != 0, text)
        };
        let Some(bytes) = piece else {
            return fault::CAPACITY;
        };
        // CAST: At most TOKEN_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        length.write(bytes as u32);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_token(
    model: *const u8,
    id: u32,
    kind: *mut u32,
    ends: *mut u32,
) -> i32 {
    // SAFETY: The rules of the wall: a model, two outputs.
    unsafe {
        let Some(vocabulary) = vocabulary(model) else {
            return fault::ARGUMENT;
        };
        if id >= vocabulary.tokens() {
            return fault::ARGUMENT;
        }
        kind.write(vocabulary.kind(id) as u32);
        ends.write(u32::from(vocabulary.ends(id)));
    }
    DONE
}
