// SPDX-License-Identifier: GPL-2.0
//! Kernel code that asks: the table behind the exported functions of callers.c.
//!
//! Who calls them keeps this module loaded, so none is called before [`Callers::serve`] or after its end.

use super::{bindings as sys, uapi};
use core::ptr;
use kernel::{prelude::*, sync::Arc, types::ForeignOwnable};

/// What serves kernel code.
pub(crate) trait Serves: Send + Sync + 'static {
    /// A session.
    type Session: Send + Sync + 'static;

    /// Opens one of the calling task's credentials.
    fn open(&self, request: &mut uapi::Configure) -> Result<Arc<Self::Session>>;

    /// Asks, and gives the text to `answer` until the end.
    fn ask(
        session: &Arc<Self::Session>,
        prompt: &[u8],
        answer: &Answer,
        result: &mut uapi::Outcome,
    ) -> Result;

    /// No task uses it any more.
    fn close(session: Arc<Self::Session>);
}

/// What takes the text of an answer.
pub(crate) struct Answer {
    take: unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> c_int,
    data: *mut c_void,
}

impl Answer {
    /// Gives it text; its error ends the turn. No lock may be held: it is the caller's own.
    #[inline(never)]
    pub(crate) fn give(&self, text: &[u8]) -> Result {
        // SAFETY: By `ask`, the caller's function and data, for the time of its call.
        let result = unsafe { (self.take)(self.data, text.as_ptr().cast(), text.len()) };
        match result {
            0.. => Ok(()),
            error => Err(Error::from_errno(error)),
        }
    }
}

/// Calls are served while it lives.
pub(crate) struct Callers<T: Serves> {
    _all: Arc<T>,
}

impl<T: Serves> Callers<T> {
    const TABLE: &'static sys::sislm_callers = &sys::sislm_callers {
        open: Some(open::<T>),
        ask: Some(ask::<T>),
        close: Some(close::<T>),
    };

    /// Serves calls from now on.
    pub(crate) fn serve(all: Arc<T>) -> Self {
        let served = Arc::as_ptr(&all).cast_mut().cast();
        // SAFETY: The table is constant, and what is served lives until `drop`; no other task writes these.
        unsafe { sys::sislm_serve_callers(Self::TABLE, served) };
        Self { _all: all }
    }
}

impl<T: Serves> Drop for Callers<T> {
    fn drop(&mut self) {
        // SAFETY: The module is going: there are no callers.
        unsafe { sys::sislm_serve_callers(ptr::null(), ptr::null_mut()) };
    }
}

/// The errno of a result, negative.
fn errno(result: Result) -> c_int {
    result.map_or_else(Error::to_errno, |()| 0)
}

/// A copy that can be written. Not inlined: it passes over the stack.
#[inline(never)]
fn copy(asked: &uapi::Configure) -> Result<KBox<uapi::Configure>> {
    Ok(KBox::new(*asked, GFP_KERNEL_ACCOUNT)?)
}

/// Opens a session.
///
/// # Safety
///
/// `all` is what [`Callers::serve`] was given, `configuration` readable, `session` writable.
unsafe extern "C" fn open<T: Serves>(
    all: *mut c_void,
    configuration: *const uapi::Configure,
    session: *mut *mut c_void,
) -> c_int {
    // SAFETY: By the caller.
    let (all, asked) = unsafe { (&*all.cast::<T>(), &*configuration) };
    let opened = copy(asked).and_then(|mut request| all.open(&mut request));
    errno(opened.map(|opened| {
        // SAFETY: By the caller.
        unsafe { session.write(opened.into_foreign()) };
    }))
}

/// Asks in a session.
///
/// # Safety
///
/// `session` is one that [`open`] made and that is not closed; `prompt` has `length` bytes, `answer` may be called with `data`,
/// and `result` is writable or null.
unsafe extern "C" fn ask<T: Serves>(
    session: *mut c_void,
    prompt: *const c_char,
    length: usize,
    answer: Option<unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> c_int>,
    data: *mut c_void,
    result: *mut uapi::Outcome,
) -> c_int {
    let Some(take) = answer else {
        return EINVAL.to_errno();
    };
    // SAFETY: By the caller; it is borrowed until the end of this call.
    let session = Arc::from(unsafe { Arc::<T::Session>::borrow(session) });
    let prompt = match length {
        0 => &[],
        // SAFETY: By the caller.
        _ => unsafe { core::slice::from_raw_parts(prompt.cast(), length) },
    };
    let mut outcome = uapi::Outcome::default();
    let asked = T::ask(&session, prompt, &Answer { take, data }, &mut outcome);
    if !result.is_null() {
        // SAFETY: By the caller.
        unsafe { result.write(outcome) };
    }
    errno(asked)
}

/// Closes a session.
///
/// # Safety
///
/// `session` is one that [`open`] made, and this is its last use.
unsafe extern "C" fn close<T: Serves>(session: *mut c_void) {
    // SAFETY: By the caller.
    T::close(unsafe { Arc::from_foreign(session) });
}
