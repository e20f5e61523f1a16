// SPDX-License-Identifier: MIT OR Apache-2.0
//! The ioctls of the device, and kcmp(2), as checked calls.
#![expect(
    unsafe_code,
    reason = "ioctl(2) takes a pointer whose type the compiler cannot check, and kcmp(2) has no function in libc"
)]

use std::cmp::Ordering;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;

use crate::uapi::*;
use crate::Error;

/// The argument of an ioctl that the kernel reads and writes, and that holds no pointer.
///
/// # Safety
///
/// `NUMBER` is the command whose argument is `Self`, and no member of `Self` is an address.
pub(crate) unsafe trait Argument {
    /// Command number, size included.
    const NUMBER: u32;
}

macro_rules! argument {
    ($($type:ident = $number:ident),* $(,)?) => {$(
        // SAFETY: the header pairs this structure with this number; it holds no address.
        unsafe impl Argument for $type {
            const NUMBER: u32 = $number;
        }
    )*};
}

argument! {
    sislm_query = SISLM_IOC_QUERY,
    sislm_unload = SISLM_IOC_UNLOAD,
    sislm_progress = SISLM_IOC_PROGRESS,
    sislm_model = SISLM_IOC_MODEL,
    sislm_configure = SISLM_IOC_CONFIGURE,
    sislm_statistics = SISLM_IOC_STATISTICS,
    sislm_selftest = SISLM_IOC_SELFTEST,
    sislm_bench = SISLM_IOC_BENCH,
    sislm_receipt = SISLM_IOC_RECEIPT,
    sislm_limits = SISLM_IOC_LIMITS,
    sislm_metrics = SISLM_IOC_METRICS,
    sislm_alias = SISLM_IOC_ALIAS,
    sislm_shadow = SISLM_IOC_SHADOW,
}

/// The order of two open files, each a process and a descriptor of it: equal when they are one.
pub(crate) fn order_files(one: (i32, i32), other: (i32, i32)) -> nix::Result<Ordering> {
    /// `enum kcmp_type` of linux/kcmp.h.
    const KCMP_FILE: libc::c_int = 0;
    // SAFETY: kcmp(2) takes five numbers and touches no memory of this process.
    let result =
        unsafe { libc::syscall(libc::SYS_kcmp, one.0, other.0, KCMP_FILE, one.1, other.1) };
    match Errno::result(result)? {
        0 => Ok(Ordering::Equal),
        1 => Ok(Ordering::Less),
        2 => Ok(Ordering::Greater),
        // Unequal, and without an order.
        _ => Err(Errno::EOPNOTSUPP),
    }
}

/// Makes the call that belongs to `argument`.
pub(crate) fn call<T: Argument>(file: BorrowedFd<'_>, argument: &mut T) -> nix::Result<()> {
    // SAFETY: the kernel reads and writes size_of::<T>() bytes, as NUMBER encodes, and by the
    // invariant of Argument nothing beyond them.
    unsafe { raw(file, T::NUMBER, argument) }
}

/// TRACE: a descriptor that reads records.
pub(crate) fn trace(file: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    let mut argument = sislm_trace { flags: 0, fd: -1 };
    // SAFETY: the kernel reads and writes the structure and nothing beyond it.
    unsafe { raw(file, SISLM_IOC_TRACE, &mut argument) }?;
    // SAFETY: the kernel has opened it for this call, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(argument.fd) })
}

/// LOAD: `parts` follow the file of the argument, and `adapters` are loaded with it.
pub(crate) fn load(
    file: BorrowedFd<'_>,
    argument: &mut sislm_load,
    parts: &[sislm_part],
    adapters: &[sislm_adapter_file],
) -> nix::Result<()> {
    argument.parts = parts.as_ptr() as u64;
    argument.part_count = u32::try_from(parts.len()).map_err(|_| Errno::EFBIG)?;
    argument.adapters = adapters.as_ptr() as u64;
    argument.adapter_count = u32::try_from(adapters.len()).map_err(|_| Errno::EFBIG)?;
    // SAFETY: the kernel reads `part_count` entries of `parts` and `adapter_count` of `adapters`, borrowed until
    // the call has returned.
    unsafe { raw(file, SISLM_IOC_LOAD, argument) }
}

