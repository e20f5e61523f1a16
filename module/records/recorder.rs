// SPDX-License-Identifier: GPL-2.0
//! The ring of the last records, which chains them.

use crate::sys::{
    check::NUMERICS,
    digest::{Sha256, DIGEST_BYTES},
    task,
    uapi::{Record, SISLM_RECORD_LOST},
    user::bytes_of,
    wait::WaitQueue, //
};
use core::mem::{offset_of, size_of};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Full, Relaxed, Release},
        Arc, SpinLock,
    },
};

/// Most descriptors of TRACE at a time.
const READERS_MAX: u32 = 64;

/// What is kept.
struct Ring {
    records: KVVec<Record>,
    /// Sequence of the next record, from 1.
    next: u64,
    /// Chain of the last record.
    chain: [u8; DIGEST_BYTES],
    /// Chain of the last record that is kept no more.
    before: [u8; DIGEST_BYTES],
}

/// Makes records and keeps the last ones.
#[pin_data]
pub(crate) struct Recorder {
    /// Innermost: held for a record's hash or the copy of a few records.
    #[pin]
    ring: SpinLock<Ring>,
    /// As in the ring, for those who wait.
    next: Atomic<u64>,
    /// Woken for every record.
    #[pin]
    pub(crate) wait: WaitQueue,
    readers: Atomic<u32>,
    simd: u32,
}

impl Recorder {
    /// Keeps `most` records. `simd` is what records say of the loops in use.
    pub(crate) fn new(most: u32, simd: u32) -> Result<Arc<Self>> {
        let ring = Ring {
            records: KVVec::from_elem(Record::default(), most as usize, GFP_KERNEL)?,
            next: 1,
            chain: [0; DIGEST_BYTES],
            before: [0; DIGEST_BYTES],
        };
        Arc::pin_init(
            pin_init!(Self {
                ring <- new_spinlock!(ring, "sislm_records"),
                next: Atomic::new(1),
                wait <- WaitQueue::new(),
                readers: Atomic::new(0),
                simd,
            }),
            GFP_KERNEL,
        )
    }

    /// Completes `record` and keeps it. `tell` adds what is to be known at its place among the records.
    pub(crate) fn record(&self, record: &mut Record, tell: impl FnOnce(&mut Record)) {
        // CAST: 312.
        record.size = size_of::<Record>() as u32;
        record.boot_ns = task::boot_ns();
        record.real_ns = task::real_ns();
        record.numerics = NUMERICS;
        record.simd = self.simd;
        let mut ring = self.ring.lock();
        tell(record);
        // Under the lock: an earlier record's number would hide this one from those who wait.
        self.next.store(ring.push(record), Release);
        drop(ring);
        self.wait.wake_all();
    }

    /// Makes a change that each record tells wholly, or nothing of. It must not sleep.
    pub(crate) fn between_records(&self, change: impl FnOnce()) {
        let _ring = self.ring.lock();
        change();
    }

    /// Records made.
    pub(crate) fn count(&self) -> u64 {
        self.next.load(Relaxed).saturating_sub(1)
    }

    /// Whether there is something for a reader at `place`.
    pub(crate) fn has(&self, place: u64) -> bool {
        self.next.load(Acquire) > place
    }

    /// Copies records from `place` on; how many, and the place after them.
    pub(crate) fn copy(&self, place: u64, to: &mut [Record]) -> (usize, u64) {
        self.ring.lock().copy(place, to)
    }

    /// Another descriptor; ends with [`Recorder::leave`]. `ENFILE`: too many.
    pub(crate) fn enter(&self) -> Result {
        if self.readers.fetch_add(1, Full) >= READERS_MAX {
            self.leave();
            return Err(ENFILE);
        }
        Ok(())
    }

    /// Ends [`Recorder::enter`].
    pub(crate) fn leave(&self) {
        self.readers.fetch_sub(1, Relaxed);
    }
}

impl Ring {
    /// The place of a sequence.
    fn place(&self, sequence: u64) -> usize {
        let most = self.records.len() as u64;
        // CAST: Below the number of records.
        sequence.checked_rem(most).unwrap_or(0) as usize
    }

    /// The oldest sequence that is kept.
    fn oldest(&self) -> u64 {
        let most = self.records.len() as u64;
        self.next.saturating_sub(most).max(1)
    }

