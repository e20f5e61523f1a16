// SPDX-License-Identifier: MIT OR Apache-2.0
//! What renders templates that are not trusted: processes that the kernel bounds.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::memfd::{memfd_create, MFdFlags};

use super::child::{is_child, seconds_for, MARK};
use super::task::Task;
use super::{Rendered, TemplateError};

/// How much longer than its CPU time a process may take, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a process for each template that is to be rendered.
#[derive(Clone, Debug)]
pub struct Renderer {
    program: PathBuf,
}

impl Renderer {
    /// By this program, which has called [`render_if_asked`](super::render_if_asked) at its start.
    pub fn this_program() -> Self {
        // Also when the file was replaced meanwhile.
        Self::by("/proc/self/exe".into())
    }

    /// By another program, which calls [`render_if_asked`](super::render_if_asked) at its start.
    pub fn by(program: PathBuf) -> Self {
        Self { program }
    }

    /// What becomes of a task.
    pub(super) fn render(&self, task: &Task<'_>) -> Result<Rendered, TemplateError> {
        let failed = |error: io::Error| TemplateError::NoRenderer(error.to_string());
        if is_child() {
            // Each would start another one.
            let why = "it does not call render_if_asked at its start";
            return Err(TemplateError::NoRenderer(why.into()));
        }
        let task = serde_json::to_vec(task).map_err(|error| failed(error.into()))?;
        let time = Duration::from_secs(seconds_for(task.len() as u64)) + PATIENCE;
        let mut process = Process(self.start(&task).map_err(failed)?);
        let Some(output) = process.output(time).map_err(failed)? else {
            return Err(TemplateError::Endless);
        };
        let status = process.0.wait().map_err(failed)?;
        result(status, &output)
    }

    /// A process that has `task` on its standard input, and nothing else of this one's.
    fn start(&self, task: &[u8]) -> io::Result<Child> {
        let mut input: File = memfd_create("task", MFdFlags::MFD_CLOEXEC)?.into();
        input.write_all(task)?;
        input.rewind()?;
        Command::new(&self.program)
            .arg(MARK)
            .env_clear()
            .current_dir("/")
            // Ctrl-C is for this process.
            .process_group(0)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// What a process that has ended says.
fn result(status: ExitStatus, output: &[u8]) -> Result<Rendered, TemplateError> {
    // Killed for its time, or ended itself without memory.
    if status.signal().is_some() {
        return Err(TemplateError::Endless);
    }
    match serde_json::from_slice(output) {
        Ok(result) if status.success() => result,
        _ => Err(TemplateError::NoRenderer(format!("it ended with {status}"))),
    }
}

/// A process that does not outlive its value.
struct Process(Child);

impl Process {
    /// All that it says; None when it takes longer than `time`.
    fn output(&mut self, time: Duration) -> io::Result<Option<Vec<u8>>> {
        let end = Instant::now() + time;
        let mut all = Vec::new();
        let Some(stdout) = &mut self.0.stdout else {
            return Ok(Some(all));
        };
        let mut part = vec![0; 64 << 10];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(
                &mut [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)],
                timeout,
            ) {
                Ok(0) => return Ok(None),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
            }
            match stdout.read(&mut part)? {
                0 => return Ok(Some(all)),
                taken => all.extend_from_slice(part.get(..taken).unwrap_or_default()),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both do nothing to one that has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_process_ended_is_told() {
        let ended = |raw: i32, output: &[u8]| result(ExitStatus::from_raw(raw), output);
        let rendered = Rendered {
            text: "abc".into(),
            messages: vec![0..1, 2..3],
        };
        let output = serde_json::to_vec(&Ok::<_, TemplateError>(rendered.clone())).unwrap();
        assert_eq!(ended(0, &output), Ok(rendered));
        for signal in [6, 9, 24] {
            assert_eq!(ended(signal, &output), Err(TemplateError::Endless));
        }
        for (raw, output) in [(256, &output[..]), (0, &output[1..]), (0, b"")] {
            let error = ended(raw, output).unwrap_err();
            assert!(
                matches!(error, TemplateError::NoRenderer(_)),
                "{raw}: {error}"
            );
        }
    }

    #[test]
    fn what_cannot_be_started_is_told() {
        let task = || Task {
            template: std::borrow::Cow::Owned(super::super::ChatTemplate::new("", "", "")),
            messages: [].as_slice().into(),
            tools: [].as_slice().into(),
            answer: true,
        };
        let missing = Renderer::by("/nonexistent".into()).render(&task());
        assert!(matches!(missing, Err(TemplateError::NoRenderer(_))));
        let other = Renderer::by("/bin/true".into()).render(&task());
        assert!(matches!(other, Err(TemplateError::NoRenderer(_))));
    }

    #[test]
    fn a_process_that_says_nothing_is_ended() {
        let sleep = Command::new("/bin/sleep")
            .arg("600")
            .stdout(Stdio::piped())
            .spawn();
        let mut process = Process(sleep.unwrap());
        let said = process.output(Duration::from_millis(50)).unwrap();
        assert_eq!(said, None);
    }
}
