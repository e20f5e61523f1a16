// SPDX-License-Identifier: GPL-2.0
//! sislm: a language model as a file.
//!
//! This crate is the kernel side: the device, sessions, models in memory, and the team of tasks that
//! computes. It handles integers only; all floating point is in the engine, behind the wall.
//! Documentation/architecture.rst describes the whole.

#[cfg(target_endian = "big")]
compile_error!("sislm supports little-endian arm64 only");
const _: () = assert!(
    kernel::page::PAGE_SIZE <= 16384,
    "sislm supports pages of 4 and 16 KiB only"
);

mod device;
mod ioctl;
mod limits;
mod metrics;
mod models;
mod records;
mod sched;
mod session;
mod shared;
mod statistics;
mod sys;
mod turn;
mod users;

use kernel::{prelude::*, sync::Arc};
use shared::Shared;
use sys::node::Node;

module! {
    type: Sislm,
    name: "sislm",
    authors: ["sislm maintainers <maintainers@sislm.example>"],
    description: "A language model as a file: /dev/sislm",
    license: "GPL",
    params: {
        simd: u32 {
            default: 0,
            description: "instructions: 0 automatic, 1 scalar, 2 NEON, 3 dotprod, 4 i8mm",
        },
        workers: u32 {
            default: 0,
            description: "worker threads, 1 to 63; 0 for one per housekeeping CPU",
        },
        helpers: u32 {
            default: 1,
            description: "whether workers compute turns (1), or only callers that wait, who are charged for it (0)",
        },
        context_max: u32 {
            default: 32768,
            description: "most positions of a context, 32 to 1048576",
        },
        context_default: u32 {
            default: 4096,
            description: "positions of a context when none are asked for, 32 to 1048576; at most context_max and the model's own",
        },
        prompt_max: u32 {
            default: 65536,
            description: "most bytes of one prompt, 1 to 16777216",
        },
        sessions_max: u32 {
            default: 256,
            description: "most open files, 1 to 4096",
        },
        user_sessions_max: u32 {
            default: 0,
            description: "most open files of one user, 1 to 4096; 0 for a quarter of sessions_max",
        },
        namespace_sessions_max: u32 {
            default: 0,
            description: "most open files of one user in one cgroup namespace, 1 to 4096; 0 for no limit of its own",
        },
        models_max: u32 {
            default: 16,
            description: "most loaded models, 1 to 256",
        },
        model_max_mb: u32 {
            default: 65536,
            description: "most memory of one model in MiB, 1 to 1048576",
        },
        segment_kb: u32 {
            default: 32768,
            description: "size of an allocation for weights in KiB, 1 to 1048576; no answer depends on it",
        },
        header_max_mb: u32 {
            default: 64,
            description: "most memory for a model file's header in MiB, 1 to 1024",
        },
        kv_max_mb: u32 {
            default: 0,
            description: "most memory for keys and values in MiB, 1 to 1048576; 0 for a quarter of the memory, at most 4096",
        },
        user_kv_max_mb: u32 {
            default: 0,
            description: "most memory for keys and values of one user in MiB, 1 to 1048576; 0 for half of what other users leave of kv_max_mb",
        },
        namespace_kv_max_mb: u32 {
            default: 0,
            description: "most memory for keys and values of one user in one cgroup namespace in MiB, 1 to 1048576; 0 for no limit of its own",
        },
        prompts_max_kb: u32 {
            default: 0,
            description: "most prompts that wait for a reader in KiB, 1 to 1048576; 0 for half of sessions_max times prompt_max",
        },
        user_prompts_max_kb: u32 {
            default: 0,
            description: "most prompts of one user that wait in KiB, 1 to 1048576; 0 for a quarter of prompts_max_kb, or one prompt_max if that is more",
        },
        namespace_prompts_max_kb: u32 {
            default: 0,
            description: "most prompts of one user in one cgroup namespace that wait in KiB, 1 to 1048576; 0 for no limit of its own",
        },
        user_tokens_per_second: u32 {
            default: 0,
            description: "most tokens of answers of one user in a second; 0 for no limit",
        },
        user_deadline_ms: u32 {
            default: 0,
            description: "most milliseconds of one turn; 0 for no limit",
        },
        ring_bytes: u32 {
            default: 8192,
            description: "text kept for a reader in bytes, 4096 to 1048576; a turn pauses when it is full",
        },
        section_us: u32 {
            default: 50,
            description: "aim for the length of a NEON section in microseconds, 1 to 10000",
        },
        step_ms: u32 {
            default: 100,
            description: "aim for the length of a step that computes prompts beside answers in milliseconds, 1 to 10000",
        },
        trace_records: u32 {
            default: 4096,
            description: "decision records of 312 bytes that are kept for readers, 16 to 1048576",
        },
        step_timeout_s: u32 {
            default: 120,
            description: "seconds without progress of a step after which the device is broken, 10 to 3600",
        },
    },
}

/// The loaded module. Fields are dropped in this order: first no new sessions, then starts of turns, then
/// who compares answers, then those who compute them, then the ends of turns.
#[pin_data]
struct Sislm {
    _callers: sys::callers::Callers<session::Sessions>,
    #[pin]
    node: Node<device::Device>,
    #[pin]
    debugfs: device::debugfs::Files,
    _starts: session::user_work::Running,
    _comparer: session::comparer::ComparerThread,
    _workers: sched::worker::Workers,
    _carrier: sched::carrier::CarrierThread,
    _ends: session::user_work::Running,
}

impl kernel::InPlaceModule for Sislm {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let shared = Shared::from_parameters()?;
            let starter = session::starter::Starter::new(shared.limits.sessions)?;
            session::user_work::begin(&shared, &starter)?;
            let sessions = Arc::new(
                session::Sessions {
                    shared: shared.clone(),
                    starter,
                },
                GFP_KERNEL,
            )?;
            Ok(try_pin_init!(Self {
                _workers: sched::worker::Workers::start(&shared.scheduler, shared.limits.workers)?,
                _carrier: sched::carrier::CarrierThread::start(&shared.scheduler)?,
                _ends: session::user_work::Running::new(&shared),
                _comparer: session::comparer::ComparerThread::start(&shared)?,
                _starts: session::user_work::Running::new(&shared),
                debugfs <- device::debugfs::Files::new(shared),
                node <- Node::register(sessions.clone()),
                _callers: sys::callers::Callers::serve(sessions),
            }))
        })
    }
}
