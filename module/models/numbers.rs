// SPDX-License-Identifier: GPL-2.0
//! The numbers of versions: no name has one twice as long as the module lives.

use crate::models::name::Name;
use kernel::prelude::*;

/// Names whose last version is remembered: more than there are models.
const KEPT: usize = 1024;

/// The last version of each name. Of the names that are forgotten, all go on behind the highest of theirs.
pub(super) struct Numbers {
    kept: KVVec<(Name, u32)>,
    floor: u32,
}

impl Numbers {
    /// Nothing was loaded yet.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            kept: KVVec::with_capacity(KEPT, GFP_KERNEL)?,
            floor: 0,
        })
    }

    /// The next version of `name`, which [`Numbers::take`] takes. Names that are `used` are not forgotten.
    /// `ENOSPC`: there is none.
    pub(super) fn next(&mut self, name: Name, used: impl Fn(Name) -> bool) -> Result<u32> {
        let mut known = self.kept.iter().find(|(kept, _)| *kept == name).copied();
        if known.is_none() {
            let new = (name, self.floor);
            if self.kept.push_within_capacity(new).is_err() {
                let old = self.kept.iter_mut().find(|(kept, _)| !used(*kept));
                let old = old.ok_or(ENOSPC)?;
                self.floor = self.floor.max(old.1);
                *old = (name, self.floor);
            }
            known = Some((name, self.floor));
        }
        let (_, last) = known.ok_or(ENOSPC)?;
        last.checked_add(1).ok_or(ENOSPC)
    }

    /// `version` of `name` is loaded.
    pub(super) fn take(&mut self, name: Name, version: u32) {
        if let Some(known) = self.kept.iter_mut().find(|(kept, _)| *kept == name) {
            known.1 = version;
        }
    }
}

#[kunit_tests(sislm_numbers)]
mod tests {
    use super::*;
    use crate::sys::uapi::NAME_BYTES;

    fn name(number: usize) -> Name {
        let mut bytes = [0; NAME_BYTES];
        let digits = [
            number / 1000,
            number / 100 % 10,
            number / 10 % 10,
            number % 10,
        ];
        for (to, digit) in bytes.iter_mut().zip(digits) {
            *to = b'0' + digit as u8;
        }
        Name::new(bytes).unwrap()
    }

    #[test]
    fn versions_count_up_and_a_failed_load_takes_none() {
        let mut numbers = Numbers::new().unwrap();
        assert_eq!(numbers.next(name(1), |_| true), Ok(1));
        assert_eq!(numbers.next(name(1), |_| true), Ok(1));
        numbers.take(name(1), 1);
        assert_eq!(numbers.next(name(1), |_| true), Ok(2));
        assert_eq!(numbers.next(name(2), |_| true), Ok(1));
        numbers.take(name(1), u32::MAX);
        assert_eq!(numbers.next(name(1), |_| true), Err(ENOSPC));
    }

    #[test]
    fn a_name_that_was_forgotten_never_has_a_version_twice() {
        let mut numbers = Numbers::new().unwrap();
        for index in 0..KEPT {
            assert_eq!(numbers.next(name(index), |_| false), Ok(1));
            numbers.take(name(index), 1);
        }
        // The first is forgotten for it.
        assert_eq!(numbers.next(name(KEPT), |_| false), Ok(2));
        assert_eq!(numbers.next(name(0), |kept| kept == name(KEPT)), Ok(2));
        assert_eq!(numbers.next(name(KEPT), |_| true), Ok(2));
        assert_eq!(numbers.next(name(7), |_| true), Ok(2));
    }
}
