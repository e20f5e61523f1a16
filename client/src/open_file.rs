// SPDX-License-Identifier: MIT OR Apache-2.0
//! Open files of other processes.

use std::cmp::Ordering;

use crate::request;

/// A descriptor of a process. Several, in one process or in more, may be of the same open file, and so of the same session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// The process.
    pub process: u32,
    /// The descriptor in it.
    pub descriptor: u32,
}

impl OpenFile {
    /// Equal when both are of the same open file; else in an order that stays as long as the machine runs. None when one is
    /// gone, of somebody else, or the kernel has no kcmp(2).
    pub fn order(self, other: Self) -> Option<Ordering> {
        request::order_files(self.pair()?, other.pair()?).ok()
    }

    fn pair(self) -> Option<(i32, i32)> {
        let process = self.process.try_into().ok()?;
        Some((process, self.descriptor.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::process;

    use super::*;

    #[test]
    fn a_copy_is_of_the_same_file() {
        let one = File::open("/dev/null").unwrap();
        let (copy, other) = (one.try_clone().unwrap(), File::open("/dev/null").unwrap());
        let of = |file: &File| OpenFile {
            process: process::id(),
            descriptor: file.as_raw_fd().try_into().unwrap(),
        };
        let Some(order) = of(&one).order(of(&copy)) else {
            println!("SKIPPED: this kernel has no kcmp(2)");
            return;
        };
        assert_eq!(order, Ordering::Equal);
        let (ahead, back) = (of(&one).order(of(&other)), of(&other).order(of(&one)));
        assert_ne!(ahead, Some(Ordering::Equal));
        assert_eq!(ahead, back.map(Ordering::reverse));
    }
}
