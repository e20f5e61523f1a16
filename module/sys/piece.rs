// SPDX-License-Identifier: GPL-2.0
//! A piece of a model file, hashed and packed by whoever comes.
//!
//! Its parts are claimed by counting: part 0 is the digest, which is sequential, the others are the
//! chunks to pack. The piece is over when all parts are done; until then the load's state and the
//! piece's buffer are only read.

use super::{
    digest::{Sha256, DIGEST_BYTES},
    memory::Memory,
    model::ModelMemory,
    neon::Section,
    refusal::{check, no_refusal, LoadError},
    task,
    wait::{WaitQueue, Woken, FOREVER},
    wall::{self, Header, Read},
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, AtomicFlag, Full, Relaxed},
        Arc, Mutex, SpinLock,
    },
    time::{Instant, Monotonic},
};

/// Bytes hashed between two looks at whether the piece was withdrawn.
const HASH_BYTES: usize = 64 << 10;

/// What all pieces of a load refer to.
#[pin_data]
pub(super) struct Source {
    /// The engine's load state, attached.
    state: Arc<Memory>,
    /// Where the state packs to.
    _model: Arc<ModelMemory>,
    /// Of the pieces before; locked by the holder of part 0 only, so never contended.
    #[pin]
    digest: Mutex<Option<Sha256>>,
    /// Woken when a piece is over.
    #[pin]
    over: WaitQueue,
}

impl Source {
    /// Of an attached load, before its first piece.
    pub(super) fn new(state: Arc<Memory>, model: Arc<ModelMemory>) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                state,
                _model: model,
                digest <- new_mutex!(Some(Sha256::new()), "sislm_digest"),
                over <- WaitQueue::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// The digest of all pieces.
    pub(super) fn digest(&self) -> Result<[u8; DIGEST_BYTES]> {
        let digest = self.digest.lock().take();
        Ok(digest.ok_or(EINVAL)?.finish())
    }
}

/// A piece that was read.
#[pin_data]
pub(crate) struct Piece {
    source: Arc<Source>,
    buffer: Arc<Memory>,
    read: Read,
    next: Atomic<u32>,
    done: Atomic<u32>,
    withdrawn: AtomicFlag,
    /// The first part that failed, in the order of the file.
    #[pin]
    failure: SpinLock<Option<(u32, LoadError)>>,
    digest_ns: Atomic<u64>,
    pack_ns: Atomic<u64>,
}

impl Piece {
    /// The piece `read` of the last two of the load, at the start of `buffer`.
    ///
    /// # Safety
    ///
    /// Until the piece is over nobody writes the buffer or calls the engine with the state.
    pub(super) unsafe fn new(
        source: Arc<Source>,
        buffer: Arc<Memory>,
        read: Read,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                source,
                buffer,
                read,
                next: Atomic::new(0),
                done: Atomic::new(0),
                withdrawn: AtomicFlag::new(false),
                failure <- new_spinlock!(None, "sislm_piece"),
                digest_ns: Atomic::new(0),
                pack_ns: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// The digest and the chunks.
    pub(crate) fn parts(&self) -> u32 {
        self.read.chunks.saturating_add(1)
    }

    /// Whether a part is free.
    pub(crate) fn available(&self) -> bool {
        self.next.load(Relaxed) < self.parts()
    }

    /// Whether all parts are done or withdrawn.
    pub(crate) fn is_over(&self) -> bool {
        self.done.load(Acquire) == self.parts()
    }

    /// Nanoseconds spent in the digest and in packing, by all tasks together.
    pub(crate) fn times(&self) -> (u64, u64) {
        (self.digest_ns.load(Relaxed), self.pack_ns.load(Relaxed))
    }

    fn claim(&self) -> Option<u32> {
        let mut part = self.next.load(Relaxed);
        while part < self.parts() {
            match self.next.cmpxchg(part, part.wrapping_add(1), Full) {
                Ok(_) => return Some(part),
                Err(now) => part = now,
            }
        }
        None
    }

    /// Does one part; false when none is free.
    pub(crate) fn work(&self, section: &mut Section) -> bool {
        let Some(part) = self.claim() else {
            return false;
        };
        let start = Instant::<Monotonic>::now();
        let (result, time) = match part.checked_sub(1) {
            None => (self.hash(), &self.digest_ns),
            Some(chunk) => (self.pack(section, chunk), &self.pack_ns),
        };
        let elapsed = u64::try_from(start.elapsed().as_nanos()).unwrap_or(0);
        time.fetch_add(elapsed, Relaxed);
        if let Err(error) = result {
            self.fail(part, error);
        }
        self.finish(1);
        true
    }

    fn data(&self) -> Result<&[u8]> {
        self.buffer.get(..self.read.bytes as usize).ok_or(EIO)
    }

    fn hash(&self) -> Result<(), LoadError> {
        let mut digest = self.source.digest.lock();
        let digest = (*digest).as_mut().ok_or(EINVAL)?;
        for bytes in self.data()?.chunks(HASH_BYTES) {
            if self.withdrawn.load(Relaxed) {
                break;
            }
            digest.update(bytes);
            task::relax();
        }
        Ok(())
    }

    fn pack(&self, section: &mut Section, chunk: u32) -> Result<(), LoadError> {
        let data = self.data()?;
        let (state, offset) = (self.source.state.base(), self.read.offset);
        let mut refusal = no_refusal();
        let code = section.enter(|_| {
            // SAFETY: The load is attached to memory that the source keeps, `data` is the piece, and
            // each chunk is claimed once. By the requirement of `new` the engine runs nothing else.
            unsafe {
                wall::sislm_engine_load_pack(
                    state,
                    data.as_ptr(),
                    data.len(),
                    offset,
                    chunk,
                    &mut refusal,
                )
            }
        });
        check(code, &Header { need: 0 }, &refusal).map(|_| ())
    }

    /// Notes the error. Parts are claimed in the order of the file: those before the first failure
    /// are claimed, so it is found whoever is faster.
    fn fail(&self, part: u32, error: LoadError) {
        {
            let mut first = self.failure.lock();
            if first.as_ref().is_none_or(|(other, _)| part < *other) {
                *first = Some((part, error));
            }
        }
        self.withdraw();
    }

    /// Leaves out the parts that nobody has begun.
    pub(crate) fn withdraw(&self) {
        self.withdrawn.store(true, Relaxed);
        let parts = self.parts();
        let claimed = self.next.xchg(parts, Full);
        self.finish(parts.saturating_sub(claimed));
    }

    fn finish(&self, count: u32) {
        let done = self.done.fetch_add(count, Full).wrapping_add(count);
        if done == self.parts() {
            self.source.over.wake_all();
        }
    }

    /// Waits until the piece is over; a signal makes that soon. Then the first error, if any;
    /// `ERESTARTSYS` after a signal.
    pub(crate) fn wait(&self) -> Result<(), LoadError> {
        if self.source.over.wait(FOREVER, || self.is_over()) == Woken::Signal {
            self.withdraw();
            // What is left are the parts that workers have begun.
            self.source.over.wait_briefly(|| self.is_over());
        }
        match self.failure.lock().take() {
            Some((_, error)) => Err(error),
            None if self.withdrawn.load(Relaxed) => Err(ERESTARTSYS.into()),
            None => Ok(()),
        }
    }
}
