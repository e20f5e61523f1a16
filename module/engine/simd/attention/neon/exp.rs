// SPDX-License-Identifier: GPL-2.0
//! The exponential function of eight values that are not above zero.

use crate::math::exp::{LEAST, LN_2_HIGH, LN_2_LOW, LOG2_E, Q, ROUND};
use crate::simd::neon::Eight;
use core::arch::aarch64::*;
use core::arch::asm;

/// What the multiply-adds add to, in the order of their use.
static ADDENDS: [[[f32; 4]; 2]; 7] = {
    let [q0, q1, q2, q3, _] = Q;
    [
        [[ROUND; 4]; 2],
        [[q3; 4]; 2],
        [[q2; 4]; 2],
        [[q1; 4]; 2],
        [[q0; 4]; 2],
        [[1.0; 4]; 2],
        [[1.0; 4]; 2],
    ]
};

/// What they multiply by.
static FACTORS: [f32; 4] = [LOG2_E, LN_2_HIGH, LN_2_LOW, Q[4]];

/// [`crate::math::exp::exp`] of values up to 0 and of the NaN that infinities make, for which the
/// selects of overflow and of any other NaN fall away.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn exp(x: Eight) -> Eight {
    let [mut a, mut b] = x;
    // SAFETY: FACTORS has four values.
    let factors = unsafe { vld1q_f32(FACTORS.as_ptr()) };
    // In assembler, to load the addends anew, four vectors at a time: the compiler copies each of
    // them with an instruction.
    // SAFETY: reads the 14 vectors of ADDENDS.
    unsafe {
        asm!(
            "ld1 {{v16.4s, v17.4s, v18.4s, v19.4s}}, [{addends}], #64",
            "fmla v16.4s, {a:v}.4s, {factors:v}.s[0]",
            "fmla v17.4s, {b:v}.4s, {factors:v}.s[0]",
            "ld1 {{v20.4s, v21.4s, v22.4s, v23.4s}}, [{addends}], #64",
            // n.
            "fsub v24.4s, v16.4s, {round:v}.4s",
            "fsub v25.4s, v17.4s, {round:v}.4s",
            "fcmgt v26.4s, {least:v}.4s, {a:v}.4s",
            "fcmgt v27.4s, {least:v}.4s, {b:v}.4s",
            // r.
            "fmls {a:v}.4s, v24.4s, {factors:v}.s[1]",
            "fmls {b:v}.4s, v25.4s, {factors:v}.s[1]",
            "fmls {a:v}.4s, v24.4s, {factors:v}.s[2]",
            "fmls {b:v}.4s, v25.4s, {factors:v}.s[2]",
            // 2^n, as what it adds to the exponent.
            "shl v16.4s, v16.4s, #23",
            "shl v17.4s, v17.4s, #23",
            // q.
            "fmla v18.4s, {a:v}.4s, {factors:v}.s[3]",
            "fmla v19.4s, {b:v}.4s, {factors:v}.s[3]",
            "fmla v20.4s, {a:v}.4s, v18.4s",
            "fmla v21.4s, {b:v}.4s, v19.4s",
            "fmla v22.4s, {a:v}.4s, v20.4s",
            "fmla v23.4s, {b:v}.4s, v21.4s",
            "ld1 {{v18.4s, v19.4s, v20.4s, v21.4s}}, [{addends}], #64",
            "fmla v18.4s, {a:v}.4s, v22.4s",
            "fmla v19.4s, {b:v}.4s, v23.4s",
            "ld1 {{v22.4s, v23.4s}}, [{addends}]",
            // The power.
            "fmla v20.4s, {a:v}.4s, v18.4s",
            "fmla v21.4s, {b:v}.4s, v19.4s",
            "fmla v22.4s, {a:v}.4s, v20.4s",
            "fmla v23.4s, {b:v}.4s, v21.4s",
            "add v22.4s, v22.4s, v16.4s",
            "add v23.4s, v23.4s, v17.4s",
            "bic {a:v}.16b, v22.16b, v26.16b",
            "bic {b:v}.16b, v23.16b, v27.16b",
            addends = inout(reg) ADDENDS.as_ptr() => _,
            a = inout(vreg) a, b = inout(vreg) b,
            factors = in(vreg) factors,
            round = in(vreg) vdupq_n_f32(ROUND), least = in(vreg) vdupq_n_f32(LEAST),
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _,
            out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [a, b]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::exp::exp as twin;

    #[test]
    fn equals_the_twin_up_to_zero() {
        let check = |x: [f32; 8]| {
            let mut powers = [0.0; 8];
            // SAFETY: Advanced SIMD is part of the target; the arrays have eight values.
            unsafe {
                let [low, high] = exp([vld1q_f32(x.as_ptr()), vld1q_f32(x.as_ptr().add(4))]);
                vst1q_f32(powers.as_mut_ptr(), low);
                vst1q_f32(powers.as_mut_ptr().add(4), high);
            }
            for (x, power) in x.into_iter().zip(powers) {
                let expected = twin(x);
                assert!(
                    power.to_bits() == expected.to_bits() || power.is_nan() && expected.is_nan(),
                    "exp({x}) = {power}, not {expected}"
                );
            }
        };
        // From -0 down to minus infinity.
        for bits in (0x8000_0000..=0xff80_0000u32 - 8 * 4093).step_by(8 * 4093) {
            check(core::array::from_fn(|lane| {
                f32::from_bits(bits + 4093 * lane as u32)
            }));
        }
        let near = LEAST.to_bits();
        let border = [
            near - 1,
            near,
            near + 1,
            0,
            0x8000_0000,
            0xff80_0000,
            0x7fc0_0000,
            0xffc0_0000,
        ];
        check(border.map(f32::from_bits));
    }
}
