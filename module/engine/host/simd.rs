// SPDX-License-Identifier: GPL-2.0
//! The instruction level.

use anyhow::{Result, ensure};
use clap::ValueEnum;

/// `SISLM_SIMD_*`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Simd {
    /// The highest of this machine.
    Automatic,
    /// The specification.
    Scalar,
    /// Armv8.0 Advanced SIMD.
    Neon,
    /// FEAT_DotProd.
    Dotprod,
    /// FEAT_I8MM.
    I8mm,
}

impl Simd {
    /// A level this machine has; never `Automatic`.
    pub fn resolve(self) -> Result<Self> {
        let highest = highest();
        if self == Self::Automatic {
            return Ok(highest);
        }
        ensure!(
            self <= highest,
            "this CPU has no {}; its highest is {}",
            self.name(),
            highest.name()
        );
        Ok(self)
    }

    /// Its number in the device's interface.
    pub fn number(self) -> u32 {
        self as u32
    }

    /// Its name, as the client prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Scalar => "scalar",
            Self::Neon => "neon",
            Self::Dotprod => "dotprod",
            Self::I8mm => "i8mm",
        }
    }
}

#[cfg(target_arch = "aarch64")]
fn highest() -> Simd {
    use std::arch::is_aarch64_feature_detected as has;
    match (has!("dotprod"), has!("i8mm")) {
        (true, true) => Simd::I8mm,
        (true, false) => Simd::Dotprod,
        _ => Simd::Neon,
    }
}

#[cfg(not(target_arch = "aarch64"))]
fn highest() -> Simd {
    Simd::Scalar
}
