// SPDX-License-Identifier: MIT OR Apache-2.0
//! VOCABULARY with wrong fields.

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

/// Sends them.
pub(super) fn wrong(fields: &mut Fields<'_>) {
    let number = SISLM_IOC_VOCABULARY;
    let mut empty = sislm_vocabulary {
        name: name(MODEL),
        ..Default::default()
    };
    let found = call(&fields.file, number, &mut empty);
    let told = (found, empty.count > 0, empty.text_length > 0);
    let wanted = (Err(Errno::ENOSPC), true, true);
    fields.report.equal("fields/vocabulary-size", told, wanted);
    let (count, length) = (empty.count, empty.text_length);
    let mut types = vec![0xff_u8; count as usize];
    let mut ends = vec![u32::MAX; count as usize];
    let mut text = vec![0_u8; length as usize];
    let sound = sislm_vocabulary {
        name: name(MODEL),
        types: types.as_mut_ptr() as u64,
        ends: ends.as_mut_ptr() as u64,
        text: text.as_mut_ptr() as u64,
        capacity: count,
        text_capacity: length,
        ..Default::default()
    };
    fields.sound("vocabulary", number, &sound);
    let kinds = types
        .iter()
        .all(|kind| u32::from(*kind) <= SISLM_TOKEN_BYTE);
    let ascending = ends.is_sorted() && ends.last() == Some(&length);
    let report = &mut *fields.report;
    report.equal("fields/vocabulary-arrays", (kinds, ascending), (true, true));
    let mut wrong = |name: &str, errno, change: &dyn Fn(&mut sislm_vocabulary)| {
        let name = format!("vocabulary.{name}");
        fields.wrong(&name, number, &sound, |v| change(v), &[errno]);
    };
    wrong("name-empty", Errno::EINVAL, &|v| v.name = [0; 64]);
    wrong("name-absent", Errno::ENOENT, &|v| v.name = name(b"absent"));
    wrong("flags", Errno::EINVAL, &|v| v.flags = 1);
    wrong("pad", Errno::EINVAL, &|v| v.pad = 1);
    wrong("capacity", Errno::ENOSPC, &|v| v.capacity -= 1);
    wrong("text_capacity", Errno::ENOSPC, &|v| v.text_capacity -= 1);
    wrong("types", Errno::EFAULT, &|v| v.types = NOWHERE);
    wrong("ends", Errno::EFAULT, &|v| v.ends = NOWHERE);
    wrong("text", Errno::EFAULT, &|v| v.text = NOWHERE);
}
