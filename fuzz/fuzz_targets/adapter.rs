// SPDX-License-Identifier: GPL-2.0
//! A file, loaded twice as an adapter: with little work a call and small segments, and with all at once.
//! Both refuse it for the same reason, or compute the same, row by row or together.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sislm_fuzz::{load_adapter, outputs};

const IDS: [u32; 6] = [3, 7, 20, 5, 1, 6];

fuzz_target!(|data: &[u8]| {
    let small = load_adapter(data, 1 + data.len() as u32 % 64, 64 << 10);
    let large = load_adapter(data, 1 << 20, 32 << 20);
    match (small, large) {
        (Ok(small), Ok(large)) => {
            let together = outputs(&small, &IDS, 0, true);
            assert_eq!(together, outputs(&large, &IDS, 0, false));
        }
        (Err(small), Err(large)) => assert_eq!(format!("{small:#}"), format!("{large:#}")),
        (small, large) => panic!("{:?} but {:?}", small.err(), large.err()),
    }
});
