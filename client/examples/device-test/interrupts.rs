// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C at random moments ends sislm-client, and soon.

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
/// Time in which it ends however slow the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts the client on the loaded model `count` times; it is to end within `seconds`, but where the machine itself stood still: one
/// time in ten, at most.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    count: &str,
    seconds: &str,
) -> Result<(), Failure> {
    let (count, seconds): (u64, u64) = (count.parse()?, seconds.parse()?);
    let (mut hung, mut late, mut longest) = (0, 0, Duration::ZERO);
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
            if start.elapsed() > PATIENCE {
                hung += 1;
                client.kill()?;
                client.wait()?;
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        late += u64::from(start.elapsed() > Duration::from_secs(seconds));
        longest = longest.max(start.elapsed());
    }
    println!(
        "# interrupts: {count} times, the longest took {} ms, {late} longer than {seconds} s",
        longest.as_millis()
    );
    report.equal(&format!("interrupts/{count}-times-ends"), hung, 0);
    report.equal(
        &format!("interrupts/{count}-times-in-time"),
        late * 10 <= count,
        true,
    );
    Ok(())
}
