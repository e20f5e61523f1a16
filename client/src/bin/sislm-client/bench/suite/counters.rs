// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of all CPUs, as the PMU counts them.

use std::fs;
use std::io;

use perf_event::events::Hardware;
use perf_event::{Builder, Counter};

/// A counter for each CPU: who computes a step is of other processes, too.
pub(crate) struct Counters {
    each: Vec<Counter>,
}

impl Counters {
    /// None where nothing counts, or this user may not look.
    pub(crate) fn new() -> Option<Self> {
        let online = fs::read_to_string("/sys/devices/system/cpu/online").ok()?;
        let each = numbers(&online)?.into_iter().map(counter);
        let each = each.collect::<io::Result<_>>().ok()?;
        Some(Self { each })
    }

    /// Instructions so far.
    pub(crate) fn read(&mut self) -> io::Result<u64> {
        self.each.iter_mut().map(Counter::read).sum()
    }
}

/// The instructions of a CPU, in the kernel too.
fn counter(cpu: usize) -> io::Result<Counter> {
    let mut counter = Builder::new(Hardware::INSTRUCTIONS)
        .any_pid()
        .one_cpu(cpu)
        .include_kernel()
        .build()?;
    counter.enable()?;
    Ok(counter)
}

/// The numbers of a list of the kernel's, as `0-2,5`.
fn numbers(list: &str) -> Option<Vec<usize>> {
    let ranges = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    Some(
        ranges
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_kernel_are_read() {
        assert_eq!(numbers("0-2,5\n"), Some(vec![0, 1, 2, 5]));
        assert_eq!(numbers("0\n"), Some(vec![0]));
        assert_eq!(numbers("none"), None);
    }
}
