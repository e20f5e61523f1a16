// SPDX-License-Identifier: GPL-2.0
//! The wall's functions of the checks.

use core::mem::{MaybeUninit, size_of};

use crate::abi::{ALIGN, DONE, MORE, SelfTest, fault};
use crate::check::bench::{Bench, Shape};
use crate::check::selftest::{self, Memory};
use crate::simd::level::Level;

use crate::memory::pod::cast_mut;

/// Bytes of the header of the workspace.
const HEADER: usize = size_of::<Header>().next_multiple_of(ALIGN);
/// Bytes of the workspace of the self-test, header included.
const SELFTEST: usize = HEADER + selftest::BYTES + 4 * selftest::NUMBERS;

/// Start of the workspace.
#[repr(C)]
struct Header {
    /// 1 when `bench` is there; zeroed memory has none.
    begun: u32,
    bench: MaybeUninit<Bench>,
}

/// Bytes of the workspace of a bench: header, bytes, numbers.
fn bench_bytes(shape: Shape) -> Option<usize> {
    shape
        .sizes()?
        .bytes()?
        .checked_add(HEADER)?
        .checked_add(ALIGN)
}

/// See the list of the wall.
///
/// # Safety
///
/// `size` is valid for writing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_check_size(
    format: u32,
    rows: u32,
    columns: u32,
    groups: u32,
    size: *mut u64,
) -> i32 {
    let bytes = if (format, rows, columns, groups) == (0, 0, 0, 0) {
        Some(SELFTEST)
    } else {
        Shape::new(format, rows, columns, groups)
            .and_then(bench_bytes)
            .map(|bytes| bytes.max(SELFTEST))
    };
    let Some(bytes) = bytes else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promise.
    unsafe { size.write(bytes as u64) };
    DONE
}

