// SPDX-License-Identifier: GPL-2.0
//! The host's side of the wall: safe types over the functions the module calls too, in the same
//! order. All `unsafe` of this program is here.

mod load;
mod mean;
mod memory;
mod model;
mod sample;
mod sequence;
mod status;
mod step;
mod team;

pub use load::Loader;
pub use mean::Mean;
pub use model::Model;
pub use sample::{Drawing, Sampler, check_drawing};
pub use sequence::Sequence;
pub use status::Fault;
pub use step::{Step, Token};
pub use team::Team;

use std::time::{Duration, Instant};

use sislm_engine::abi;
use sislm_engine::abi::{
    Bias, Candidate, Facts, Generator, Header, Limits, Literal, OutOfRange, Plan, Read, Refusal,
    Row, Samplers, Sampling, Segment, SelfTest, StepShape, StepSize, Text,
};

macro_rules! declare {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        unsafe extern "C" {
            $($(#[$doc])* fn $name($($argument: $type),*) -> $result;)*
        }
    };
}
sislm_engine::sislm_wall!(declare);

/// Compares the ABI of the engine linked in with the one this program was compiled for.
pub fn check_abi() -> anyhow::Result<()> {
    // SAFETY: It takes nothing and only returns a number.
    let engine = unsafe { sislm_engine_abi() };
    anyhow::ensure!(
        engine == abi::ABI,
        "the engine has ABI {engine}, not {}",
        abi::ABI
    );
    Ok(())
}

/// Makes at least `cases` comparisons of a level with the scalar twins.
pub fn selftest(simd: u32, cases: u64) -> anyhow::Result<SelfTest> {
    let mut size = 0;
    // SAFETY: A live local; zeroes ask for the self-test's workspace.
    status::done(unsafe { sislm_engine_check_size(0, 0, 0, 0, &mut size) })?;
    let work = memory::Memory::new(size)?;
    let mut result = SelfTest {
        cases: 0,
        failures: 0,
    };
    while result.cases < cases {
        // SAFETY: Memory of the size asked for; the CPU has the level.
        status::done(unsafe {
            sislm_engine_selftest(work.base(), work.len(), simd, 64, &mut result)
        })?;
    }
    Ok(result)
}

/// One pass over `shape`, (format, rows, columns, groups), repeated; the time of all passes but the
/// first, which makes the data.
pub fn bench(simd: u32, shape: (u32, u32, u32, u32), repeats: u32) -> anyhow::Result<Duration> {
    let (format, rows, columns, groups) = shape;
    let mut size = 0;
    // SAFETY: A live local.
    status::done(unsafe { sislm_engine_check_size(format, rows, columns, groups, &mut size) })?;
    let work = memory::Memory::new(size)?;
    let pass = || {
        // SAFETY: Memory of the size asked for; the CPU has the level.
        status::finish(|| unsafe {
            sislm_engine_bench(work.base(), work.len(), simd, format, rows, columns, groups)
        })
    };
    pass()?;
    let started = Instant::now();
    for _ in 0..repeats {
        pass()?;
    }
    Ok(started.elapsed())
}
