// SPDX-License-Identifier: GPL-2.0
//! The device node: the kernel crate's misc device with what it lacks.
//!
//! `MiscDevice` of Linux 7.2 does not set the owner of its file operations: `rmmod` would succeed
//! while a file is open. Nor does it set their `poll`, the node's mode is the default, and it has no attributes.
//! Every difference between kernel versions of the device belongs here.

use super::{
    attributes::{Attributes, Fact, Tells, Value},
    bindings as sys,
    wait::WaitQueue, //
};
use kernel::{
    bindings,
    error::to_result,
    fs::{File, Kiocb, LocalFile},
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    prelude::*,
    sync::Arc,
    types::{ForeignOwnable, Opaque},
};

/// What a poller asks for or gets.
pub(crate) const POLLIN: u32 = bindings::POLLIN | bindings::POLLRDNORM;
/// Room to write.
pub(crate) const POLLOUT: u32 = bindings::POLLOUT | bindings::POLLWRNORM;
/// An error waits.
pub(crate) const POLLERR: u32 = bindings::POLLERR;

/// A misc device with a poll function, and what all its files share.
pub(crate) trait Device: MiscDevice {
    /// Shared by all open files.
    type Shared: Send + Sync + 'static;

    /// The queue that is woken whenever the answer of [`Device::poll`] may have changed.
    fn queue<'a>(device: &'a <Self::Ptr as ForeignOwnable>::Borrowed<'_>) -> &'a WaitQueue;

    /// What an attribute in sysfs tells.
    fn fact(shared: &Self::Shared, fact: Fact) -> Value;

    /// What is ready now. `wanted` is what the poller asks for.
    fn poll(device: <Self::Ptr as ForeignOwnable>::Borrowed<'_>, wanted: u32) -> u32;
}

/// A registered device node.
///
/// # Invariants
///
/// `misc` is first, so that a pointer to it is a pointer to the node; it is registered.
#[repr(C)]
#[pin_data(PinnedDrop)]
pub(crate) struct Node<T: Device> {
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    shared: Arc<T::Shared>,
}

// SAFETY: Registration and its end may happen on different tasks.
unsafe impl<T: Device> Send for Node<T> {}
// SAFETY: What is shared is `Sync`.
unsafe impl<T: Device> Sync for Node<T> {}

impl<T: Device> Node<T> {
    const OPERATIONS: bindings::file_operations = {
        let raw = MiscDeviceOptions { name: c"sislm" }.into_raw::<T>();
        // SAFETY: `into_raw` points to a constant table.
        let mut operations = unsafe { *raw.fops };
        operations.owner = crate::THIS_MODULE.as_ptr();
        operations.open = Some(open::<T>);
        operations.poll = Some(poll::<T>);
        operations
    };
    const TABLE: &'static bindings::file_operations = &Self::OPERATIONS;

    /// Registers `/dev/sislm` with mode 0660, and its attributes.
    pub(crate) fn register(shared: Arc<T::Shared>) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            shared,
            // INVARIANT: Registered here, the last field to be made.
            misc <- Opaque::try_ffi_init(|slot: *mut bindings::miscdevice| {
                let mut raw = MiscDeviceOptions { name: c"sislm" }.into_raw::<T>();
                raw.fops = Self::TABLE;
                raw.mode = 0o660;
                raw.groups = Attributes::<Self>::GROUPS.as_ptr().cast_mut();
                // SAFETY: `slot` is valid for writing and pinned until `misc_deregister`.
                to_result(unsafe {
                    slot.write(raw);
                    bindings::misc_register(slot)
                })
            }),
        })
    }
}

impl<T: Device> Tells for Node<T> {
    unsafe fn tell(misc: *mut bindings::miscdevice, fact: Fact) -> Value {
        // SAFETY: By the caller and the invariant, it is the first field of a node, whose other one was made before.
        let node = unsafe { &*misc.cast::<Self>() };
        T::fact(&node.shared, fact)
    }
}

#[pinned_drop]
impl<T: Device> PinnedDrop for Node<T> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Registered by the invariant.
        unsafe { bindings::misc_deregister(self.misc.get()) };
    }
}

/// What all files of the device share, for [`MiscDevice::open`].
pub(crate) fn shared<T: Device>(registration: &MiscDeviceRegistration<T>) -> &Arc<T::Shared> {
    // SAFETY: Every registration of a `Device` is the first field of a `Node`, by its invariant.
    let node = unsafe { &*registration.as_raw().cast::<Node<T>>() };
    &node.shared
}

/// Whether the file was opened by an administrator and the caller is one.
pub(crate) fn is_administrator(file: &LocalFile) -> bool {
    // SAFETY: The file is open.
    unsafe { sys::sislm_file_admin(file.as_ptr()) }
}

/// The open function of the device.
///
/// # Safety
///
/// Called by the VFS with the file being opened.
unsafe extern "C" fn open<T: Device>(
    inode: *mut bindings::inode,
    file: *mut bindings::file,
) -> c_int {
    // SAFETY: The file is valid and not shared yet.
    let flags = unsafe { (*file).f_flags };
    // A turn is started by reading: a file that cannot be read can do nothing.
    if flags & bindings::O_ACCMODE == bindings::O_WRONLY {
        return EINVAL.to_errno();
    }
    // SAFETY: As above; a stream has no position, so no pread, pwrite or seek.
    let result = unsafe { bindings::stream_open(inode, file) };
    if result != 0 {
        return result;
    }
    let table = MiscDeviceOptions { name: c"sislm" }.into_raw::<T>().fops;
    // SAFETY: The table is constant; its open function gets what the VFS gave us.
    match unsafe { (*table).open } {
        // SAFETY: As above.
        Some(open) => unsafe { open(inode, file) },
        None => ENXIO.to_errno(),
    }
}

/// The poll function of the device.
///
/// # Safety
///
/// Called by the VFS with an open file of it.
unsafe extern "C" fn poll<T: Device>(
    file: *mut bindings::file,
    table: *mut bindings::poll_table,
) -> bindings::__poll_t {
    // SAFETY: The private data of an open file is what `MiscDevice::open` returned.
    let device = unsafe { <T::Ptr as ForeignOwnable>::borrow((*file).private_data) };
    // SAFETY: The file is open; `table` is null or valid during this call.
    let (file, wanted) = unsafe { (File::from_raw_file(file), sys::sislm_poll_requested(table)) };
    T::queue(&device).register(file, table);
    T::poll(device, wanted)
}

/// Whether a read may wait: neither `O_NONBLOCK` nor `RWF_NOWAIT` is given.
pub(crate) fn may_wait<T: ForeignOwnable>(kiocb: &Kiocb<'_, T>) -> bool {
    // SAFETY: The request and its file are valid during the call.
    !unsafe { sys::sislm_kiocb_nowait(kiocb.as_raw()) }
}
