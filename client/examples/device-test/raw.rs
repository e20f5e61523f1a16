// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bare interface: what a program that follows none of its rules can send.
#![expect(
    unsafe_code,
    reason = "ioctl(2) with arguments that no safe library would make"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use tokio::io::unix::AsyncFd;

pub(crate) use uapi::*;

#[allow(
    missing_docs,
    unreachable_pub,
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
pub(crate) const NOWHERE: u64 = 16;

/// Takes an answer that may be any.
pub(crate) fn whatever<T>(_answer: T) {}

/// A file on the device.
pub(crate) fn open() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/sislm")
}

/// The command `number` as if its argument were `size` bytes long.
pub(crate) fn resized(number: u32, size: usize) -> u32 {
    number & !(0x3fff << 16) | u32::try_from(size).expect("fits an ioctl") << 16
}

/// One ioctl.
pub(crate) fn call<T>(file: &File, number: u32, argument: &mut T) -> Result<(), Errno> {
    let pointer: *mut T = argument;
    // SAFETY: the kernel uses the bytes of `argument` as far as `number` says, which the callers
    // keep within it, and the addresses in it, which are of live buffers or not mapped at all.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(number), pointer) };
    Errno::result(result).map(drop)
}

/// One ioctl whose argument is at an address where nothing is.
pub(crate) fn call_nowhere(file: &File, number: u32) -> Result<(), Errno> {
    // SAFETY: the kernel refuses to copy from an address that is not mapped.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::Ioctl::from(number), NOWHERE) };
    Errno::result(result).map(drop)
}

/// `text` as the name of a model, whatever it holds.
pub(crate) fn name(text: &[u8]) -> [u8; 64] {
    let mut name = [0; 64];
    name[..text.len()].copy_from_slice(text);
    name
}

/// Loads the model in `weights` as `text`.
pub(crate) fn load(device: &File, weights: &File, text: &[u8]) -> Result<(), Errno> {
    let mut load = sislm_load {
        fd: weights.as_raw_fd(),
        name: name(text),
        ..Default::default()
    };
    call(device, SISLM_IOC_LOAD, &mut load)
}

/// Unloads the model `text`, unless it is in use.
pub(crate) fn unload(device: &File, text: &[u8]) -> Result<(), Errno> {
    let mut unload = sislm_unload {
        name: name(text),
        ..Default::default()
    };
    call(device, SISLM_IOC_UNLOAD, &mut unload)
}

/// What poll says about `file` within `timeout` milliseconds.
pub(crate) fn poll(file: &impl AsRawFd, events: i16, timeout: i32) -> Result<i16, Errno> {
    let mut entry = libc::pollfd {
        fd: file.as_raw_fd(),
        events,
        revents: 0,
    };
    // SAFETY: one entry, borrowed until the call returns.
    let result = unsafe { libc::poll(&mut entry, 1, timeout) };
    Errno::result(result).map(|_| entry.revents)
}

/// Time that this thread has computed.
pub(crate) fn cpu_time() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is written before the call returns.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Sets or clears O_NONBLOCK.
pub(crate) fn nonblocking(file: &File, on: bool) -> Result<(), Errno> {
    let flags = libc::O_RDWR | if on { libc::O_NONBLOCK } else { 0 };
    // SAFETY: F_SETFL takes an integer.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) };
    Errno::result(result).map(drop)
}

