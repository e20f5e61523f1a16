// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sislm-client chat` on a pseudo-terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command};
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::openpty;
use serde_json::Value;
use sislm::{ChatModel, Device, Message, ModelName, SamplingConfig, SessionConfig, Slot};

use crate::reference::client;
use crate::report::{Failure, Report};

/// Time for anything that a user waits for.
const LIMIT: Duration = Duration::from_secs(120);
const STATE: &str = "/tmp/talk-state";
const SAVED: &str = "/tmp/talk.json";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

/// A program on a terminal of its own.
struct Terminal {
    keys: File,
    child: Child,
    output: Receiver<Vec<u8>>,
    /// What was not looked at yet.
    seen: String,
}

impl Terminal {
    fn start(arguments: &[&str]) -> Result<Self, Failure> {
        let pty = openpty(None, None)?;
        let end = File::from(pty.slave);
        let child = Command::new("setsid")
            .args(["-c", "sislm-client", "chat"])
            .args(arguments)
            .env("XDG_STATE_HOME", STATE)
            .env("TERM", "linux")
            .stdin(end.try_clone()?)
            .stdout(end.try_clone()?)
            .stderr(end)
            .spawn()?;
        let keys = File::from(pty.master);
        let mut screen = keys.try_clone()?;
        let (sender, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The read of a terminal without a program fails.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            keys,
            child,
            output,
            seen: String::new(),
        })
    }

    fn types(&mut self, keys: &str) -> Result<(), Failure> {
        Ok(self.keys.write_all(keys.as_bytes())?)
    }

    /// Types a line, once it is asked for.
    fn says(&mut self, line: &str) -> Result<(), Failure> {
        self.waits_for("> ")?;
        self.types(&format!("{line}\r"))
    }

    /// Waits for `words`, and forgets what came up to them.
    fn waits_for(&mut self, words: &str) -> Result<(), Failure> {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(place) = self.seen.find(words) {
                self.seen.drain(..place + words.len());
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            let bytes = self.output.recv_timeout(left);
            let bytes = bytes.map_err(|_| format!("no {words:?} in {:?}", self.seen))?;
            self.seen += &String::from_utf8_lossy(&bytes);
        }
    }

    /// Ends the program by the end of input; its exit code.
    fn ends(mut self) -> Result<Option<i32>, Failure> {
        self.waits_for("> ")?;
        self.types(CTRL_D)?;
        Ok(self.child.wait()?.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Talks with `model`, and with `slow`, whose answers take long; both have the template of tests/guest/programs.
pub(crate) fn run(report: &mut Report, model: &str, slow: &str) -> Result<(), Failure> {
    for path in [STATE, SAVED] {
        // Of a run before.
        let _ = fs::remove_dir_all(path);
        let _ = fs::remove_file(path);
    }
    converses(report, model)?;
    is_interrupted(report, slow)?;
    fills_its_context(report, model)?;
    Ok(())
}

fn converses(report: &mut Report, model: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let sampling = ["--preset", "greedy", "-n", "8", "--seed", "3"];
    let options = [&["-m", model, "--stats"], &sampling[..]].concat();
    let mut terminal = Terminal::start(&options)?;
    terminal.waits_for("/help lists")?;
    terminal.says("/seed")?;
    terminal.waits_for("there is no answer yet")?;
    terminal.says("one")?;
    terminal.waits_for("tokens/s]")?;
    let before = device.statistics()?.positions_reused;
    terminal.says("two")?;
    terminal.waits_for("tokens/s]")?;
    let reused = device.statistics()?.positions_reused - before;
    // All up to the answer, which the template puts elsewhere.
    report.equal("talk/context-goes-on", reused > 3, true);
    terminal.says("/seed")?;
    terminal.waits_for("with the seed 3")?;
    terminal.says("/bogus")?;
    terminal.waits_for("no command /bogus")?;
    terminal.says(&format!("/save {SAVED}"))?;
    terminal.waits_for(SAVED)?;
    terminal.says("/model")?;
    terminal.waits_for(&format!("* {model}"))?;
    report.equal("talk/exit-code", terminal.ends()?, Some(0));

    let saved: Value = serde_json::from_str(&fs::read_to_string(SAVED)?)?;
    let said = saved["messages"].as_array().ok_or("no messages")?;
    let content = |place: usize| said[place]["content"].as_str().unwrap_or("").to_owned();
    report.equal(
        "talk/user",
        (content(0), content(2)),
        ("one".into(), "two".into()),
    );
    let alone = [
        &["infer", "--chat", "--json", "-m", model],
        &sampling[..],
        &["one"],
    ]
    .concat();
    let wanted = client(&alone)?["text"].as_str().unwrap_or("").to_owned();
    report.equal("talk/answer", content(1), wanted);
    let messages: Vec<Message> = (0..3)
        .map(|place| Message::new(said[place]["role"].as_str().unwrap_or(""), &content(place)))
        .collect();
    report.equal(
        "talk/second-answer",
        content(3),
        fresh(&device, model, &messages)?,
    );

    let history = fs::metadata(format!("{STATE}/sislm/history"))?;
    report.equal(
        "talk/history-mode",
        history.permissions().mode() & 0o777,
        0o600,
    );
    let lines = fs::read_to_string(format!("{STATE}/sislm/history"))?;
    report.equal(
        "talk/history",
        lines.lines().any(|line| line == "two"),
        true,
    );
    Ok(())
}

/// The answer of an empty context.
fn fresh(device: &Device, model: &str, messages: &[Message]) -> Result<String, Failure> {
    let name: ModelName = model.parse()?;
    let found = device.model(&name)?.ok_or("not loaded")?;
    let config = SessionConfig {
        model: Some(name),
        max_tokens: 8,
        sampling: SamplingConfig::greedy(),
        ..Default::default()
    };
    let mut slot = Slot::new(device.session(&config)?);
    let ids =
        ChatModel::of(device, &found, slot.session())?.prompt(slot.session(), messages, &[])?;
    let pieces: Result<Vec<String>, _> = slot.begin(&config, &ids)?.collect();
    Ok(pieces?.concat())
}

/// Ctrl-C ends the answer, and the program goes on.
fn is_interrupted(report: &mut Report, slow: &str) -> Result<(), Failure> {
    fs::remove_dir_all(STATE)?;
    let device = Device::open(Device::PATH)?;
    // Nothing ends an answer but the context, which is long.
    let mut terminal =
        Terminal::start(&["-m", slow, "--no-history", "-l", "2-inf", "--ctx", "8192"])?;
    terminal.waits_for("/help lists")?;
    for round in 0..3 {
        let before = device.statistics()?.tokens;
        terminal.says("one")?;
        let end = Instant::now() + LIMIT;
        while device.statistics()?.tokens < before + 2 && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        terminal.types(CTRL_C)?;
        terminal.waits_for("ended by Ctrl-C")?;
        report.equal(
            &format!("talk/interrupted-{round}"),
            terminal.child.try_wait()?,
            None,
        );
    }
    terminal.waits_for("> ")?;
    terminal.types(CTRL_C)?;
    terminal.waits_for("Ctrl-D ends")?;
    terminal.says("/help")?;
    terminal.waits_for("/reset")?;
    report.equal("talk/exit-code-after-interrupts", terminal.ends()?, Some(0));
    report.equal("talk/no-history", fs::exists(STATE)?, false);
    Ok(())
}

/// A full context says what to do, and that helps.
fn fills_its_context(report: &mut Report, model: &str) -> Result<(), Failure> {
    let mut terminal =
        Terminal::start(&["-m", model, "--no-history", "-l", "2-inf", "--ctx", "48"])?;
    terminal.waits_for("/help lists")?;
    terminal.says("one")?;
    terminal.waits_for("the context of 48 positions is full: /reset")?;
    terminal.says("two")?;
    terminal.waits_for("/reset begins anew; --ctx asks for a larger context: the prompt has")?;
    terminal.says("/reset")?;
    terminal.waits_for("/reset")?;
    terminal.says("three")?;
    terminal.waits_for("the context of 48 positions is full: /reset")?;
    report.equal("talk/full-context", terminal.ends()?, Some(0));
    Ok(())
}
