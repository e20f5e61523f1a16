// SPDX-License-Identifier: GPL-2.0
//! The bare interface: what a program that follows none of its rules can send.
#![expect(unsafe_code, reason = "ioctl(2) with arguments that no safe library would make")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

pub use uapi::*;

#[allow(missing_docs, non_camel_case_types, non_upper_case_globals, dead_code, unused_qualifications, clippy::all)]
#[allow(clippy::undocumented_unsafe_blocks, reason = "bindgen's Default of arrays over 32 bytes")]
mod uapi {
    include!(concat!(env!("OUT_DIR"), "/uapi.rs"));
}

/// An address where nothing is mapped.
pub const NOWHERE: u64 = 16;

/// A file on the device.
pub fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/sislm")
}

/// The command `number` as if its argument were `size` bytes long.
pub fn resized(number: u32, size: usize) -> u32 {
    number & !(0x3fff << 16) | u32::try_from(size).expect("fits an ioctl") << 16
}

/// One ioctl.
pub fn call<T>(file: &File, number: u32, argument: &mut T) -> Result<(), Errno> {
    let pointer: *mut T = argument;
    // SAFETY: the kernel uses the bytes of `argument` as far as `number` says, which the callers
    // keep within it, and the addresses in it, which are of live buffers or not mapped at all.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(number), pointer) };
    Errno::result(result).map(drop)
}

/// One ioctl whose argument is at an address where nothing is.
pub fn call_nowhere(file: &File, number: u32) -> Result<(), Errno> {
    // SAFETY: the kernel refuses to copy from an address that is not mapped.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(number), NOWHERE) };
    Errno::result(result).map(drop)
}

/// `text` as the name of a model, whatever it holds.
pub fn name(text: &[u8]) -> [u8; 64] {
    let mut name = [0; 64];
    name[..text.len()].copy_from_slice(text);
    name
}
