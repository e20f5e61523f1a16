// SPDX-License-Identifier: MIT OR Apache-2.0
//! One line for each test.

use std::fmt::Debug;

use nix::errno::Errno;

/// Anything that keeps a group of tests from going on.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// The tests so far.
#[derive(Default)]
pub(crate) struct Report {
    failures: usize,
}

impl Report {
    /// Whether no test has failed.
    pub(crate) fn sound(&self) -> bool {
        self.failures == 0
    }

    /// Prints a test that failed.
    pub(crate) fn failed(&mut self, name: &str, why: &str) {
        self.failures += 1;
        println!("not ok {name} {}", why.replace('\n', " "));
    }

    /// Prints a test that holds when `found` is `wanted`.
    pub(crate) fn equal<T: PartialEq + Debug>(&mut self, name: &str, found: T, wanted: T) {
        if found == wanted {
            println!("ok {name}");
        } else {
            self.failed(name, &format!("found {found:?}, wanted {wanted:?}"));
        }
    }

    /// Prints a test that holds when the call failed with one of `wanted`.
    pub(crate) fn refused<T: Debug>(
        &mut self,
        name: &str,
        found: Result<T, Errno>,
        wanted: &[Errno],
    ) {
        match found {
            Err(errno) if wanted.contains(&errno) => println!("ok {name}"),
            found => self.failed(name, &format!("found {found:?}, wanted {wanted:?}")),
        }
    }
}
