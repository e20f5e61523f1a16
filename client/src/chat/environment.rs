// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Jinja that chat templates are written in.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State};
use minijinja_contrib::pycompat;

use super::alphabet::Alphabet;
use super::json::to_json;

/// What a template says when it refuses messages.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As templates expect it: white space of lines with blocks is left out, Python's methods of strings and two
/// functions are there. No file is read, and `fuel` bounds work and memory. Texts may be in `alphabet`.
pub(super) fn environment(
    fuel: u64,
    now: SystemTime,
    alphabet: Option<Arc<Alphabet>>,
) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    environment.set_syntax(syntax.build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_fuel(Some(fuel));
    // What they print grows with the square of a value's depth, and takes no fuel.
    environment.remove_filter("pprint");
    environment.remove_global("debug");
    environment.set_unknown_method_callback(pycompat::unknown_method_callback);
    environment.add_filter(
        "tojson",
        move |state: &State<'_, '_>, value: Value, indent: Option<Value>, options: Kwargs| {
            to_json(state, alphabet.as_deref(), &value, indent, &options)
        },
    );
    environment.add_function("raise_exception", |words: String| -> Result<(), Error> {
        Err(Error::new(ErrorKind::InvalidOperation, "refused").with_source(Refusal(words)))
    });
    environment.add_function("strftime_now", move |format: &str| {
        super::date::strftime(format, now).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidOperation,
                format!("strftime_now does not know {format:?}"),
            )
        })
    });
    Ok(environment)
}

/// The template without the tags that mark what the model says, which Jinja does not know: they become
/// conditions that hold.
pub(super) fn without_generation_tags(source: &str) -> String {
    let mut text = String::new();
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start);
        let (tag, after) = tag.split_at(tag.find("%}").map_or(tag.len(), |end| end + 2));
        let inner = tag.trim_start_matches("{%").trim_end_matches("%}");
        let word = inner.trim_matches(|c: char| matches!(c, '-' | '+') || c.is_whitespace());
        text += before;
        text += &match word {
            "generation" => tag.replace(word, "if true"),
            "endgeneration" => tag.replace(word, "endif"),
            _ => tag.into(),
        };
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_what_the_model_says_are_conditions() {
        let source = "{%- generation -%}a{% endgeneration %}{% if generation %}b{%+ endif %}{%";
        let wanted = "{%- if true -%}a{% endif %}{% if generation %}b{%+ endif %}{%";
        assert_eq!(without_generation_tags(source), wanted);
    }
}
