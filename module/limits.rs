// SPDX-License-Identifier: GPL-2.0
//! The module's parameters, checked once when it is loaded.

use crate::{
    module_parameters,
    sys::{
        cpu,
        flight::LOGITS_MAX,
        memory,
        uapi::{SISLM_SIMD_AUTOMATIC, SISLM_SIMD_SCALAR},
    }, //
};
use kernel::prelude::*;

/// Most workers.
const WORKERS_MAX: u32 = 63;

/// Checked parameters.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// `SISLM_SIMD_*` in use.
    pub(crate) simd: u32,
    /// Worker threads.
    pub(crate) workers: u32,
    /// Most positions of a context.
    pub(crate) context: u32,
    /// Positions of a context when none are asked for.
    pub(crate) context_default: u32,
    /// Most bytes of a prompt.
    pub(crate) prompt: u32,
    /// Most open files.
    pub(crate) sessions: u32,
    /// Most loaded models.
    pub(crate) models: u32,
    /// Most bytes of a packed model.
    pub(crate) model_bytes: u64,
    /// Bytes of a segment of a model's arena.
    pub(crate) segment_bytes: u32,
    /// Most bytes of a file's header.
    pub(crate) header_bytes: u64,
    /// Most bytes of all keys and values.
    pub(crate) kv_bytes: u64,
    /// Most bytes of all prompts that wait.
    pub(crate) prompt_bytes: u64,
    /// Most open files of a user, and in a cgroup namespace of theirs.
    pub(crate) user_sessions: u32,
    pub(crate) namespace_sessions: u32,
    /// Most bytes of keys and values of a user, and in a cgroup namespace of theirs.
    pub(crate) user_kv_bytes: u64,
    pub(crate) namespace_kv_bytes: u64,
    /// Most bytes of prompts of a user that wait, and in a cgroup namespace of theirs.
    pub(crate) user_prompt_bytes: u64,
    pub(crate) namespace_prompt_bytes: u64,
    /// Most tokens of a user in a second, 0 for no limit.
    pub(crate) user_tokens_per_second: u32,
    /// Milliseconds of a user's turn, 0 for no limit.
    pub(crate) user_deadline_ms: u32,
    /// Bytes of text kept for a reader.
    pub(crate) ring: u32,
    /// Aim for the length of a section, nanoseconds.
    pub(crate) section_ns: u64,
    /// Aim for the length of a step that computes prompts beside answers, nanoseconds.
    pub(crate) step_ns: u64,
    /// Whether workers compute turns of users.
    pub(crate) helpers: bool,
    /// Decision records that are kept.
    pub(crate) records: u32,
    /// Seconds without progress after which the device is broken.
    pub(crate) step_timeout: u32,
}

fn within(name: &str, value: u32, least: u32, most: u32) -> Result<u32> {
    if value < least || value > most {
        pr_err!("{name}={value} is not within {least} and {most}\n");
        return Err(EINVAL);
    }
    Ok(value)
}

fn simd(asked: u32) -> Result<u32> {
    let has = cpu::simd_level();
    match asked {
        SISLM_SIMD_AUTOMATIC => Ok(has),
        asked => {
            if asked > has {
                pr_err!("simd={asked}: the CPU offers levels up to {has}\n");
                return Err(EINVAL);
            }
            within("simd", asked, SISLM_SIMD_SCALAR, has)
        }
    }
}

fn workers(asked: u32) -> Result<u32> {
    match asked {
        0 => Ok(cpu::housekeeping().min(WORKERS_MAX)),
        asked => within("workers", asked, 1, WORKERS_MAX),
    }
}

fn mebibytes(name: &str, value: u32, most: u32) -> Result<u64> {
    Ok(u64::from(within(name, value, 1, most)?) << 20)
}

/// Most that keys and values take of a machine when it is not said.
const KV_BYTES_MAX: u64 = 4096 << 20;

fn kv_bytes(megabytes: u32) -> Result<u64> {
    match megabytes {
        0 => Ok((memory::total() / 4).min(KV_BYTES_MAX)),
        asked => mebibytes("kv_max_mb", asked, 1 << 20),
    }
}

/// Most files of one kind; 0 for `none`.
fn files(name: &str, value: u32, none: u32) -> Result<u32> {
    match value {
        0 => Ok(none),
        asked => within(name, asked, 1, 4096),
    }
}

