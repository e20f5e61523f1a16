// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines that a user types, and their history.

use std::env;
use std::ffi::OsString;
use std::fs::DirBuilder;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::DefaultEditor;

/// Lines kept in the history.
const HISTORY_LINES: usize = 1000;

/// Reads lines with an editor.
pub(crate) struct Lines {
    editor: DefaultEditor,
    history: Option<PathBuf>,
}

impl Lines {
    /// With the history of the user's state directory, unless it is not wanted or there is none.
    pub(crate) fn open(with_history: bool) -> anyhow::Result<Self> {
        let mut editor = DefaultEditor::new().context("cannot use the terminal")?;
        editor.set_max_history_size(HISTORY_LINES)?;
        editor.set_auto_add_history(true);
        let path = history_path(env::var_os("XDG_STATE_HOME"), env::var_os("HOME"));
        let history = path.filter(|_| with_history);
        if let Some(path) = &history {
            prepare(path).with_context(|| {
                format!(
                    "cannot keep a history at {} (--no-history does without)",
                    path.display()
                )
            })?;
            // The first time there is none.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// The next line; None at the end of input. Ctrl-C drops a line. One that ends in a backslash goes on in the next.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<String>> {
        let mut text = String::new();
        loop {
            let prompt = if text.is_empty() { "> " } else { ". " };
            match self.editor.readline(prompt) {
                Ok(line) => match line.strip_suffix('\\') {
                    Some(part) => text += &format!("{part}\n"),
                    None => return Ok(Some(text + &line)),
                },
                Err(ReadlineError::Eof) => return Ok(None),
                Err(ReadlineError::Interrupted) => {
                    text.clear();
                    writeln!(io::stderr(), "(Ctrl-D ends the program)")?;
                }
                Err(error) => return Err(error).context("cannot read a line"),
            }
        }
    }

    /// Writes the history, for its owner's eyes.
    pub(crate) fn close(mut self) -> anyhow::Result<()> {
        if let Some(path) = &self.history {
            let failed = || format!("cannot write the history to {}", path.display());
            self.editor.append_history(path).with_context(failed)?;
        }
        Ok(())
    }
}

/// `$XDG_STATE_HOME/sislm/history`, by default in `~/.local/state`. Relative paths do not count.
fn history_path(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let folder = state
        .and_then(absolute)
        .or_else(|| Some(home.and_then(absolute)?.join(".local/state")))?;
    Some(folder.join("sislm/history"))
}

/// Makes the directory of the history.
fn prepare(history: &Path) -> io::Result<()> {
    match history.parent() {
        Some(folder) => DirBuilder::new().recursive(true).mode(0o700).create(folder),
        None => Ok(()),
    }
}

/// Text for a terminal: what a model writes must not steer it.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(c),
        '\r' => None,
        c if c.is_control() => Some(char::REPLACEMENT_CHARACTER),
        c => Some(c),
    };
    text.chars().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_history_is_in_the_state_directory() {
        let path = |state: Option<&str>, home: Option<&str>| {
            history_path(state.map(Into::into), home.map(Into::into))
        };
        assert_eq!(
            path(Some("/s"), Some("/h")),
            Some("/s/sislm/history".into())
        );
        let default = Some("/h/.local/state/sislm/history".into());
        assert_eq!(path(None, Some("/h")), default);
        assert_eq!(path(Some("s"), Some("/h")), default);
        assert_eq!(path(None, None), None);
    }

    #[test]
    fn the_directory_is_its_owner_s() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("a/sislm/history");
        prepare(&history).unwrap();
        prepare(&history).unwrap();
        let mode = history.parent().unwrap().metadata().unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o700);
    }

    #[test]
    fn a_model_does_not_steer_the_terminal() {
        assert_eq!(
            printable("a\x1b[2J\u{9b}b\r\n\tc\u{7f}"),
            "a\u{fffd}[2J\u{fffd}b\n\tc\u{fffd}"
        );
    }
}
