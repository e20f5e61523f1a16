// SPDX-License-Identifier: GPL-2.0
//! Weights of turns, by the nice value of who asked for them: as the kernel weighs tasks
//! (`sched_prio_to_weight`), a factor of 1.25 a step.

/// The weight of nice 0.
pub(super) const NORMAL: u64 = 1024;

/// By class: nice -20 to 19, then SCHED_IDLE.
#[rustfmt::skip]
const WEIGHTS: [u32; 41] = [
    88761, 71755, 56483, 46273, 36291,
    29154, 23254, 18705, 14949, 11916,
    9548, 7620, 6100, 4904, 3906,
    3121, 2501, 1991, 1586, 1277,
    1024, 820, 655, 526, 423,
    335, 272, 215, 172, 137,
    110, 87, 70, 56, 45,
    36, 29, 23, 18, 15,
    3,
];

/// The weight of a class.
pub(super) fn weight(class: u64) -> u64 {
    let class = usize::try_from(class).ok();
    let weight = class.and_then(|class| WEIGHTS.get(class));
    weight.map_or(NORMAL, |weight| u64::from(*weight))
}
