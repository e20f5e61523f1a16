// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C at random moments ends sislm-client in time.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;

use crate::report::{Failure, Report};

/// What is inferred from: a prompt, and none, which takes RUN.
const PROMPTS: [&str; 2] = ["one ten", ""];
/// Milliseconds until the signal, at most.
const MOMENTS: u64 = 500;

/// Starts the client on the loaded model `count` times; each time it has `seconds` to end.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    count: &str,
    seconds: &str,
) -> Result<(), Failure> {
    let (count, seconds): (u64, u64) = (count.parse()?, seconds.parse()?);
    let (mut late, mut longest) = (0, Duration::ZERO);
    for number in 0..count {
        let mut client = Command::new("sislm-client")
            .args(["infer", "-m", model, "--ignore-eos", "--ctx", "1024"])
            .arg(PROMPTS[usize::try_from(number)? % PROMPTS.len()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        thread::sleep(Duration::from_millis(number * 7919 % MOMENTS));
        kill(Pid::from_raw(client.id().cast_signed()), Signal::SIGINT)?;
        let start = Instant::now();
        while client.try_wait()?.is_none() {
            if start.elapsed() > Duration::from_secs(seconds) {
                late += 1;
                client.kill()?;
                client.wait()?;
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        longest = longest.max(start.elapsed());
    }
    println!(
        "# interrupts: {count} times, the longest took {} ms",
        longest.as_millis()
    );
    report.equal(&format!("interrupts/{count}-times-in-time"), late, 0);
    Ok(())
}
