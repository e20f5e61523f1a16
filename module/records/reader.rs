// SPDX-License-Identifier: GPL-2.0
//! A descriptor of TRACE: a place in the records.

use crate::{
    records::recorder::Recorder,
    sys::{
        stream::{self, Stream},
        uapi::Record,
        user,
        wait::{WaitQueue, Woken, FOREVER},
    }, //
};
use core::mem::size_of;
use kernel::{
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Full},
        Arc, //
    },
};

/// Most records that one read gives.
const RECORDS_MAX: usize = 16;

/// The place of a descriptor.
struct Reader {
    recorder: Arc<Recorder>,
    /// Sequence of the next record to read.
    place: Atomic<u64>,
}

/// Opens a descriptor at the oldest record and gives it to `tell`. `ENFILE`: there are too many.
pub(crate) fn open(recorder: &Arc<Recorder>, tell: impl FnOnce(i32) -> Result) -> Result {
    recorder.enter()?;
    let reader = Reader {
        recorder: recorder.clone(),
        place: Atomic::new(1),
    };
    stream::open(Arc::new(reader, GFP_KERNEL_ACCOUNT)?, tell)
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.recorder.leave();
    }
}

impl Stream for Reader {
    const NAME: &'static CStr = c"[sislm-trace]";

    fn queue(&self) -> &WaitQueue {
        &self.recorder.wait
    }

    fn is_readable(&self) -> bool {
        self.recorder.has(self.place.load(Acquire))
    }

    fn read(&self, address: u64, count: usize, may_wait: bool) -> Result<usize> {
        let most = (count / size_of::<Record>()).min(RECORDS_MAX);
        if most == 0 {
            return Err(EINVAL);
        }
        let mut records = KVec::from_elem(Record::default(), most, GFP_KERNEL_ACCOUNT)?;
        loop {
            let place = self.place.load(Acquire);
            let (count, next) = self.recorder.copy(place, &mut records);
            if count == 0 {
                if !may_wait {
                    return Err(EAGAIN);
                }
                let ready = || self.is_readable();
                if self.recorder.wait.wait(FOREVER, ready) == Woken::Signal {
                    return Err(ERESTARTSYS);
                }
                continue;
            }
            // Copied from the ring before: the pages may never answer, and nobody waits for them.
            user::write_array(address, 0, records.get(..count).unwrap_or(&[]))?;
            // Another task may have read them meanwhile: then the next ones take their place.
            if self.place.cmpxchg(place, next, Full).is_ok() {
                return Ok(count.saturating_mul(size_of::<Record>()));
            }
        }
    }
}