/// Most bytes of one kind; 0 for `none`.
fn bytes(name: &str, value: u32, shift: u32, none: u64) -> Result<u64> {
    match value {
        0 => Ok(none),
        asked => Ok(u64::from(within(name, asked, 1, 1 << 20)?) << shift),
    }
}

impl Limits {
    /// Callers that help at a time: as many as workers.
    pub(crate) fn callers(&self) -> u32 {
        self.workers
    }

    /// Slots of a step: one for each who may compute.
    pub(crate) fn slots(&self) -> u32 {
        self.workers.saturating_add(self.callers())
    }

    /// Most turns at a time: one of each open file, those of closed files in the step in flight
    /// and after it, and the one that compares answers.
    pub(crate) fn turns(&self) -> usize {
        (self.sessions as usize).saturating_add(2 * LOGITS_MAX as usize + 1)
    }

    /// From the module's parameters; `EINVAL` and a line in the log for what is out of range.
    pub(crate) fn from_parameters() -> Result<Self> {
        use module_parameters as parameters;
        let context = within("context_max", *parameters::context_max.value(), 32, 1 << 20)?;
        let context_default = *parameters::context_default.value();
        let sessions = within("sessions_max", *parameters::sessions_max.value(), 1, 4096)?;
        let prompt = within("prompt_max", *parameters::prompt_max.value(), 1, 16 << 20)?;
        let all = u64::from(prompt).saturating_mul(u64::from(sessions)) / 2;
        let prompt_bytes = bytes(
            "prompts_max_kb",
            *parameters::prompts_max_kb.value(),
            10,
            all,
        )?;
        Ok(Self {
            simd: simd(*parameters::simd.value())?,
            workers: workers(*parameters::workers.value())?,
            context,
            context_default: within("context_default", context_default, 32, 1 << 20)?.min(context),
            prompt,
            sessions,
            prompt_bytes,
            user_sessions: files(
                "user_sessions_max",
                *parameters::user_sessions_max.value(),
                (sessions / 4).max(1),
            )?,
            namespace_sessions: files(
                "namespace_sessions_max",
                *parameters::namespace_sessions_max.value(),
                u32::MAX,
            )?,
            user_kv_bytes: bytes(
                "user_kv_max_mb",
                *parameters::user_kv_max_mb.value(),
                20,
                u64::MAX,
            )?,
            namespace_kv_bytes: bytes(
                "namespace_kv_max_mb",
                *parameters::namespace_kv_max_mb.value(),
                20,
                u64::MAX,
            )?,
            user_prompt_bytes: bytes(
                "user_prompts_max_kb",
                *parameters::user_prompts_max_kb.value(),
                10,
                (prompt_bytes / 4).max(u64::from(prompt)),
            )?,
            namespace_prompt_bytes: bytes(
                "namespace_prompts_max_kb",
                *parameters::namespace_prompts_max_kb.value(),
                10,
                u64::MAX,
            )?,
            user_tokens_per_second: *parameters::user_tokens_per_second.value(),
            user_deadline_ms: *parameters::user_deadline_ms.value(),
            models: within("models_max", *parameters::models_max.value(), 1, 256)?,
            model_bytes: mebibytes("model_max_mb", *parameters::model_max_mb.value(), 1 << 20)?,
            segment_bytes: within("segment_kb", *parameters::segment_kb.value(), 1, 1 << 20)? << 10,
            header_bytes: mebibytes("header_max_mb", *parameters::header_max_mb.value(), 1024)?,
            kv_bytes: kv_bytes(*parameters::kv_max_mb.value())?,
            ring: within("ring_bytes", *parameters::ring_bytes.value(), 4096, 1 << 20)?,
            section_ns: u64::from(within(
                "section_us",
                *parameters::section_us.value(),
                1,
                10_000,
            )?)
            .saturating_mul(1000),
            step_ns: u64::from(within("step_ms", *parameters::step_ms.value(), 1, 10_000)?)
                .saturating_mul(1_000_000),
            helpers: within("helpers", *parameters::helpers.value(), 0, 1)? == 1,
            records: within(
                "trace_records",
                *parameters::trace_records.value(),
                16,
                1 << 20,
            )?,
            step_timeout: within(
                "step_timeout_s",
                *parameters::step_timeout_s.value(),
                10,
                3600,
            )?,
        })
    }
}