    /// Gives a record its number and its chain, and keeps it in place of the oldest. The sequence after it.
    fn push(&mut self, record: &mut Record) -> u64 {
        record.sequence = self.next;
        let mut hash = Sha256::new();
        hash.update(&self.chain);
        cover(&mut hash, record);
        self.chain = hash.finish();
        record.chain = self.chain;
        let place = self.place(self.next);
        if let Some(kept) = self.records.get_mut(place) {
            self.before = kept.chain;
            *kept = *record;
        }
        self.next = self.next.saturating_add(1);
        self.next
    }

    fn copy(&self, mut place: u64, to: &mut [Record]) -> (usize, u64) {
        let (mut count, oldest) = (0, self.oldest());
        let mut entries = to.iter_mut();
        if place < oldest {
            if let Some(entry) = entries.next() {
                *entry = Record {
                    // CAST: 312.
                    size: size_of::<Record>() as u32,
                    kind: SISLM_RECORD_LOST,
                    sequence: place,
                    lost: oldest.saturating_sub(place),
                    chain: self.before,
                    ..Record::default()
                };
                count = 1;
                place = oldest;
            }
        }
        for entry in entries {
            if place >= self.next {
                break;
            }
            if let Some(kept) = self.records.get(self.place(place)) {
                *entry = *kept;
            }
            count = usize::saturating_add(count, 1);
            place = place.saturating_add(1);
        }
        (count, place)
    }
}

/// Hashes the bytes of a record that its chain covers.
fn cover(hash: &mut Sha256, record: &Record) {
    const CHAIN: usize = offset_of!(Record, chain);
    let bytes = bytes_of(record);
    hash.update(bytes.get(..CHAIN).unwrap_or(bytes));
    hash.update(bytes.get(CHAIN + DIGEST_BYTES..).unwrap_or(&[]));
}

#[kunit_tests(sislm_recorder)]
mod tests {
    use super::*;

    fn ring(most: usize, count: u64) -> Ring {
        let mut ring = Ring {
            records: KVVec::from_elem(Record::default(), most, GFP_KERNEL).unwrap(),
            next: 1,
            chain: [0; DIGEST_BYTES],
            before: [0; DIGEST_BYTES],
        };
        for turn in 1..=count {
            ring.push(&mut Record {
                turn,
                ..Record::default()
            });
        }
        ring
    }

    #[test]
    fn a_reader_gets_what_is_there() {
        let ring = ring(4, 3);
        let mut to = [Record::default(); 5];
        assert_eq!(ring.copy(1, &mut to), (3, 4));
        assert_eq!(to[2].turn, 3);
        assert_eq!(ring.copy(4, &mut to), (0, 4));
    }

    #[test]
    fn what_is_overwritten_reads_as_one_record() {
        let ring = ring(4, 9);
        let mut to = [Record::default(); 5];
        assert_eq!(ring.copy(2, &mut to), (5, 10));
        assert_eq!(
            (to[0].kind, to[0].lost, to[0].sequence),
            (SISLM_RECORD_LOST, 4, 2)
        );
        assert_eq!((to[1].turn, to[4].turn), (6, 9));
    }

    #[test]
    fn the_chain_goes_on_behind_what_is_lost() {
        let ring = ring(4, 9);
        let mut to = [Record::default(); 2];
        assert_eq!(ring.copy(2, &mut to), (2, 7));
        let mut hash = Sha256::new();
        hash.update(&to[0].chain);
        cover(&mut hash, &to[1]);
        assert_eq!(hash.finish(), to[1].chain);
    }

    #[test]
    fn the_chain_covers_what_is_behind_it() {
        let heads = [0, 1].map(|served_ns| {
            let mut ring = ring(4, 1);
            ring.push(&mut Record {
                served_ns,
                ..Record::default()
            });
            ring.chain
        });
        assert_ne!(heads[0], heads[1]);
    }

    #[test]
    fn a_record_tells_what_is_known_at_its_place() {
        let recorder = Recorder::new(4, 0).unwrap();
        let mut told = 0;
        recorder.between_records(|| told = 7);
        let mut record = Record::default();
        recorder.record(&mut record, |record| record.served_ns = told);
        let mut to = [Record::default()];
        assert_eq!(recorder.copy(1, &mut to), (1, 2));
        assert_eq!((to[0].served_ns, to[0].sequence), (7, 1));
    }
}
