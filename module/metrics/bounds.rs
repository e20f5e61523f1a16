// SPDX-License-Identifier: GPL-2.0
//! The bounds of histograms: those of the OpenTelemetry conventions for generative AI (November 2026), so that no exporter
//! has to put counts into other buckets. Times in nanoseconds.

/// A second over a million.
const US: u64 = 1000;
/// A second over a thousand.
const MS: u64 = 1000 * US;

/// `gen_ai.server.time_to_first_token`.
pub(super) const FIRST_TOKEN: &[u64] = &[
    MS,
    5 * MS,
    10 * MS,
    20 * MS,
    40 * MS,
    60 * MS,
    80 * MS,
    100 * MS,
    250 * MS,
    500 * MS,
    750 * MS,
    1000 * MS,
    2500 * MS,
    5000 * MS,
    7500 * MS,
    10_000 * MS,
];

/// `gen_ai.server.time_per_output_token`, and three below: small models are faster.
pub(super) const TOKEN: &[u64] = &[
    MS,
    2500 * US,
    5 * MS,
    10 * MS,
    25 * MS,
    50 * MS,
    75 * MS,
    100 * MS,
    150 * MS,
    200 * MS,
    300 * MS,
    400 * MS,
    500 * MS,
    750 * MS,
    1000 * MS,
    2500 * MS,
];

/// `gen_ai.server.request.duration`; also of waiting.
pub(super) const REQUEST: &[u64] = &doubled::<14>(10 * MS, 1);

/// `gen_ai.client.token.usage`.
pub(super) const TOKENS: &[u64] = &doubled::<14>(1, 2);

/// Rows of a step.
pub(super) const ROWS: &[u64] = &doubled::<7>(1, 1);

/// Turns of a step.
pub(super) const TURNS: &[u64] = &doubled::<4>(1, 1);

/// Work of a section, weight bytes.
pub(super) const SECTION: &[u64] = &doubled::<11>(16 << 10, 1);

/// `N` bounds from `first` on, each the one before times two, `times` times.
const fn doubled<const N: usize>(first: u64, times: u32) -> [u64; N] {
    let mut bounds = [first; N];
    let mut place = 1;
    while place < N {
        bounds[place] = bounds[place - 1] << times;
        place += 1;
    }
    bounds
}
