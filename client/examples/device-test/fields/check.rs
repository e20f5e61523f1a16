// SPDX-License-Identifier: MIT OR Apache-2.0
//! SELFTEST and BENCH.

use nix::errno::Errno;

use super::Fields;
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let selftest = sislm_selftest::default();
    fields.invalid("selftest.flags", SISLM_IOC_SELFTEST, &selftest, |s| {
        s.flags = 1
    });
    fields.invalid("selftest.simd", SISLM_IOC_SELFTEST, &selftest, |s| {
        s.simd = 5
    });
    let bench = sislm_bench {
        format: 2,
        rows: 1,
        columns: 64,
        groups: 1,
        repeats: 1,
        ..Default::default()
    };
    fields.sound("bench", SISLM_IOC_BENCH, &bench);
    let dequantize = sislm_bench {
        kind: SISLM_BENCH_DEQUANTIZE,
        rows: 0,
        warm_up: 1,
        ..bench
    };
    fields.sound("bench-dequantize", SISLM_IOC_BENCH, &dequantize);
    fields.invalid(
        "bench.rows-to-dequantize",
        SISLM_IOC_BENCH,
        &dequantize,
        |b| b.rows = 1,
    );
    fields.invalid("bench.kind", SISLM_IOC_BENCH, &bench, |b| b.kind = 2);
    fields.invalid("bench.warm-up-over", SISLM_IOC_BENCH, &bench, |b| {
        b.warm_up = 100_001
    });
    fields.wrong(
        "bench.format",
        SISLM_IOC_BENCH,
        &bench,
        |b| b.format = 15,
        &[Errno::EINVAL, Errno::EOPNOTSUPP],
    );
    fields.invalid("bench.rows-0", SISLM_IOC_BENCH, &bench, |b| b.rows = 0);
    fields.invalid("bench.rows-over", SISLM_IOC_BENCH, &bench, |b| b.rows = 9);
    fields.invalid("bench.columns-0", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 0
    });
    fields.invalid("bench.columns-uneven", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 33
    });
    fields.invalid("bench.columns-over", SISLM_IOC_BENCH, &bench, |b| {
        b.columns = 8224
    });
    fields.invalid("bench.groups-0", SISLM_IOC_BENCH, &bench, |b| b.groups = 0);
    fields.invalid("bench.groups-over", SISLM_IOC_BENCH, &bench, |b| {
        b.groups = 1025
    });
    fields.invalid("bench.repeats-0", SISLM_IOC_BENCH, &bench, |b| {
        b.repeats = 0
    });
    fields.invalid("bench.repeats-over", SISLM_IOC_BENCH, &bench, |b| {
        b.repeats = 100_001
    });
    fields.invalid("bench.flags", SISLM_IOC_BENCH, &bench, |b| b.flags = 1);
}
