// SPDX-License-Identifier: MIT OR Apache-2.0
//! An answer on its way to become events: what comes before it, and the calls in it.

use sislm::Token;

use super::calls::{CallReader, Said};
use super::identity::call_id;
use super::job::{End, Event};

/// The text of a prompt that comes before its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Echo {
    /// Its characters.
    pub text: String,
    /// Its tokens, where log-probabilities are asked for.
    pub tokens: Vec<Token>,
}

/// An answer as far as it has been told.
pub(super) struct PartialAnswer {
    /// What it is to begin with, until it has begun.
    echo: Option<Echo>,
    reader: Option<CallReader>,
    calls: u32,
}

impl PartialAnswer {
    /// One that begins with `echo`, in which `reader` finds calls.
    pub(super) fn new(echo: Option<Echo>, reader: Option<CallReader>) -> Self {
        Self {
            echo,
            reader,
            calls: 0,
        }
    }

    /// The events of more text, whose tokens are `tokens`.
    pub(super) fn push(&mut self, choice: u32, text: &str, tokens: Vec<Token>) -> Vec<Event> {
        if let Some(reader) = &mut self.reader {
            let said = reader.push(text);
            return self.events(choice, said);
        }
        let Echo {
            text: before,
            tokens: mut all,
        } = self.echo.take().unwrap_or_default();
        let text = before + text;
        all.extend(tokens);
        let mut tokens = all;
        tokens.retain(|token| !token.text.is_empty());
        match text.is_empty() && tokens.is_empty() {
            true => Vec::new(),
            false => vec![Event::Text {
                choice,
                text,
                tokens,
            }],
        }
    }

    /// Those of what is left at the end.
    pub(super) fn finish(&mut self, choice: u32) -> Vec<Event> {
        match &mut self.reader {
            Some(reader) => {
                let said = reader.finish();
                self.events(choice, said)
            }
            None if self.echo.is_some() => self.push(choice, "", Vec::new()),
            None => Vec::new(),
        }
    }

    /// Why it ended, as far as the device knows `end`.
    pub(super) fn end(&self, end: End) -> End {
        let called = self.reader.as_ref().is_some_and(CallReader::called);
        match end {
            End::Stop if called => End::Calls,
            end => end,
        }
    }

    fn events(&mut self, choice: u32, said: Vec<Said>) -> Vec<Event> {
        let event = |said| match said {
            Said::Text(text) => Event::Text {
                choice,
                text,
                tokens: Vec::new(),
            },
            Said::Call(name) => {
                self.calls += 1;
                Event::Call {
                    choice,
                    index: self.calls - 1,
                    id: call_id(),
                    name,
                }
            }
            Said::Arguments(text) => Event::Arguments {
                choice,
                index: self.calls.saturating_sub(1),
                text,
            },
        };
        said.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use sislm::Convention;

    use super::*;

    #[test]
    fn calls_are_numbered_and_end_the_answer() {
        let mut answer = PartialAnswer::new(None, Some(CallReader::sure(Convention::Listed)));
        let text = r#"[{"name": "f", "arguments": {}}, {"name": "g", "arguments": {}}]"#;
        let events = answer.push(2, text, Vec::new());
        let numbers: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Call {
                    choice,
                    index,
                    id,
                    name,
                } if id.len() == 9 => (*choice, *index, name.clone()),
                Event::Arguments {
                    choice,
                    index,
                    text,
                } => (*choice, *index, text.clone()),
                event => panic!("{event:?}"),
            })
            .collect();
        let wanted = [(2, 0, "f"), (2, 0, "{}"), (2, 1, "g"), (2, 1, "{}")];
        assert_eq!(
            numbers,
            wanted.map(|(choice, index, text)| (choice, index, text.to_owned()))
        );
        assert_eq!(
            (answer.end(End::Stop), answer.end(End::Length)),
            (End::Calls, End::Length)
        );
    }

    #[test]
    fn an_echo_comes_first_and_once() {
        let echo = || Echo {
            text: "a".into(),
            tokens: Vec::new(),
        };
        let mut answer = PartialAnswer::new(Some(echo()), None);
        let text = |text: &str| Event::Text {
            choice: 0,
            text: text.into(),
            tokens: Vec::new(),
        };
        assert_eq!(answer.push(0, "b", Vec::new()), [text("ab")]);
        assert_eq!(answer.push(0, "", Vec::new()), []);
        assert_eq!(answer.finish(0), []);
        assert_eq!(
            PartialAnswer::new(Some(echo()), None).finish(0),
            [text("a")]
        );
        assert_eq!(answer.end(End::Stop), End::Stop);
    }
}
