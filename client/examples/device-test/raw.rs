// SPDX-License-Identifier: GPL-2.0
//! The bare interface: what a program that follows none of its rules can send.
#![expect(
    unsafe_code,
    reason = "ioctl(2) with arguments that no safe library would make"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;

pub use uapi::*;

#[allow(
    missing_docs,
    non_camel_case_types,
    non_upper_case_globals,
    dead_code,
    unused_qualifications,
    clippy::all
)]
#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "bindgen's Default of arrays over 32 bytes"
)]
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

/// What poll says about `file` within `timeout` milliseconds.
pub fn poll(file: &File, events: i16, timeout: i32) -> Result<i16, Errno> {
    let mut entry = libc::pollfd {
        fd: file.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: one entry, borrowed until the call returns.
    let result = unsafe { libc::poll(&mut entry, 1, timeout) };
    Errno::result(result).map(|_| entry.revents)
}

/// Sets or clears O_NONBLOCK.
pub fn nonblocking(file: &File, on: bool) -> Result<(), Errno> {
    let flags = libc::O_RDWR | if on { libc::O_NONBLOCK } else { 0 };
    // SAFETY: F_SETFL takes an integer.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) };
    Errno::result(result).map(drop)
}

/// A signal every `microseconds` to this process, that interrupts its calls; 0 ends them.
pub fn alarms(microseconds: i64) -> Result<(), Errno> {
    extern "C" fn ignore(_: libc::c_int) {}
    let every = libc::timeval {
        tv_sec: 0,
        tv_usec: microseconds,
    };
    let timer = libc::itimerval {
        it_interval: every,
        it_value: every,
    };
    // SAFETY: the handler does nothing; sigaction's other members are valid when zero, and no
    // SA_RESTART among its flags lets calls end with EINTR.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        Errno::result(libc::sigaction(
            libc::SIGALRM,
            &action,
            std::ptr::null_mut(),
        ))?;
        Errno::result(libc::setitimer(
            libc::ITIMER_REAL,
            &timer,
            std::ptr::null_mut(),
        ))?;
    }
    Ok(())
}