/// RESET: empties the context.
pub(crate) fn reset(file: BorrowedFd<'_>) -> nix::Result<()> {
    // SAFETY: RESET has no argument; the kernel does not touch the address.
    unsafe { raw(file, SISLM_IOC_RESET, &mut ()) }
}

/// CANCEL: ends the turn, or drops the prompt that waits.
pub(crate) fn cancel(file: BorrowedFd<'_>) -> nix::Result<()> {
    // SAFETY: CANCEL has no argument; the kernel does not touch the address.
    unsafe { raw(file, SISLM_IOC_CANCEL, &mut ()) }
}

/// METADATA: the string of `key` of the model `name`. Returns how many bytes it has, with ENOSPC more
/// than fit in `text`.
pub(crate) fn metadata(
    file: BorrowedFd<'_>,
    name: [u8; SISLM_NAME_MAX as usize],
    key: [u8; SISLM_KEY_MAX as usize],
    text: &mut [u8],
) -> (usize, nix::Result<()>) {
    let mut argument = sislm_metadata {
        name,
        key,
        text: text.as_mut_ptr() as u64,
        capacity: capacity(text),
        ..Default::default()
    };
    // SAFETY: the kernel writes at most `capacity` bytes of `text`, borrowed until the call returns.
    let result = unsafe { raw(file, SISLM_IOC_METADATA, &mut argument) };
    (argument.length as usize, result)
}

/// TOKENIZE: `text` to `ids`; `literal` are the parts in which no control token is parsed. Returns how many
/// ids there are, with ENOSPC more than fit.
pub(crate) fn tokenize(
    file: BorrowedFd<'_>,
    text: &[u8],
    literal: &[sislm_literal],
    ids: &mut [u32],
    flags: u32,
) -> (usize, nix::Result<()>) {
    let (Ok(length), Ok(literal_count)) = (u32::try_from(text.len()), u32::try_from(literal.len()))
    else {
        return (0, Err(Errno::EMSGSIZE));
    };
    let mut argument = sislm_tokenize {
        text: text.as_ptr() as u64,
        ids: ids.as_mut_ptr() as u64,
        length,
        capacity: capacity(ids),
        flags,
        count: 0,
        literal: literal.as_ptr() as u64,
        literal_count,
        pad: 0,
    };
    // SAFETY: the kernel reads `length` bytes of `text` and `literal_count` parts, and writes at most
    // `capacity` ids, all borrowed until the call returns.
    let result = unsafe { raw(file, SISLM_IOC_TOKENIZE, &mut argument) };
    (argument.count as usize, result)
}

/// VOCABULARY: the tokens of the model `name`; `kinds` and `ends` have one entry each. Returns how many
/// tokens and bytes there are, with ENOSPC more than fit.
pub(crate) fn vocabulary(
    file: BorrowedFd<'_>,
    name: [u8; SISLM_NAME_MAX as usize],
    kinds: &mut [u8],
    ends: &mut [u32],
    text: &mut [u8],
) -> (usize, usize, nix::Result<()>) {
    let mut argument = sislm_vocabulary {
        name,
        types: kinds.as_mut_ptr() as u64,
        ends: ends.as_mut_ptr() as u64,
        text: text.as_mut_ptr() as u64,
        capacity: capacity(kinds).min(capacity(ends)),
        text_capacity: capacity(text),
        ..Default::default()
    };
    // SAFETY: the kernel writes at most `capacity` entries of `kinds` and of `ends` and `text_capacity`
    // bytes of `text`, all borrowed until the call returns.
    let result = unsafe { raw(file, SISLM_IOC_VOCABULARY, &mut argument) };
    (
        argument.count as usize,
        argument.text_length as usize,
        result,
    )
}

/// PROMPT: gives `ids` as prompt.
pub(crate) fn prompt(file: BorrowedFd<'_>, ids: &[u32]) -> nix::Result<()> {
    let mut argument = sislm_prompt {
        ids: ids.as_ptr() as u64,
        count: u32::try_from(ids.len()).map_err(|_| Errno::EMSGSIZE)?,
        flags: 0,
    };
    // SAFETY: the kernel reads `count` ids, borrowed until the call returns.
    unsafe { raw(file, SISLM_IOC_PROMPT, &mut argument) }
}

