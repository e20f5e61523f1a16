// SPDX-License-Identifier: MIT OR Apache-2.0
//! `chat`: a conversation on the terminal.

use std::io::{self, IsTerminal, Write};

use nix::errno::Errno;
use sislm::{Finish, Outcome};

use crate::chat::{printable, Lines, Order, Talk, TurnInterrupt, HELP};
use crate::cli::{Chat, Cli};
use crate::closing_line::closing_line;
use crate::exit_codes::{ExitCode, Failure};

/// Runs `chat`: until the end of input. On a terminal an error is told, and the conversation goes on.
pub(crate) fn run(cli: &Cli, arguments: &Chat, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    if cli.json {
        let sentence = "chat has no --json: infer --chat --json answers one message with an object";
        return Err(Failure::error(ExitCode::Usage, sentence));
    }
    let interrupt = TurnInterrupt::start()?;
    let mut shown = Shown {
        talk: Talk::begin(cli, arguments)?,
        interrupt,
        stats: arguments.stats,
        seed: None,
    };
    let is_terminal = io::stdin().is_terminal();
    let mut lines = Lines::open(!arguments.no_history && is_terminal)?;
    if is_terminal {
        writeln!(
            out,
            "{}; /help lists the commands",
            shown.talk.model().name()
        )?;
    }
    while let Some(line) = lines.next()? {
        match Order::of(&line) {
            Ok(order) => match shown.obey(order, out) {
                Err(error) if is_terminal => writeln!(io::stderr(), "{error:#}")?,
                done => done?,
            },
            Err(sentence) => writeln!(io::stderr(), "{sentence}")?,
        }
    }
    lines.close()?;
    Ok(ExitCode::Success)
}

/// A conversation and what is told of it.
struct Shown<'a> {
    talk: Talk<'a>,
    interrupt: TurnInterrupt,
    stats: bool,
    seed: Option<u64>,
}

impl Shown<'_> {
    fn obey(&mut self, order: Order, out: &mut impl Write) -> anyhow::Result<()> {
        match order {
            Order::Nothing => {}
            Order::Say(text) => self.say(&text, out)?,
            Order::Reset => self.talk.conversation().clear(),
            Order::System(text) => self.talk.conversation().set_system(text),
            Order::TellSeed => match self.seed {
                Some(seed) => writeln!(out, "the last answer was drawn with the seed {seed}")?,
                None => writeln!(out, "there is no answer yet")?,
            },
            Order::Seed(seed) => self.talk.set_seed(seed),
            Order::ListModels => self.list(out)?,
            Order::Model(name) => self.talk.choose(&name)?,
            Order::Save(path) => self.talk.save(&path)?,
            Order::Stats => self.stats = !self.stats,
            Order::Help => writeln!(out, "{HELP}")?,
        }
        Ok(())
    }

    fn say(&mut self, text: &str, out: &mut impl Write) -> anyhow::Result<()> {
        let is_terminal = io::stdout().is_terminal();
        let show = |piece: &str| {
            match is_terminal {
                true => out.write_all(printable(piece).as_bytes())?,
                false => out.write_all(piece.as_bytes())?,
            }
            out.flush()
        };
        let outcome = self.talk.answer(text, &self.interrupt, show);
        writeln!(out)?;
        let outcome = outcome.map_err(|error| match full(&error) {
            true => error.context("/reset begins anew; --ctx asks for a larger context"),
            false => error,
        })?;
        self.seed = Some(outcome.seed);
        self.tell(&outcome)?;
        Ok(())
    }

    /// What is to be known of an answer beside its text.
    fn tell(&self, outcome: &Outcome) -> io::Result<()> {
        let mut err = io::stderr();
        if self.stats {
            writeln!(err, "{}", closing_line(self.talk.model(), outcome, None))?;
        }
        match outcome.finish {
            Finish::Context => writeln!(
                err,
                "the context of {} positions is full: /reset begins anew; --ctx asks for a larger one, of up to {}",
                outcome.context,
                self.talk.model().context
            ),
            Finish::Cancelled | Finish::None => writeln!(err, "(ended by Ctrl-C)"),
            _ => Ok(()),
        }
    }

    fn list(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for model in self.talk.models()? {
            let mark = if model.name() == self.talk.model().name() {
                "*"
            } else {
                " "
            };
            writeln!(out, "{mark} {}", model.name())?;
        }
        Ok(())
    }
}

/// Whether a turn failed because the conversation fills the context.
fn full(error: &anyhow::Error) -> bool {
    let device = error.downcast_ref::<sislm::Error>();
    device.is_some_and(|error| error.errno() == Errno::EMSGSIZE)
}
