// SPDX-License-Identifier: GPL-2.0
//! A file without a name that is read and polled, such as the one that TRACE gives. It holds a reference to the module.

use super::{bindings as sys, wait::WaitQueue};
use core::marker::PhantomData;
use kernel::{
    bindings,
    error::from_err_ptr,
    fs::{file::FileDescriptorReservation, File},
    prelude::*,
    sync::{aref::ARef, Arc},
    types::ForeignOwnable, //
};

/// What such a file reads.
pub(crate) trait Stream: Send + Sync + 'static {
    /// Its name in /proc/PID/fd.
    const NAME: &'static CStr;

    /// The queue that is woken when there is more to read.
    fn queue(&self) -> &WaitQueue;

    /// Whether a read would give something at once.
    fn is_readable(&self) -> bool;

    /// Copies at most `count` bytes to the caller's memory at `address`; how many. `EAGAIN`: there are none
    /// and it may not wait.
    fn read(&self, address: u64, count: usize, may_wait: bool) -> Result<usize>;
}

/// The file operations of streams of a type.
struct Operations<T>(PhantomData<T>);

impl<T: Stream> Operations<T> {
    const VALUES: bindings::file_operations = {
        let mut operations: bindings::file_operations = pin_init::zeroed();
        operations.owner = crate::THIS_MODULE.as_ptr();
        operations.read = Some(read::<T>);
        operations.poll = Some(poll::<T>);
        operations.release = Some(release::<T>);
        operations
    };
    const TABLE: &'static bindings::file_operations = &Self::VALUES;
}

/// Makes a file that reads `stream` and tells its descriptor through `tell` before anybody can use it.
pub(crate) fn open<T: Stream>(stream: Arc<T>, tell: impl FnOnce(i32) -> Result) -> Result {
    let descriptor = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    let stream = stream.into_foreign();
    // SAFETY: The name and the table are constants; on success the file owns the reference.
    let file = from_err_ptr(unsafe {
        sys::anon_inode_getfile(
            T::NAME.as_char_ptr(),
            Operations::<T>::TABLE,
            stream,
            bindings::O_RDONLY.cast_signed(),
        )
    });
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            // SAFETY: Given above, and to nobody else.
            drop(unsafe { Arc::<T>::from_foreign(stream) });
            return Err(error);
        }
    };
    // SAFETY: The file is new; a stream has no position. It always succeeds.
    unsafe { bindings::stream_open(core::ptr::null_mut(), file) };
    // SAFETY: Not null, and its only reference is ours.
    let file: ARef<File> =
        unsafe { ARef::from_raw(core::ptr::NonNull::new_unchecked(file).cast()) };
    // CAST: A descriptor fits.
    tell(descriptor.reserved_fd().cast_signed())?;
    descriptor.fd_install(file);
    Ok(())
}

/// The read function.
///
/// # Safety
///
/// Called by the VFS with an open file of [`open`].
unsafe extern "C" fn read<T: Stream>(
    file: *mut bindings::file,
    buffer: *mut c_char,
    count: usize,
    _position: *mut bindings::loff_t,
) -> isize {
    // SAFETY: The private data of an open file is what `open` gave it.
    let (stream, flags) = unsafe { (Arc::<T>::borrow((*file).private_data), (*file).f_flags) };
    let may_wait = flags & bindings::O_NONBLOCK == 0;
    match stream.read(buffer.addr() as u64, count, may_wait) {
        Ok(count) => count.cast_signed(),
        Err(error) => error.to_errno() as isize,
    }
}

/// The poll function.
///
/// # Safety
///
/// Called by the VFS with an open file of [`open`].
unsafe extern "C" fn poll<T: Stream>(
    file: *mut bindings::file,
    table: *mut bindings::poll_table,
) -> bindings::__poll_t {
    // SAFETY: As in `read`; `table` is null or valid during this call.
    let (stream, file) = unsafe {
        let stream = Arc::<T>::borrow((*file).private_data);
        (stream, File::from_raw_file(file))
    };
    stream.queue().register(file, table);
    if stream.is_readable() {
        super::node::POLLIN
    } else {
        0
    }
}

/// The release function.
///
/// # Safety
///
/// Called by the VFS with the last reference to a file of [`open`].
unsafe extern "C" fn release<T: Stream>(
    _inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> c_int {
    // SAFETY: Nobody uses the file any more.
    drop(unsafe { Arc::<T>::from_foreign((*file).private_data) });
    0
}
