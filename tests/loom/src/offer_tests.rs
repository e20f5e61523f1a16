// SPDX-License-Identifier: GPL-2.0
//! A loading task and workers.

use crate::{
    models::offer::Offer,
    sys::{
        neon::Section,
        piece::{Piece, PARTS},
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use loom::{sync::atomic::Ordering, thread};

fn piece() -> Arc<Piece> {
    Arc::new(Piece::new(), GFP_KERNEL_ACCOUNT).expect("nothing is allocated")
}

fn offer() -> Arc<Offer> {
    Arc::pin_init(Offer::new(), GFP_KERNEL_ACCOUNT).expect("nothing is allocated")
}

/// While a piece has parts that nobody has begun, a worker that looks finds it open, whatever others
/// found of the piece before: else all workers would sleep beside it.
#[test]
fn a_piece_with_free_parts_is_open() {
    loom::model(|| {
        let offer = offer();
        let worker = {
            let offer = offer.clone();
            thread::spawn(move || while offer.work(&mut Section) {})
        };
        let first = piece();
        assert!(offer.make(&first));
        while first.work(&mut Section) {}
        offer.end(&first);
        let second = piece();
        assert!(offer.make(&second), "the place is kept");
        assert!(offer.is_open() || !second.available(), "nobody would help");
        worker.join().expect("a task that ends");
        while second.work(&mut Section) {}
        for piece in [&first, &second] {
            assert_eq!(piece.done.load(Ordering::Acquire), PARTS);
        }
        offer.end(&second);
        assert!(!offer.is_open());
    });
}

/// Two loads: the offer of one is not ended by the other, and the place is free afterwards.
#[test]
fn a_load_ends_its_own_offer_alone() {
    loom::model(|| {
        let offer = offer();
        let other = {
            let offer = offer.clone();
            thread::spawn(move || {
                let own = piece();
                let made = offer.make(&own);
                let open = offer.is_open();
                offer.end(&own);
                // Nobody works: an own offer stays open until its end.
                assert!(!made || open);
            })
        };
        let own = piece();
        let made = offer.make(&own);
        assert!(!made || offer.is_open());
        offer.end(&own);
        other.join().expect("a task that ends");
        assert!(!offer.is_open() && offer.make(&own));
    });
}