/// A signal every `microseconds` to this process; 0 ends them. It interrupts calls, unless the kernel
/// is to `restart` them.
pub(crate) fn alarms(microseconds: i64, restart: bool) -> Result<(), Errno> {
    extern "C" fn ignore(_: libc::c_int) {}
    let every = libc::timeval {
        tv_sec: 0,
        tv_usec: microseconds,
    };
    let timer = libc::itimerval {
        it_interval: every,
        it_value: every,
    };
    // SAFETY: the handler does nothing; sigaction's other members are valid when zero.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
        action.sa_flags = if restart { libc::SA_RESTART } else { 0 };
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

/// An address whose page does not come while this is there, as in a file system that does not answer:
/// who touches it waits, in the kernel too.
pub(crate) struct Stalled {
    userfaultfd: OwnedFd,
    page: *mut libc::c_void,
}

/// UFFDIO_API and UFFDIO_REGISTER of linux/userfaultfd.h, with the sizes of their structures.
const UFFDIO: [libc::c_ulong; 2] = [0xc018_aa3f, 0xc020_aa00];
const PAGE: usize = 4096;

impl Stalled {
    /// ENOSYS where the kernel has no userfaultfd(2).
    pub(crate) fn new() -> Result<Self, Errno> {
        let mut api = [0xaa_u64, 0, 0];
        // SAFETY: the structures are those of the two commands, and live until they return; the
        // page is a new mapping of our own, which is never dereferenced here.
        unsafe {
            // One that blocks cannot be polled.
            let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;
            let fd = Errno::result(libc::syscall(libc::SYS_userfaultfd, flags))?;
            let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
            let userfaultfd = OwnedFd::from_raw_fd(fd);
            Errno::result(libc::ioctl(fd, UFFDIO[0], &mut api))?;
            let page = libc::mmap(
                std::ptr::null_mut(),
                PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            if page == libc::MAP_FAILED {
                return Err(Errno::last());
            }
            let mut register = [page as u64, PAGE as u64, 1, 0];
            Errno::result(libc::ioctl(fd, UFFDIO[1], &mut register))?;
            Ok(Self { userfaultfd, page })
        }
    }

    /// The address.
    pub(crate) fn address(&self) -> u64 {
        self.page as u64
    }

    /// Whether somebody waits for the page within `timeout` milliseconds.
    pub(crate) fn is_touched(&self, timeout: i32) -> Result<bool, Errno> {
        poll(&self.userfaultfd, libc::POLLIN, timeout).map(|events| events == libc::POLLIN)
    }

    /// Lets the page come.
    pub(crate) fn release(self) {
        drop(self.userfaultfd);
    }
}

/// read(2) or write(2) of a few bytes at any address.
pub(crate) fn transfer(file: &File, address: u64, write: bool) -> Result<usize, Errno> {
    let (fd, pointer) = (file.as_raw_fd(), address as *mut libc::c_void);
    // SAFETY: the kernel alone uses the address, and gives EFAULT where nothing is mapped.
    let count = unsafe {
        if write {
            libc::write(fd, pointer, 16)
        } else {
            libc::read(fd, pointer, 16)
        }
    };
    Errno::result(count).map(|count| count.unsigned_abs())
}

/// read(2) of `count` bytes to an address where nothing is.
pub(crate) fn read_nowhere(file: &File, count: usize) -> Result<usize, Errno> {
    // SAFETY: the kernel refuses to copy to an address that is not mapped.
    let count = unsafe { libc::read(file.as_raw_fd(), NOWHERE as *mut libc::c_void, count) };
    Errno::result(count).map(|count| count.unsigned_abs())
}

/// The file on the event loop of tokio's runtime, in which this is called.
pub(crate) fn register(file: File) -> io::Result<AsyncFd<File>> {
    // SAFETY: A `File` stays open as long as it lives, and so with the loop that owns it.
    Ok(unsafe { AsyncFd::register(file) }?)
}

/// epoll(7) on one file.
pub(crate) struct Events(OwnedFd);

impl Events {
    /// Registers `file` for `events`.
    pub(crate) fn of(file: &File, events: i32) -> Result<Self, Errno> {
        let mut event = libc::epoll_event {
            events: events.cast_unsigned(),
            u64: 0,
        };
        // SAFETY: a new descriptor, and an event that lives until the call returns.
        unsafe {
            let fd = Errno::result(libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            let epoll = OwnedFd::from_raw_fd(fd);
            let add = libc::EPOLL_CTL_ADD;
            Errno::result(libc::epoll_ctl(fd, add, file.as_raw_fd(), &mut event))?;
            Ok(Self(epoll))
        }
    }

    /// What comes within `timeout` milliseconds; 0 for nothing.
    pub(crate) fn wait(&self, timeout: i32) -> Result<i32, Errno> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: one event, borrowed until the call returns.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), &mut event, 1, timeout) };
        let count = Errno::result(count)?;
        Ok(if count == 0 {
            0
        } else {
            event.events.cast_signed()
        })
    }
}

/// Lets programs that this one starts have `file` under the same number.
pub(crate) fn inherited(file: &File) -> Result<(), Errno> {
    // SAFETY: F_SETFD takes an integer.
    Errno::result(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) }).map(drop)
}

/// The file that [`inherited`] has left under `number`.
pub(crate) fn adopted(number: i32) -> Result<File, Errno> {
    // SAFETY: F_GETFD takes nothing and fails where nothing is open.
    Errno::result(unsafe { libc::fcntl(number, libc::F_GETFD) })?;
    // SAFETY: open, and left for this program by the one that started it.
    Ok(unsafe { File::from_raw_fd(number) })
}

/// Bytes of an [`Area`].
pub(crate) const AREA: usize = 16 * PAGE;

/// Memory whose pages come and go: for the kernel alone, never dereferenced here.
pub(crate) struct Area(*mut libc::c_void);

impl Area {
    /// Writable at first.
    pub(crate) fn new() -> Result<Self, Errno> {
        // SAFETY: a new mapping of our own.
        let area = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                AREA,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if area == libc::MAP_FAILED {
            return Err(Errno::last());
        }
        Ok(Self(area))
    }

    /// An address in it, or past its end.
    pub(crate) fn address(&self, offset: usize) -> u64 {
        self.0 as u64 + offset as u64
    }

    /// Changes what may be done with the page at `offset`, or takes it away.
    pub(crate) fn shake(&self, offset: usize, how: usize) {
        let (read, write) = (libc::PROT_READ, libc::PROT_WRITE);
        let page = offset.min(AREA - 1) / PAGE * PAGE;
        // SAFETY: a page of our own mapping, which no reference leads to.
        unsafe {
            let page = self.0.cast::<u8>().add(page).cast();
            match how {
                0 => libc::mprotect(page, PAGE, libc::PROT_NONE),
                1 => libc::mprotect(page, PAGE, read),
                2 => libc::mprotect(page, PAGE, read | write),
                _ => libc::madvise(page, PAGE, libc::MADV_DONTNEED),
            }
        };
    }
}
