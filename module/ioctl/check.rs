// SPDX-License-Identifier: GPL-2.0
//! SELFTEST and BENCH.

use super::require;
use crate::{
    session::Session,
    sys::{
        check, cpu,
        errno::EOPNOTSUPP,
        neon::Section,
        task,
        uapi::{
            self, SISLM_BENCH_DEQUANTIZE, SISLM_BENCH_MULTIPLY, SISLM_SIMD_AUTOMATIC,
            SISLM_SIMD_I8MM,
        },
        user::Argument,
        Progress,
    }, //
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// Most passes of a benchmark.
const REPEATS_MAX: u32 = 100_000;

#[inline(never)]
pub(super) fn selftest(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::SelfTest = argument.read()?;
    require(request.flags == 0 && request.simd <= SISLM_SIMD_I8MM)?;
    let simd = match request.simd {
        SISLM_SIMD_AUTOMATIC => session.shared().limits.simd,
        asked if asked > cpu::simd_level() => return Err(EOPNOTSUPP()),
        asked => asked,
    };
    let mut section = Section::new()?;
    let mut test = check::SelfTest::new(&mut section, simd)?;
    while test.run(&mut section)? == Progress::More {
        task::relax();
        task::interrupted()?;
    }
    (request.cases, request.failures) = test.counts();
    argument.write(&request)
}

#[inline(never)]
pub(super) fn bench(session: &Arc<Session>, argument: &Argument) -> Result {
    let mut request: uapi::Bench = argument.read()?;
    let rows = match request.kind {
        SISLM_BENCH_MULTIPLY => 1..=8,
        SISLM_BENCH_DEQUANTIZE => 0..=0,
        _ => return Err(EINVAL),
    };
    require(
        request.flags == 0
            && rows.contains(&request.rows)
            && (32..=8192).contains(&request.columns)
            && request.columns & 31 == 0
            && (1..=1024).contains(&request.groups)
            && (1..=REPEATS_MAX).contains(&request.repeats)
            && request.warm_up <= REPEATS_MAX,
    )?;
    let mut section = Section::new()?;
    let mut bench = check::Bench::new(
        &mut section,
        session.shared().limits.simd,
        request.format,
        request.rows,
        request.columns,
        request.groups,
    )?;
    passes(&mut bench, &mut section, request.warm_up)?;
    let start = Instant::<Monotonic>::now();
    passes(&mut bench, &mut section, request.repeats)?;
    request.ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(0);
    request.weights = [
        request.rows.max(1),
        request.columns,
        request.groups,
        16,
        request.repeats,
    ]
    .into_iter()
    .fold(1u64, |product, factor| {
        product.saturating_mul(u64::from(factor))
    });
    argument.write(&request)
}

/// Makes so many passes, until a signal comes.
fn passes(bench: &mut check::Bench, section: &mut Section, count: u32) -> Result {
    for _ in 0..count {
        while bench.run(section)? == Progress::More {
            task::relax();
            task::interrupted()?;
        }
        task::relax();
        task::interrupted()?;
    }
    Ok(())
}
