// SPDX-License-Identifier: MIT OR Apache-2.0
//! TOKENIZE and DETOKENIZE.

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let mut ids = [0_u32; 64];
    let mut text = [0_u8; 64];
    let words = b"one ten tires";
    let tokenize = sislm_tokenize {
        text: words.as_ptr() as u64,
        length: 13,
        ids: ids.as_mut_ptr() as u64,
        capacity: 64,
        flags: SISLM_TOKENIZE_BOS,
        ..Default::default()
    };
    fields.sound("tokenize", SISLM_IOC_TOKENIZE, &tokenize);
    fields.invalid("tokenize.flags", SISLM_IOC_TOKENIZE, &tokenize, |t| {
        t.flags = 1 << 2
    });
    fields.invalid("tokenize.pad", SISLM_IOC_TOKENIZE, &tokenize, |t| t.pad = 1);
    fields.wrong(
        "tokenize.text",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "tokenize.ids",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "tokenize.capacity",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.capacity = 1,
        &[Errno::ENOSPC],
    );
    fields.wrong(
        "tokenize.length",
        SISLM_IOC_TOKENIZE,
        &tokenize,
        |t| t.length = u32::MAX,
        &[Errno::EMSGSIZE],
    );

    literal(fields, &tokenize);

    let detokenize = sislm_detokenize {
        ids: ids.as_mut_ptr() as u64,
        count: 3,
        text: text.as_mut_ptr() as u64,
        capacity: 64,
        flags: SISLM_TOKENIZE_BOS,
        length: 0,
    };
    fields.sound("detokenize", SISLM_IOC_DETOKENIZE, &detokenize);
    fields.invalid("detokenize.flags", SISLM_IOC_DETOKENIZE, &detokenize, |d| {
        d.flags = 1 << 2
    });
    fields.wrong(
        "detokenize.ids",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.ids = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "detokenize.text",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.text = NOWHERE,
        &[Errno::EFAULT],
    );
    fields.wrong(
        "detokenize.capacity",
        SISLM_IOC_DETOKENIZE,
        &detokenize,
        |d| d.capacity = 0,
        &[Errno::ENOSPC],
    );
    let outside = [u32::MAX];
    fields.invalid("detokenize.id", SISLM_IOC_DETOKENIZE, &detokenize, |d| {
        (d.ids, d.count) = (outside.as_ptr() as u64, 1)
    });
}

/// Parts of a text in which control tokens are not parsed.
fn literal(fields: &mut Fields<'_>, tokenize: &sislm_tokenize) {
    let part = |offset, length| sislm_literal { offset, length };
    let tokenize = sislm_tokenize {
        flags: SISLM_TOKENIZE_CONTROL,
        ..*tokenize
    };
    let number = SISLM_IOC_TOKENIZE;
    let with = |parts: &[sislm_literal]| sislm_tokenize {
        literal: parts.as_ptr() as u64,
        literal_count: u32::try_from(parts.len()).expect("few"),
        ..tokenize
    };
    let sound = [part(0, 3), part(3, 1), part(12, 1)];
    fields.sound("tokenize-literal", number, &with(&sound));
    for (name, parts) in [
        ("empty", &[part(1, 0)][..]),
        ("past-end", &[part(12, 2)]),
        ("overflow", &[part(u32::MAX, u32::MAX)]),
        ("descending", &[part(4, 1), part(0, 1)]),
        ("overlapping", &[part(0, 2), part(1, 1)]),
    ] {
        let name = format!("tokenize.literal-{name}");
        fields.invalid(&name, number, &with(parts), |_| ());
    }
    let sound = with(&sound);
    fields.invalid("tokenize.literal-without-control", number, &sound, |t| {
        t.flags = 0
    });
    fields.invalid("tokenize.literal_count", number, &sound, |t| {
        t.literal_count = SISLM_LITERAL_MAX + 1
    });
    let errors = [Errno::EFAULT];
    fields.wrong(
        "tokenize.literal",
        number,
        &sound,
        |t| t.literal = NOWHERE,
        &errors,
    );
}
