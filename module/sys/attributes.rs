// SPDX-License-Identifier: GPL-2.0
//! Attributes of the device in sysfs: facts of one value each.

use core::{marker::PhantomData, ptr};
use kernel::{bindings, prelude::*};

/// What an attribute tells.
#[derive(Clone, Copy)]
pub(crate) enum Fact {
    /// Loaded models.
    Models,
    /// Version of the numerics contract.
    Numerics,
    /// Open files.
    Sessions,
    /// Instruction level of the loops.
    Simd,
}

/// What it is.
pub(crate) enum Value {
    /// In decimal digits.
    Number(u64),
    /// One word.
    Word(&'static CStr),
}

/// For everybody.
const PUBLIC: bindings::umode_t = 0o444;
/// For root: it tells of what others do.
const OWN: bindings::umode_t = 0o400;

/// What has the attributes.
pub(super) trait Tells {
    /// Tells a fact.
    ///
    /// # Safety
    ///
    /// `misc` is that of one that is registered, and stays so during the call.
    unsafe fn tell(misc: *mut bindings::miscdevice, fact: Fact) -> Value;
}

/// The attributes of a device.
pub(super) struct Attributes<T>(PhantomData<T>);

impl<T: Tells> Attributes<T> {
    const MODELS: &'static bindings::device_attribute =
        &attribute(c"models", OWN, show::<T, { Fact::Models as u32 }>);
    const NUMERICS: &'static bindings::device_attribute =
        &attribute(c"numerics", PUBLIC, show::<T, { Fact::Numerics as u32 }>);
    const SESSIONS: &'static bindings::device_attribute =
        &attribute(c"sessions", OWN, show::<T, { Fact::Sessions as u32 }>);
    const SIMD: &'static bindings::device_attribute =
        &attribute(c"simd", PUBLIC, show::<T, { Fact::Simd as u32 }>);
    const LIST: &'static [*const bindings::attribute; 5] = &[
        &raw const Self::MODELS.attr,
        &raw const Self::NUMERICS.attr,
        &raw const Self::SESSIONS.attr,
        &raw const Self::SIMD.attr,
        ptr::null(),
    ];
    const GROUP: &'static bindings::attribute_group = &bindings::attribute_group {
        __bindgen_anon_2: bindings::attribute_group__bindgen_ty_2 {
            attrs_const: Self::LIST.as_ptr(),
        },
        // SAFETY: All-zero bytes are a group without anything.
        ..unsafe { core::mem::zeroed() }
    };
    /// What `struct miscdevice` has as its groups; the kernel only reads them.
    pub(super) const GROUPS: &'static [*const bindings::attribute_group; 2] =
        &[Self::GROUP, ptr::null()];
}

/// The function that prints an attribute.
type Show = unsafe extern "C" fn(
    *mut bindings::device,
    *mut bindings::device_attribute,
    *mut c_char,
) -> isize;

// A kernel with lockdep has more members; `as_char_ptr` is not const.
#[allow(clippy::needless_update, clippy::disallowed_methods)]
const fn attribute(
    name: &'static CStr,
    mode: bindings::umode_t,
    show: Show,
) -> bindings::device_attribute {
    bindings::device_attribute {
        attr: bindings::attribute {
            name: name.as_ptr().cast(),
            mode,
            // SAFETY: All-zero bytes are what lockdep's members begin with.
            ..unsafe { core::mem::zeroed() }
        },
        __bindgen_anon_1: bindings::device_attribute__bindgen_ty_1 { show: Some(show) },
        // SAFETY: As above: it cannot be written to.
        ..unsafe { core::mem::zeroed() }
    }
}

/// Prints an attribute.
///
/// # Safety
///
/// Called by sysfs with the device of a registered misc device and a page to print to.
unsafe extern "C" fn show<T: Tells, const FACT: u32>(
    device: *mut bindings::device,
    _attribute: *mut bindings::device_attribute,
    page: *mut c_char,
) -> isize {
    const MODELS: u32 = Fact::Models as u32;
    const NUMERICS: u32 = Fact::Numerics as u32;
    const SESSIONS: u32 = Fact::Sessions as u32;
    let fact = match FACT {
        MODELS => Fact::Models,
        NUMERICS => Fact::Numerics,
        SESSIONS => Fact::Sessions,
        _ => Fact::Simd,
    };
    // SAFETY: The data of a misc device's device is its `struct miscdevice`. Attributes are removed, and their readers
    // waited for, before it is deregistered.
    let value = unsafe { T::tell((*device).driver_data.cast(), fact) };
    let printed = match value {
        // SAFETY: The page is what sysfs gave us.
        Value::Number(number) => unsafe {
            bindings::sysfs_emit(page, c"%llu\n".as_char_ptr(), number)
        },
        // SAFETY: As above; the word ends with a zero.
        Value::Word(word) => unsafe {
            bindings::sysfs_emit(page, c"%s\n".as_char_ptr(), word.as_char_ptr())
        },
    };
    printed as isize
}
