// SPDX-License-Identifier: GPL-2.0
//! SIMD levels: which vector instructions the loops may use.

/// A level this CPU has; a proof, so that dispatch on it is sound.
///
/// # Invariants
///
/// The CPU has the instructions of the level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Level(Instructions);

/// What a level may use; each includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Instructions {
    /// The scalar twins.
    Scalar = 1,
    /// Armv8.0 Advanced SIMD (Cortex-A53, A72).
    #[cfg(target_arch = "aarch64")]
    Neon = 2,
    /// FEAT_DotProd: SDOT (Cortex-A76, Neoverse N1).
    #[cfg(target_arch = "aarch64")]
    Dotprod = 3,
    /// FEAT_I8MM: SMMLA (Neoverse V1, N2).
    #[cfg(target_arch = "aarch64")]
    I8mm = 4,
}

impl Level {
    /// The scalar twins, which run anywhere.
    // INVARIANT: they need no vector instructions.
    pub const SCALAR: Level = Level(Instructions::Scalar);

    /// The level numbered `number` (`SISLM_SIMD_*`, 1 to 4), or `None` where this build has no such
    /// loops.
    ///
    /// # Safety
    ///
    /// The CPU must have the level's instructions.
    pub unsafe fn new(number: u32) -> Option<Level> {
        // INVARIANT: the caller vouches for the CPU.
        Some(Level(match number {
            1 => Instructions::Scalar,
            #[cfg(target_arch = "aarch64")]
            2 => Instructions::Neon,
            #[cfg(target_arch = "aarch64")]
            3 => Instructions::Dotprod,
            #[cfg(target_arch = "aarch64")]
            4 => Instructions::I8mm,
            _ => return None,
        }))
    }

    /// The level's number, 1 to 4.
    pub fn number(self) -> u32 {
        self.0 as u32
    }

    /// What the loops may use.
    pub(super) fn instructions(self) -> Instructions {
        self.0
    }
}

#[cfg(test)]
impl Level {
    /// Every level of the CPU the tests run on, ascending.
    pub fn all() -> impl Iterator<Item = Level> {
        #[cfg(target_arch = "aarch64")]
        let highest = {
            use std::arch::is_aarch64_feature_detected as has;
            match (has!("dotprod"), has!("i8mm")) {
                (true, true) => 4,
                (true, false) => 3,
                _ => 2,
            }
        };
        #[cfg(not(target_arch = "aarch64"))]
        let highest = 1;
        // SAFETY: the features were looked up just above; Advanced SIMD is part of the target.
        (1..=highest).filter_map(|number| unsafe { Level::new(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        assert_eq!(Level::SCALAR.number(), 1);
        for (level, number) in Level::all().zip(1..) {
            assert_eq!(level.number(), number);
        }
        // SAFETY: there are no such levels.
        assert_eq!(unsafe { (Level::new(0), Level::new(5)) }, (None, None));
    }
}