/// The workspace cut into header and rest; `None` when it is too short or not aligned.
///
/// # Safety
///
/// `work` points at `bytes` initialized bytes, exclusive to the caller for `'a`, zeroed or left by
/// these functions.
unsafe fn split<'a>(work: *mut u8, bytes: usize) -> Option<(&'a mut Header, &'a mut [u8])> {
    let rest = bytes.checked_sub(HEADER)?;
    if work.is_null() || !work.addr().is_multiple_of(ALIGN) {
        return None;
    }
    // SAFETY: Long enough and aligned; any bytes are a valid `Header`; the two do not overlap.
    unsafe {
        let header = &mut *work.cast::<Header>();
        Some((
            header,
            core::slice::from_raw_parts_mut(work.wrapping_add(HEADER), rest),
        ))
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, `result` valid, and the CPU has level `simd`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_selftest(
    work: *mut u8,
    work_bytes: usize,
    simd: u32,
    budget: u32,
    result: *mut SelfTest,
) -> i32 {
    // SAFETY: The caller's promises.
    let (level, parts, result) =
        unsafe { (Level::new(simd), split(work, work_bytes), &mut *result) };
    let (Some(level), Some((header, rest))) = (level, parts) else {
        return fault::ARGUMENT;
    };
    // What follows the header is overwritten.
    header.begun = 0;
    let Some((bytes, rest)) = rest.split_at_mut_checked(selftest::BYTES) else {
        return fault::ARGUMENT;
    };
    let Some(numbers) = rest.get_mut(..4 * selftest::NUMBERS).and_then(cast_mut) else {
        return fault::ARGUMENT;
    };
    let mut memory = Memory { bytes, numbers };
    for _ in 0..budget.max(1) {
        let equal = selftest::compare(level, result.cases, &mut memory);
        result.failures = result.failures.wrapping_add(u64::from(equal != Some(true)));
        result.cases = result.cases.wrapping_add(1);
    }
    if result.cases < selftest::CASES {
        MORE
    } else {
        DONE
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, and the CPU has level `simd`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_bench(
    work: *mut u8,
    work_bytes: usize,
    simd: u32,
    format: u32,
    rows: u32,
    columns: u32,
    groups: u32,
) -> i32 {
    // SAFETY: The caller's promises.
    let (level, parts) = unsafe { (Level::new(simd), split(work, work_bytes)) };
    let (Some(level), Some((header, rest))) = (level, parts) else {
        return fault::ARGUMENT;
    };
    let Some(shape) = Shape::new(format, rows, columns, groups) else {
        return fault::ARGUMENT;
    };
    let Some(raw) = shape.sizes().and_then(|sizes| sizes.raw()) else {
        return fault::ARGUMENT;
    };
    let Some((bytes, numbers)) = raw
        .checked_next_multiple_of(ALIGN)
        .and_then(|raw| rest.split_at_mut_checked(raw))
    else {
        return fault::ARGUMENT;
    };
    let whole = numbers.len() / 4 * 4;
    let Some(numbers) = numbers.get_mut(..whole).and_then(cast_mut) else {
        return fault::ARGUMENT;
    };
    // SAFETY: `begun` is 1 only after the line below wrote the bench.
    if header.begun != 1 || unsafe { !header.bench.assume_init_ref().is(shape) } {
        header.bench.write(Bench::new(shape));
        header.begun = 1;
    }
    // SAFETY: As above.
    let bench = unsafe { header.bench.assume_init_mut() };
    match bench.run(level, bytes, numbers) {
        Some(true) => DONE,
        Some(false) => MORE,
        None => fault::ARGUMENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aligned, zeroed memory of `bytes`.
    fn memory(bytes: u64) -> Vec<[u64; 8]> {
        vec![[0; 8]; (bytes as usize).div_ceil(64) + 1]
    }

    fn aligned(memory: &mut [[u64; 8]]) -> *mut u8 {
        let base: *mut u8 = memory.as_mut_ptr().cast();
        base.wrapping_add(base.align_offset(ALIGN))
    }

    #[test]
    fn selftest_counts() {
        let mut size = 0;
        // SAFETY: A live local.
        let status = unsafe { sislm_engine_check_size(0, 0, 0, 0, &mut size) };
        assert_eq!(status, DONE);
        let mut work = memory(size);
        let base = aligned(&mut work);
        let mut result = SelfTest {
            cases: 7,
            failures: 0,
        };
        // SAFETY: Aligned memory of that size; the scalar level is everywhere.
        let run = |bytes, simd, result: &mut SelfTest| unsafe {
            sislm_engine_selftest(base, bytes, simd, 10, result)
        };
        assert_eq!(run(size as usize, 1, &mut result), MORE);
        assert_eq!((result.cases, result.failures), (17, 0));
        result.cases = selftest::CASES - 10;
        assert_eq!(run(size as usize, 1, &mut result), DONE);
        assert_eq!(run(size as usize - 64, 1, &mut result), fault::ARGUMENT);
        assert_eq!(run(size as usize, 0, &mut result), fault::ARGUMENT);
    }

    #[test]
    fn bench_passes_end() {
        let mut size = 0;
        // SAFETY: A live local.
        let status = unsafe { sislm_engine_check_size(2, 1, 4096, 64, &mut size) };
        assert_eq!(status, DONE);
        // SAFETY: A live temporary.
        let status = unsafe { sislm_engine_check_size(2, 1, 4097, 64, &mut 0) };
        assert_eq!(status, fault::ARGUMENT);
        let mut work = memory(size);
        let base = aligned(&mut work);
        let mut ends = 0;
        for _ in 0..300 {
            // SAFETY: Aligned memory of that size.
            let status = unsafe { sislm_engine_bench(base, size as usize, 1, 2, 1, 4096, 64) };
            assert!(status == DONE || status == MORE);
            ends += u32::from(status == DONE);
        }
        assert!(ends > 2);
        // SAFETY: As above.
        let short = unsafe { sislm_engine_bench(base, 640, 1, 2, 1, 4096, 64) };
        assert_eq!(short, fault::ARGUMENT);
    }
}
