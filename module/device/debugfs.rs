// SPDX-License-Identifier: GPL-2.0
//! /sys/kernel/debug/sislm/statistics: the counters, one a line.

use crate::shared::Shared;
use kernel::{
    debugfs::{Dir, File},
    fmt,
    prelude::*,
    sync::Arc, //
};

/// The module's state, shown as text.
struct View(Arc<Shared>);

fn show(view: &View, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    let now = view.0.answer_statistics();
    let lines = [
        ("turns", now.turns),
        ("prompt_tokens", now.prompt_tokens),
        ("tokens", now.tokens),
        ("prefill_ns", now.prefill_ns),
        ("decode_ns", now.decode_ns),
        ("steps", now.steps),
        ("sections", now.sections),
        ("longest_section_bytes", now.longest_section),
        ("kv_blocks", now.kv_blocks),
        ("kv_bytes", now.kv_bytes),
        ("positions_computed", now.positions_computed),
        ("positions_reused", now.positions_reused),
        ("memory_models", now.memory_models),
        ("memory_steps", now.memory_steps),
        ("memory_sessions", now.memory_sessions),
        ("cancelled", now.cancelled),
        ("served_ns", now.served_ns),
        ("longest_step_ns", now.longest_step_ns),
        ("expired", now.expired),
        ("paced", now.paced),
        ("sessions_refused", now.sessions_refused),
        ("kv_refused", now.kv_refused),
        ("prompts_refused", now.prompts_refused),
        ("sessions", u64::from(view.0.users.sessions())),
    ];
    for (name, value) in lines {
        writeln!(to, "{name} {value}")?;
    }
    Ok(())
}

/// The files; they go when this is dropped.
#[pin_data]
pub(crate) struct Files {
    #[pin]
    statistics: File<View>,
}

impl Files {
    /// Makes them.
    pub(crate) fn new(shared: Arc<Shared>) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(move || {
            let directory = Dir::new(c"sislm");
            Ok(try_pin_init!(Self {
                statistics <- directory.read_callback_file(c"statistics", View(shared), &show),
            }))
        })
    }
}
