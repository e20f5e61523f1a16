// SPDX-License-Identifier: MIT OR Apache-2.0
//! METADATA.

use std::fs::File;

use nix::errno::Errno;

use super::{Fields, MODEL};
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let mut text = [0_u8; 64];
    let sound = sislm_metadata {
        name: name(MODEL),
        key: name(b"general.architecture"),
        text: text.as_mut_ptr() as u64,
        capacity: 64,
        ..Default::default()
    };
    let number = SISLM_IOC_METADATA;
    fields.sound("metadata", number, &sound);
    let mut wrong = |name: &str, errno, change: &dyn Fn(&mut sislm_metadata)| {
        let name = format!("metadata.{name}");
        fields.wrong(&name, number, &sound, |m| change(m), &[errno]);
    };
    wrong("name-empty", Errno::EINVAL, &|m| m.name = [0; 64]);
    wrong("name-unterminated", Errno::EINVAL, &|m| m.name = [b'a'; 64]);
    wrong("name-absent", Errno::ENOENT, &|m| m.name = name(b"absent"));
    wrong("key-empty", Errno::EINVAL, &|m| m.key = [0; 64]);
    wrong("key-unterminated", Errno::EINVAL, &|m| m.key = [b'a'; 64]);
    wrong("key-after-nul", Errno::EINVAL, &|m| m.key[63] = 1);
    // In the file, and not one of those that are kept.
    wrong("key-other", Errno::EINVAL, &|m| {
        m.key = name(b"llama.rope.freq_base")
    });
    wrong("key-absent", Errno::ENODATA, &|m| {
        m.key = name(b"tokenizer.chat_template.tool_use")
    });
    wrong("text", Errno::EFAULT, &|m| m.text = NOWHERE);
    wrong("capacity-0", Errno::ENOSPC, &|m| m.capacity = 0);
    wrong("capacity", Errno::ENOSPC, &|m| m.capacity = 4);
    wrong("flags", Errno::EINVAL, &|m| m.flags = 1);
    wrong("pad", Errno::EINVAL, &|m| m.pad = 1);

    // The size first, then the bytes.
    let mut asked = sislm_metadata {
        capacity: 0,
        text: 0,
        ..sound
    };
    let found = call(&fields.file, number, &mut asked).map_err(|errno| (errno, asked.length));
    let report = &mut fields.report;
    report.equal("fields/metadata-size", found, Err((Errno::ENOSPC, 5)));
    asked.text = text.as_mut_ptr() as u64;
    asked.capacity = asked.length;
    let found = call(&fields.file, number, &mut asked).map(|()| text[..6].to_vec());
    report.equal("fields/metadata-text", found, Ok(b"llama\0".to_vec()));
    let readable = File::open("/dev/sislm").map_err(|_| Errno::EIO);
    let found = readable.and_then(|file| call(&file, number, &mut asked));
    report.equal("fields/metadata-of-a-reader", found, Ok(()));
}
