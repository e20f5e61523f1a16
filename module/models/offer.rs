// SPDX-License-Identifier: GPL-2.0
//! A piece of a model file that is being loaded, offered to workers without other work.

use crate::sys::{neon::Section, piece::Piece};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{AtomicFlag, Relaxed},
        Arc,
        SpinLock, //
    },
};

/// The place of one piece.
#[pin_data]
pub(crate) struct Offer {
    #[pin]
    piece: SpinLock<Option<Arc<Piece>>>,
    /// Whether a part of it may be left.
    open: AtomicFlag,
}

impl Offer {
    /// Without a piece.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            piece <- new_spinlock!(None, "sislm_offer"),
            open: AtomicFlag::new(false),
        })
    }

    /// Offers a piece, unless one of another load is offered; whether it is.
    pub(crate) fn make(&self, piece: &Arc<Piece>) -> bool {
        let mut place = self.piece.lock();
        if place.is_some() {
            return false;
        }
        *place = Some(piece.clone());
        self.open.store(true, Relaxed);
        true
    }

    /// Ends [`Offer::make`].
    pub(crate) fn end(&self, piece: &Arc<Piece>) {
        let taken = {
            let mut place = self.piece.lock();
            let ours = place
                .as_ref()
                .is_some_and(|offered| Arc::ptr_eq(offered, piece));
            if ours {
                self.open.store(false, Relaxed);
                place.take()
            } else {
                None
            }
        };
        // Not under the lock: it may be the last reference to the model's memory.
        drop(taken);
    }

    /// Whether a part may be left.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// Does a part, if one is left.
    pub(crate) fn work(&self, section: &mut Section) -> bool {
        if !self.is_open() {
            return false;
        }
        let piece = {
            let place = self.piece.lock();
            let piece = place.as_ref().filter(|piece| piece.available()).cloned();
            if piece.is_none() {
                self.open.store(false, Relaxed);
            }
            piece
        };
        piece.is_some_and(|piece| piece.work(section))
    }
}
