// SPDX-License-Identifier: GPL-2.0
//! The engine: GGUF, tokenizers, quantized kernels, transformer, KV cache and sampling over memory handed in.
//!
//! Pure: no allocation, input or output, locks, threads, time or randomness of its own.
#![cfg_attr(not(test), no_std)]
// Tests make up small numbers. For all else the lints hold when it is built without tests.
#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss
    )
)]
#![feature(core_float_math)]
#![cfg_attr(
    target_arch = "aarch64",
    feature(stdarch_neon_dotprod, stdarch_neon_i8mm)
)]

#[path = "wall.rs"]
pub mod abi;
pub mod check;
pub mod gguf;
pub mod math;
pub mod memory;
pub mod model;
pub mod sampling;
pub mod simd;
pub mod step;
pub mod tokenizer;
#[path = "wall/mod.rs"]
pub mod wall;
