// SPDX-License-Identifier: MIT OR Apache-2.0
//! Commands and sizes of arguments that the device does not know.

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

pub(super) fn numbers(fields: &mut Fields<'_>) {
    let query = sislm_query::default();
    for nr in [0x1f, 0x7f, 0xff] {
        let number = SISLM_IOC_QUERY & !0xff | nr;
        fields.wrong(
            &format!("command-{nr:#x}"),
            number,
            &query,
            |_| (),
            &[Errno::ENOTTY],
        );
    }
    fields.wrong(
        "magic",
        SISLM_IOC_QUERY ^ 0x100,
        &query,
        |_| (),
        &[Errno::ENOTTY],
    );
    let numbers = [
        ("query", SISLM_IOC_QUERY),
        ("load", SISLM_IOC_LOAD),
        ("unload", SISLM_IOC_UNLOAD),
        ("progress", SISLM_IOC_PROGRESS),
        ("model", SISLM_IOC_MODEL),
        ("configure", SISLM_IOC_CONFIGURE),
        ("run", SISLM_IOC_RUN),
        ("tokenize", SISLM_IOC_TOKENIZE),
        ("detokenize", SISLM_IOC_DETOKENIZE),
        ("evaluate", SISLM_IOC_EVALUATE),
        ("result", SISLM_IOC_RESULT),
        ("statistics", SISLM_IOC_STATISTICS),
        ("selftest", SISLM_IOC_SELFTEST),
        ("bench", SISLM_IOC_BENCH),
        ("metadata", SISLM_IOC_METADATA),
        ("prompt", SISLM_IOC_PROMPT),
        ("vocabulary", SISLM_IOC_VOCABULARY),
        ("next", SISLM_IOC_NEXT),
        ("trace", SISLM_IOC_TRACE),
        ("receipt", SISLM_IOC_RECEIPT),
        ("limits", SISLM_IOC_LIMITS),
        ("metrics", SISLM_IOC_METRICS),
        ("alias", SISLM_IOC_ALIAS),
        ("shadow", SISLM_IOC_SHADOW),
    ];
    for (name, number) in numbers {
        let found = call_nowhere(&fields.file, number);
        fields
            .report
            .refused(&format!("fields/{name}.address"), found, &[Errno::EFAULT]);
    }
}

/// A caller of another age: its structure is longer or shorter than the module's.
pub(super) fn sizes(fields: &mut Fields<'_>) {
    let size = size_of::<sislm_statistics>();
    let longer = resized(SISLM_IOC_STATISTICS, size + 16);
    let mut argument = (sislm_statistics::default(), [0_u64; 2]);
    fields.sound("longer-with-zeroes", longer, &argument);
    argument.1[1] = 1;
    fields.wrong(
        "longer-with-more",
        longer,
        &argument,
        |_| (),
        &[Errno::E2BIG],
    );

    let mut shorter = [0_u64; 2];
    let number = resized(SISLM_IOC_STATISTICS, 8);
    let found = call(&fields.file, number, &mut shorter).map(|()| shorter[1]);
    fields
        .report
        .equal("fields/shorter-writes-no-more", found, Ok(0));
}