/// DETOKENIZE: `ids` to `text`. Returns how many bytes there are, with ENOSPC more than fit.
pub(crate) fn detokenize(
    file: BorrowedFd<'_>,
    ids: &[u32],
    text: &mut [u8],
    flags: u32,
) -> (usize, nix::Result<()>) {
    let Ok(count) = u32::try_from(ids.len()) else {
        return (0, Err(Errno::EMSGSIZE));
    };
    let mut argument = sislm_detokenize {
        ids: ids.as_ptr() as u64,
        text: text.as_mut_ptr() as u64,
        count,
        capacity: capacity(text),
        flags,
        length: 0,
    };
    // SAFETY: the kernel reads `count` ids and writes at most `capacity` bytes of `text`, both
    // borrowed until the call returns.
    let result = unsafe { raw(file, SISLM_IOC_DETOKENIZE, &mut argument) };
    (argument.length as usize, result)
}

/// RESULT: the last turn, with its prompt's ids and its generated ids as far as the slices go.
pub(crate) fn result(
    file: BorrowedFd<'_>,
    prompt_ids: &mut [u32],
    ids: &mut [u32],
) -> nix::Result<sislm_result> {
    let address = |ids: &mut [u32]| {
        if ids.is_empty() {
            0
        } else {
            ids.as_mut_ptr() as u64
        }
    };
    let mut argument = sislm_result {
        prompt_ids: address(prompt_ids),
        ids: address(ids),
        prompt_capacity: capacity(prompt_ids),
        capacity: capacity(ids),
        ..Default::default()
    };
    // SAFETY: the kernel writes at most the capacities given, into slices borrowed until the call
    // returns, and nothing to an address of 0.
    unsafe { raw(file, SISLM_IOC_RESULT, &mut argument) }?;
    Ok(argument)
}

/// RUN: a turn in one call, continued after signals until it is over. Returns the bytes of the answer,
/// with ENOSPC more than fit in `text`.
pub(crate) fn run(
    file: BorrowedFd<'_>,
    prompt: &[u8],
    text: &mut [u8],
) -> (usize, nix::Result<()>) {
    let Ok(prompt_length) = u32::try_from(prompt.len()) else {
        return (0, Err(Errno::EMSGSIZE));
    };
    let mut argument = sislm_run {
        prompt: prompt.as_ptr() as u64,
        text: text.as_mut_ptr() as u64,
        prompt_length,
        capacity: capacity(text),
        ..Default::default()
    };
    loop {
        // SAFETY: the kernel reads `prompt_length` bytes of `prompt` and writes at most `capacity`
        // bytes of `text`, both borrowed until the last call has returned; the addresses in `result`
        // are 0.
        match unsafe { raw(file, SISLM_IOC_RUN, &mut argument) } {
            Err(Errno::EINTR) => continue,
            result => return (argument.length as usize, result),
        }
    }
}

/// NEXT: the next token of turn `turn`, 0 to begin one, continued after signals. `mask` may be empty, and
/// as many of the most likely tokens are told as `top` has room for.
pub(crate) fn next(
    file: BorrowedFd<'_>,
    turn: u64,
    mask: &[u32],
    forced: &[u32],
    top: &mut [sislm_candidate],
) -> nix::Result<sislm_next> {
    let place = |list: &[u32]| match list.len() {
        0 => 0,
        _ => list.as_ptr() as u64,
    };
    let mut argument = sislm_next {
        turn,
        mask: place(mask),
        forced: place(forced),
        top: match top.len() {
            0 => 0,
            _ => top.as_mut_ptr() as u64,
        },
        mask_count: capacity(mask),
        forced_count: capacity(forced),
        top_k: capacity(top),
        ..Default::default()
    };
    loop {
        // SAFETY: the kernel reads `mask_count` and `forced_count` entries and writes `top_k` candidates,
        // all borrowed until the last call has returned.
        match unsafe { raw(file, SISLM_IOC_NEXT, &mut argument) } {
            Ok(()) => return Ok(argument),
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
        }
    }
}

