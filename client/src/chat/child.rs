// SPDX-License-Identifier: MIT OR Apache-2.0
//! The process that renders: a task on standard input, what becomes of it on standard output.
//!
//! What bounds its time and memory is the kernel, which kills it: a template finds ways to work that nobody counts.

use std::io::{self, Read, Write};
use std::{env, fs, process};

use nix::sys::resource::{getrlimit, setrlimit, Resource};
use nix::unistd;

use super::task::Task;
use super::template::stack_for;

/// The first argument of such a process.
pub(super) const MARK: &str = "--render-a-chat-template";
/// Seconds of CPU time, beside one for each MiB of the task.
const SECONDS: u64 = 3;
/// Bytes of memory beside the stack, what is mapped at the start, and [`MEMORY_OF_BYTE`].
const MEMORY: u64 = 256 << 20;
/// Bytes of memory for a byte of the task: several copies of it, in an alphabet of four bytes.
const MEMORY_OF_BYTE: u64 = 64;

/// Renders and ends, in a process that a [`Renderer`](super::Renderer) has started; returns in every other. A program
/// whose model answers messages calls it before anything else.
pub fn render_if_asked() {
    if is_child() {
        // What failed is seen by the status alone.
        process::exit(i32::from(render().is_err()));
    }
}

/// Whether this process is to render.
pub(super) fn is_child() -> bool {
    env::args_os().nth(1).is_some_and(|first| first == MARK)
}

/// Seconds of CPU time that a task of so many bytes may take.
pub(super) fn seconds_for(bytes: u64) -> u64 {
    SECONDS.saturating_add(bytes >> 20)
}

fn render() -> io::Result<()> {
    close_others()?;
    let mut task = Vec::new();
    io::stdin().lock().read_to_end(&mut task)?;
    limit(task.len() as u64)?;
    let task: Task<'_> = serde_json::from_slice(&task)?;
    let rendered = serde_json::to_vec(&task.render())?;
    io::stdout().lock().write_all(&rendered)
}

/// Closes all but the three first descriptors.
fn close_others() -> io::Result<()> {
    let open: Vec<i32> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open {
        if descriptor > 2 {
            // That of the directory is closed already.
            let _ = unistd::close(descriptor);
        }
    }
    Ok(())
}

/// Bounds what a task of so many bytes takes. A process that is killed leaves no picture of its memory.
fn limit(bytes: u64) -> io::Result<()> {
    let seconds = seconds_for(bytes);
    // Text of functions and calls may be escaped once more.
    let stack = stack_for(bytes.saturating_mul(2));
    let own = MEMORY_OF_BYTE.saturating_mul(bytes).saturating_add(MEMORY);
    let memory = mapped()?.saturating_add(stack).saturating_add(own);
    lower(Resource::RLIMIT_CORE, 0, 0)?;
    // The second limit kills what the first one's signal does not end.
    lower(Resource::RLIMIT_CPU, seconds, seconds + 1)?;
    lower(Resource::RLIMIT_AS, memory, memory)
}

/// Sets limits, or leaves those that are lower.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, most) = getrlimit(resource)?;
    Ok(setrlimit(resource, soft.min(most), hard.min(most))?)
}

/// Bytes that this process has mapped.
fn mapped() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/self/status has no VmSize"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_known() {
        assert!(mapped().unwrap() > 1 << 20);
    }

    #[test]
    fn a_test_is_no_such_process() {
        render_if_asked();
        assert!(!is_child());
    }
}
