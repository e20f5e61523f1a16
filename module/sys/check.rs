// SPDX-License-Identifier: GPL-2.0
//! The engine's version, self-test and benchmarks.

use super::{
    memory::{ensure_available, Memory, Owner},
    neon::Section,
    wall::{self, status, Progress},
};
use kernel::prelude::*;

/// Comparisons of one section.
const BUDGET: u32 = 8;

/// Most memory of a benchmark: anyone may run one.
const BENCH_BYTES_MAX: u64 = 8 << 20;

/// Version of the numerics contract.
pub(crate) const NUMERICS: u32 = wall::NUMERICS;

/// Whether the engine linked in speaks the ABI that this module was built for.
pub(crate) fn abi_matches(section: &mut Section) -> bool {
    // SAFETY: No arguments.
    section.enter(|_| unsafe { wall::sislm_engine_abi() }) == wall::ABI
}

fn size(section: &mut Section, format: u32, rows: u32, columns: u32, groups: u32) -> Result<u64> {
    let mut size = 0;
    let code = section.enter(|_| {
        // SAFETY: A place of our own.
        unsafe { wall::sislm_engine_check_size(format, rows, columns, groups, &mut size) }
    });
    status(code)?;
    Ok(size)
}

/// A self-test in progress.
pub(crate) struct SelfTest {
    work: Memory,
    simd: u32,
    result: wall::SelfTest,
}

impl SelfTest {
    /// Of level `simd`.
    pub(crate) fn new(section: &mut Section, simd: u32) -> Result<Self> {
        let size = size(section, 0, 0, 0, 0)?;
        Ok(Self {
            work: Memory::sized(size, Owner::Session)?,
            simd,
            result: wall::SelfTest {
                cases: 0,
                failures: 0,
            },
        })
    }

    /// Makes some comparisons.
    pub(crate) fn run(&mut self, section: &mut Section) -> Result<Progress> {
        let (work, bytes) = (self.work.base(), self.work.len());
        let code = section.enter(|_| {
            // SAFETY: The workspace is ours and of the size asked for.
            unsafe { wall::sislm_engine_selftest(work, bytes, self.simd, BUDGET, &mut self.result) }
        });
        Ok(status(code)?)
    }

    /// Comparisons made, and how many differed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.result.cases, self.result.failures)
    }
}

/// A benchmark of one inner loop.
pub(crate) struct Bench {
    work: Memory,
    simd: u32,
    format: u32,
    rows: u32,
    columns: u32,
    groups: u32,
}

impl Bench {
    /// Takes its memory, charged to the calling task. Without `rows` it dequantizes. `EFBIG`: over
    /// [`BENCH_BYTES_MAX`].
    pub(crate) fn new(
        section: &mut Section,
        simd: u32,
        format: u32,
        rows: u32,
        columns: u32,
        groups: u32,
    ) -> Result<Self> {
        let size = size(section, format, rows, columns, groups)?;
        if size > BENCH_BYTES_MAX {
            return Err(EFBIG);
        }
        ensure_available(size)?;
        Ok(Self {
            work: Memory::sized(size, Owner::Session)?,
            simd,
            format,
            rows,
            columns,
            groups,
        })
    }

    /// Goes on with a pass.
    pub(crate) fn run(&mut self, section: &mut Section) -> Result<Progress> {
        let (work, bytes) = (self.work.base(), self.work.len());
        let code = section.enter(|_| {
            // SAFETY: As in `SelfTest::run`.
            unsafe {
                wall::sislm_engine_bench(
                    work,
                    bytes,
                    self.simd,
                    self.format,
                    self.rows,
                    self.columns,
                    self.groups,
                )
            }
        });
        Ok(status(code)?)
    }
}
