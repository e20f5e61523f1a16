// SPDX-License-Identifier: GPL-2.0
//! Who opened a file.

use crate::sys::{task, uapi::Record};
use kernel::sync::atomic::{Atomic, Relaxed};

/// Files opened since the module was loaded.
static SESSIONS: Atomic<u64> = Atomic::new(0);

/// Who opened a file, as records tell it.
#[derive(Clone, Copy)]
pub(crate) struct Who {
    /// Number of the file, from 1.
    pub(crate) session: u64,
    /// User id, in the initial user namespace.
    pub(crate) uid: u32,
    /// Process, in the initial PID namespace.
    pub(crate) tgid: u32,
    /// Id of the cgroup (version 2).
    pub(crate) cgroup: u64,
    /// The tenant that CONFIGURE named, 0 for none.
    pub(crate) tenant: u64,
}

impl Who {
    /// The calling task, which opens another file.
    pub(crate) fn opens() -> Self {
        Self::caller(SESSIONS.fetch_add(1, Relaxed).wrapping_add(1))
    }

    /// The calling thread of the module, which compares an answer of the file of number `session`.
    pub(crate) fn compares(session: u64) -> Self {
        Self::caller(session)
    }

    fn caller(session: u64) -> Self {
        Self {
            session,
            uid: task::user(),
            tgid: task::process(),
            cgroup: task::cgroup(),
            tenant: 0,
        }
    }

    /// Writes into a record who it was.
    pub(crate) fn sign(&self, record: &mut Record) {
        record.session = self.session;
        record.uid = self.uid;
        record.tgid = self.tgid;
        record.cgroup = self.cgroup;
        record.tenant = self.tenant;
    }
}
