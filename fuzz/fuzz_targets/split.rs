// SPDX-License-Identifier: GPL-2.0
//! Three parts of a model: they are refused, or what they are together is loaded from one file likewise, and computes the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sislm_fuzz::wall::Model;
use sislm_fuzz::{load, load_parts, outputs};

/// Takes bytes of which there are as many as the two before say.
fn part<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let Some((length, behind)) = rest.split_first_chunk() else {
        return &[];
    };
    let length = usize::from(u16::from_le_bytes(*length));
    let (part, behind) = behind.split_at(length.min(behind.len()));
    *rest = behind;
    part
}

fn said(model: &Model) -> String {
    let facts = &model.facts;
    let ids = [0, facts.vocabulary - 1];
    let count = ids.len().min(facts.context as usize);
    let is_small = u64::from(facts.context) * u64::from(facts.layers) <= 1 << 24;
    let outputs = is_small.then(|| outputs(model, &ids[..count], 0, true));
    format!("{:?} {outputs:?}", model.digest)
}

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let parts = [part(&mut rest), part(&mut rest), part(&mut rest)];
    let Ok((apart, whole)) = load_parts(&parts, 1 << 20) else {
        return;
    };
    match (apart, load(&whole, 1 << 20, 32 << 20)) {
        (Ok(apart), Ok(together)) => assert_eq!(said(&apart), said(&together)),
        (Err(apart), Err(together)) => assert_eq!(format!("{apart:#}"), format!("{together:#}")),
        (apart, together) => panic!("{:?} but {:?}", apart.err(), together.err()),
    }
});
