// SPDX-License-Identifier: MIT OR Apache-2.0
//! CONFIGURE, but for its samplers.

use nix::errno::Errno;

use super::{configuration, Fields};
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let sound = configuration();
    fields.sound("configure", SISLM_IOC_CONFIGURE, &sound);
    let mut refuse = |name: &str, change: &dyn Fn(&mut sislm_configure)| {
        fields.invalid(
            &format!("configure.{name}"),
            SISLM_IOC_CONFIGURE,
            &sound,
            |configure| change(configure),
        );
    };
    refuse("flags", &|c| c.flags = 1 << 6);
    refuse("flags-top", &|c| c.flags = 1 << 31);
    refuse("auto-and-a-model", &|c| {
        (c.flags, c.model) = (SISLM_CONFIGURE_AUTO, name(b"tiny"));
    });
    refuse("prompt_tokens-without-auto", &|c| c.prompt_tokens = 1);
    refuse("pad", &|c| c.pad = 1);
    refuse("pad2", &|c| c.pad2 = 1);
    refuse("pad3", &|c| c.pad3 = 1);
    refuse("kv_type", &|c| c.kv_type = 3);
    refuse("model-unterminated", &|c| c.model = [b'a'; 64]);
    refuse("model-slash", &|c| c.model = name(b"a/b"));
    refuse("stop_id_count", &|c| c.stop_id_count = SISLM_STOP_MAX + 1);
    refuse("stop_ids-past-their-count", &|c| c.stop_ids[0] = 1);
    refuse("stop_ids-no-token", &|c| {
        (c.stop_id_count, c.stop_ids[0]) = (1, 1 << 20)
    });
    refuse("stop_count", &|c| c.stop_count = SISLM_STOP_MAX + 1);
    refuse("stop_length-0", &|c| c.stop_count = 1);
    refuse("stop_length-over", &|c| {
        (c.stop_count, c.stop_length[0]) = (1, SISLM_STOP_BYTES + 1)
    });
    refuse("stop_length-unused", &|c| c.stop_length[3] = 1);
    refuse("stop-past-length", &|c| {
        (c.stop_count, c.stop_length[0], c.stop[0][0], c.stop[0][1]) = (1, 1, b'a', b'b')
    });
    refuse("stop-unused", &|c| c.stop[2][0] = b'a');
    fields.wrong(
        "configure.context-over-model",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.context = 1025,
        &[Errno::ERANGE],
    );
    fields.wrong(
        "configure.context-max",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.context = u32::MAX,
        &[Errno::ERANGE],
    );
    fields.wrong(
        "configure.model-absent",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| c.model = name(b"absent"),
        &[Errno::ENOENT],
    );
    fields.wrong(
        "configure.auto-without-ranks",
        SISLM_IOC_CONFIGURE,
        &sound,
        |c| (c.flags, c.model) = (SISLM_CONFIGURE_AUTO, name(b"")),
        &[Errno::ENOENT],
    );
    fields.sound("configure-after-refusals", SISLM_IOC_CONFIGURE, &sound);
}
