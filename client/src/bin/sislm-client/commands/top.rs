// SPDX-License-Identifier: MIT OR Apache-2.0
//! `top`: sessions, rates and memory, again and again.

use std::io::{self, IsTerminal, Write};
use std::thread::sleep;
use std::time::Duration;

use console::Term;
use sislm::Device;

use crate::cli::{Cli, Top};
use crate::exit_codes::ExitCode;
use crate::top::{lines, Sample};

/// Runs `top` until Ctrl-C, or as often as is asked for.
pub(crate) fn run(cli: &Cli, arguments: &Top, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let mut most = arguments.number;
    if arguments.once {
        most = Some(1);
    }
    let plain = arguments.batch || arguments.once || cli.json || !io::stdout().is_terminal();
    let mut screen = (!plain).then(Screen::new);
    let mut before = None;
    let mut shown: u64 = 0;
    loop {
        let sample = Sample::take(&device)?;
        match &mut screen {
            Some(screen) => screen.show(&lines(&sample, before.as_ref()))?,
            None if cli.json => writeln!(out, "{}", sample.to_json(before.as_ref()))?,
            None => write_plain(out, &lines(&sample, before.as_ref()), shown > 0)?,
        }
        out.flush()?;
        shown += 1;
        if most.is_some_and(|most| shown >= most) {
            return Ok(ExitCode::Success);
        }
        before = Some(sample);
        sleep(Duration::from_secs_f64(arguments.delay));
    }
}

/// An empty line stands between two samples.
fn write_plain(out: &mut impl Write, lines: &[String], apart: bool) -> io::Result<()> {
    if apart {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// A terminal, on which a sample takes the place of the one before. The last one stays there after Ctrl-C.
struct Screen {
    terminal: Term,
    shown: usize,
}

impl Screen {
    fn new() -> Self {
        Self {
            terminal: Term::buffered_stdout(),
            shown: 0,
        }
    }

    fn show(&mut self, lines: &[String]) -> io::Result<()> {
        let (height, width) = self.terminal.size();
        self.terminal.clear_last_lines(self.shown)?;
        // The cursor has a line of its own.
        let most = usize::from(height).saturating_sub(1);
        self.shown = lines.len().min(most);
        for line in &lines[..self.shown] {
            let line: String = line.chars().take(usize::from(width)).collect();
            self.terminal.write_line(&line)?;
        }
        self.terminal.flush()
    }
}
