// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a line asks for: something to say, or a command.

use std::path::PathBuf;

use crate::cli::{seed, Seed};

/// What the commands do.
pub(crate) const HELP: &str = "\
/reset          forget what was said
/system [TEXT]  let the system say TEXT first, or nothing
/seed [N]       use seed N for each answer, -1 for drawn ones; tell the last one
/model [NAME]   go on with another model; list the models
/save FILE      write the conversation to a new file, as JSON
/stats          tell tokens per second, or no more
/help           this
Ctrl-C ends an answer, Ctrl-D the program. A line that ends in \\ goes on in the next one; // begins a message with /.";

/// A line, understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Nothing.
    Nothing,
    /// Say this.
    Say(String),
    /// Forget what was said.
    Reset,
    /// Let the system say this.
    System(Option<String>),
    /// Tell the seed.
    TellSeed,
    /// Use this seed.
    Seed(Seed),
    /// List the models.
    ListModels,
    /// Go on with this model.
    Model(String),
    /// Write the conversation to this file.
    Save(PathBuf),
    /// Tell tokens per second, or no more.
    Stats,
    /// Tell the commands.
    Help,
}

impl Order {
    /// What `line` asks for; a sentence when that is nothing that there is.
    pub(crate) fn of(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(Self::Nothing);
        }
        let command = match line.strip_prefix('/') {
            None => return Ok(Self::Say(line.into())),
            Some(message) if message.starts_with('/') => return Ok(Self::Say(message.into())),
            Some(command) => command,
        };
        let (name, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        match (name, rest.trim()) {
            ("reset", "") => Ok(Self::Reset),
            ("system", "") => Ok(Self::System(None)),
            ("system", text) => Ok(Self::System(Some(text.into()))),
            ("seed", "") => Ok(Self::TellSeed),
            ("seed", number) => seed(number).map(Self::Seed),
            ("model", "") => Ok(Self::ListModels),
            ("model", model) => Ok(Self::Model(model.into())),
            ("save", "") => Err("/save needs the name of a file".into()),
            ("save", file) => Ok(Self::Save(file.into())),
            ("stats", "") => Ok(Self::Stats),
            ("help", "") => Ok(Self::Help),
            ("reset" | "stats" | "help", _) => Err(format!("/{name} takes nothing behind it")),
            _ => Err(format!("there is no command /{name}; /help lists them")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_unless_it_is_a_command() {
        let say = |text: &str| Ok(Order::Say(text.into()));
        assert_eq!(Order::of("  Hello, /reset "), say("Hello, /reset"));
        assert_eq!(Order::of("//etc"), say("/etc"));
        assert_eq!(Order::of(" \t"), Ok(Order::Nothing));
    }

    #[test]
    fn commands_take_what_is_behind_them() {
        assert_eq!(
            Order::of("/system  Be brief. "),
            Ok(Order::System(Some("Be brief.".into())))
        );
        assert_eq!(Order::of("/system"), Ok(Order::System(None)));
        assert_eq!(Order::of("/seed 7"), Ok(Order::Seed(Seed(Some(7)))));
        assert_eq!(Order::of("/seed -1"), Ok(Order::Seed(Seed(None))));
        assert_eq!(Order::of("/model tiny"), Ok(Order::Model("tiny".into())));
        assert_eq!(Order::of("/save a b"), Ok(Order::Save("a b".into())));
    }

    #[test]
    fn what_is_no_command_says_what_is() {
        for (line, words) in [
            ("/restart", "/help lists them"),
            ("/reset now", "takes nothing"),
            ("/save", "name of a file"),
            ("/seed x", "expected 0 to"),
        ] {
            assert!(Order::of(line).unwrap_err().contains(words), "{line}");
        }
        for line in HELP.lines().filter_map(|line| line.split(' ').next()) {
            if line.starts_with('/') {
                let with = format!("{line} 1");
                assert!(
                    Order::of(line).is_ok() || Order::of(&with).is_ok(),
                    "{line}"
                );
            }
        }
    }
}
