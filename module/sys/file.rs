// SPDX-License-Identifier: GPL-2.0
//! A model file, read from a descriptor.

use super::bindings as sys;
use kernel::{bindings, error::to_result, fs::LocalFile, prelude::*, sync::aref::ARef};

/// A regular file, open for reading.
///
/// # Invariants
///
/// The file is regular and can be read.
pub(crate) struct ModelFile {
    file: ARef<LocalFile>,
}

impl ModelFile {
    /// Takes the file behind descriptor `fd` of the calling task.
    ///
    /// `EBADF`: no such descriptor, or not open for reading. `EISDIR`: a directory. `ESPIPE`: a pipe,
    /// socket or device.
    pub(crate) fn open(fd: i32) -> Result<Self> {
        let file = LocalFile::fget(u32::try_from(fd).map_err(|_| EBADF)?)?;
        // SAFETY: The file is valid: `file` holds a reference.
        let (directory, regular, readable) = unsafe {
            (
                sys::sislm_file_directory(file.as_ptr()),
                sys::sislm_file_regular(file.as_ptr()),
                sys::sislm_file_readable(file.as_ptr()),
            )
        };
        match (directory, regular, readable) {
            (true, _, _) => Err(EISDIR),
            (false, false, _) => Err(ESPIPE),
            (false, true, false) => Err(EBADF),
            // INVARIANT: Just checked.
            (false, true, true) => Ok(Self { file }),
        }
    }

    /// Size in bytes now.
    pub(crate) fn size(&self) -> u64 {
        // SAFETY: The file is valid: `self` holds a reference.
        let size = unsafe { sys::sislm_file_size(self.file.as_ptr()) };
        u64::try_from(size).unwrap_or(0)
    }

    /// Fills `buffer` from `offset`; how many bytes there were, fewer at the end of the file.
    /// The descriptor's own position is neither used nor changed.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        super::task::assert_outside_section();
        let mut position = i64::try_from(offset).map_err(|_| EFBIG)?;
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            // SAFETY: The file can be read by the invariant, and `rest` is writable for its length.
            let read = unsafe {
                bindings::kernel_read(
                    self.file.as_ptr(),
                    rest.as_mut_ptr().cast(),
                    rest.len(),
                    &mut position,
                )
            };
            if read < 0 {
                // CAST: An error number.
                return Err(to_result(read as i32).err().unwrap_or(EIO));
            }
            if read == 0 {
                break;
            }
            filled = filled.saturating_add(read.unsigned_abs());
        }
        Ok(filled)
    }
}
