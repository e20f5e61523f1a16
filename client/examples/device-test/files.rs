// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors that LOAD cannot take, each with an errno of its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::libc;

use crate::raw::*;
use crate::report::{Failure, Report};

/// Hands LOAD what is no regular file open for reading, and `model` through a descriptor with a position.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = open()?;
    let wrong = [Errno::EINVAL, Errno::EISDIR, Errno::ESPIPE];
    report.refused(
        "files/directory",
        load(&device, File::open("/")?.as_raw_fd()),
        &wrong,
    );
    report.refused(
        "files/character-device",
        load(&device, File::open("/dev/zero")?.as_raw_fd()),
        &wrong,
    );
    let (reader, _writer) = io::pipe()?;
    report.refused(
        "files/pipe",
        load(&device, reader.as_raw_fd()),
        &[Errno::EINVAL, Errno::ESPIPE],
    );
    report.refused(
        "files/the-device-itself",
        load(&device, device.as_raw_fd()),
        &wrong,
    );

    let copy = "/tmp/files.gguf";
    fs::copy(model, copy)?;
    let write_only = OpenOptions::new().write(true).open(copy)?;
    report.refused(
        "files/write-only",
        load(&device, write_only.as_raw_fd()),
        &[Errno::EBADF],
    );
    let path_only = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH)
        .open(copy)?;
    report.refused(
        "files/path-only",
        load(&device, path_only.as_raw_fd()),
        &[Errno::EBADF],
    );

    let mut placed = OpenOptions::new().read(true).open(copy)?;
    io::Seek::seek(&mut placed, io::SeekFrom::Start(7))?;
    report.equal(
        "files/position-is-not-used",
        load(&device, placed.as_raw_fd()),
        Ok(()),
    );
    report.equal(
        "files/position-is-not-changed",
        io::Seek::stream_position(&mut placed)?,
        7,
    );
    unload(&device, b"files")?;
    fs::remove_file(copy)?;

    let only_writing = OpenOptions::new().write(true).open("/dev/sislm");
    report.equal(
        "files/device-opened-for-writing-only",
        only_writing.err().and_then(|e| e.raw_os_error()),
        Some(libc::EINVAL),
    );
    Ok(())
}

fn load(device: &File, descriptor: RawFd) -> Result<(), Errno> {
    let mut load = sislm_load {
        fd: descriptor,
        name: name(b"files"),
        ..Default::default()
    };
    call(device, SISLM_IOC_LOAD, &mut load)
}