/// EVALUATE: continued after signals until all rows are done.
///
/// `log_probabilities` holds one entry per id; `top` holds `top_k` candidates per id.
pub(crate) fn evaluate(
    file: BorrowedFd<'_>,
    ids: &[u32],
    log_probabilities: &mut [i32],
    top: &mut [sislm_candidate],
    top_k: u32,
) -> nix::Result<sislm_evaluate> {
    let count = u32::try_from(ids.len()).map_err(|_| Errno::EMSGSIZE)?;
    if log_probabilities.len() != ids.len()
        || Some(top.len()) != ids.len().checked_mul(top_k as usize)
    {
        return Err(Errno::EINVAL);
    }
    let mut argument = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        log_probabilities: log_probabilities.as_mut_ptr() as u64,
        top: if top.is_empty() {
            0
        } else {
            top.as_mut_ptr() as u64
        },
        count,
        top_k,
        ..Default::default()
    };
    loop {
        // SAFETY: the kernel reads `count` ids and writes `count` log-probabilities and `count`
        // rows of `top_k` candidates; the lengths were compared above, and the slices are
        // borrowed until the last call has returned.
        match unsafe { raw(file, SISLM_IOC_EVALUATE, &mut argument) } {
            Ok(()) => return Ok(argument),
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
        }
    }
}

/// EVALUATE: the embedding of `ids`, with `pooling` one of `SISLM_POOLING_*`. Returns the one that was made.
pub(crate) fn embed(
    file: BorrowedFd<'_>,
    ids: &[u32],
    embeddings: &mut [f32],
    pooling: u32,
) -> nix::Result<sislm_evaluate> {
    let mut argument = sislm_evaluate {
        ids: ids.as_ptr() as u64,
        count: u32::try_from(ids.len()).map_err(|_| Errno::EMSGSIZE)?,
        flags: SISLM_EVALUATE_EMBED,
        embeddings: embeddings.as_mut_ptr() as u64,
        embeddings_capacity: capacity(embeddings),
        pooling,
        ..Default::default()
    };
    loop {
        // SAFETY: the kernel reads `count` ids and writes at most `embeddings_capacity` values, of
        // which any bits are one; both are borrowed until the last call has returned.
        match unsafe { raw(file, SISLM_IOC_EVALUATE, &mut argument) } {
            Ok(()) => return Ok(argument),
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno),
        }
    }
}

/// Calls `request` with room for `guess` entries, and again with what it asks for.
pub(crate) fn grown<T: Clone + Default>(
    doing: &'static str,
    guess: usize,
    mut request: impl FnMut(&mut [T]) -> (usize, nix::Result<()>),
) -> Result<Vec<T>, Error> {
    let mut entries = vec![T::default(); guess];
    loop {
        match request(&mut entries) {
            (count, Ok(())) => {
                entries.truncate(count);
                return Ok(entries);
            }
            (count, Err(Errno::ENOSPC)) if count > entries.len() => {
                entries.resize(count, T::default())
            }
            (_, Err(Errno::EINTR)) => continue,
            (_, Err(errno)) => return Err(Error::Call { doing, errno }),
        }
    }
}

/// Entries of `slice`, as the interface counts them; a slice that is longer is used in part.
fn capacity<T>(slice: &[T]) -> u32 {
    u32::try_from(slice.len()).unwrap_or(u32::MAX)
}

/// # Safety
///
/// `argument` is what the command `number` takes, and the addresses in it are good for what the
/// command does with them.
unsafe fn raw<T>(file: BorrowedFd<'_>, number: u32, argument: &mut T) -> nix::Result<()> {
    let pointer: *mut T = argument;
    // SAFETY: the caller's promise; the descriptor is open while it is borrowed.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(number), pointer) };
    Errno::result(result).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_grows_to_what_is_asked_for() {
        let answer = grown("test", 1, |ids: &mut [u32]| {
            let result = if ids.len() < 3 {
                Err(Errno::ENOSPC)
            } else {
                Ok(())
            };
            (3, result)
        });
        assert_eq!(answer.unwrap(), [0, 0, 0]);
        let stuck = grown("test", 1, |_: &mut [u32]| (0, Err(Errno::ENOSPC)));
        assert_eq!(stuck.unwrap_err().errno(), Errno::ENOSPC);
    }
}
