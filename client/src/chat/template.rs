// SPDX-License-Identifier: MIT OR Apache-2.0
//! A chat template and what it renders.

use std::borrow::Cow;
use std::error::Error as _;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use minijinja::value::Value;
use minijinja::{context, ErrorKind};
use serde::{Deserialize, Serialize};

use super::alignment;
use super::alphabet::Alphabet;
use super::convention::as_text;
use super::environment::{environment, without_generation_tags, Refusal};
use super::json::value_of;
use super::said::Said;
use super::task::Task;
use super::{Convention, Message, Renderer, TemplateError, Tool};

/// Work that a template may take beside that for the text of messages: about as many instructions, or 64
/// bytes of memory each.
const FUEL: u64 = 200_000;

/// Bytes of stack that a unit of that work may need: a value in a value is dropped, printed and compared by a
/// call in a call. About 190 are measured, and 600 without optimization.
const STACK_OF_FUEL: u64 = if cfg!(debug_assertions) { 2048 } else { 512 };

/// Bytes of stack for all else.
const STACK: u64 = 8 << 20;

/// A template, and the names of two tokens that it may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChatTemplate {
    source: String,
    bos: String,
    eos: String,
}

/// A rendered text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Which bytes of it are of messages: ascending, none empty.
    pub messages: Vec<Range<usize>>,
}

impl ChatTemplate {
    /// The template `source`; `bos` and `eos` are the names of the tokens, empty when there is none.
    pub fn new(source: &str, bos: &str, eos: &str) -> Self {
        Self {
            source: without_generation_tags(source),
            bos: bos.into(),
            eos: eos.into(),
        }
    }

    /// How the model writes calls of functions; None where the template does not tell.
    pub fn convention(&self) -> Option<Convention> {
        Convention::of(&self.source)
    }

    /// The text of `messages`, with functions that may be called; with `answer` it ends where the assistant's answer
    /// begins. A process of `renderer` makes it.
    ///
    /// # Errors
    ///
    /// Each of [`TemplateError`].
    pub fn render(
        &self,
        renderer: &Renderer,
        messages: &[Message],
        tools: &[Tool],
        answer: bool,
    ) -> Result<Rendered, TemplateError> {
        renderer.render(&Task {
            template: Cow::Borrowed(self),
            messages: Cow::Borrowed(messages),
            tools: Cow::Borrowed(tools),
            answer,
        })
    }

    /// The same by this process, which a template may keep at work for ever, and whose memory it may fill.
    pub(super) fn render_here(
        &self,
        messages: &[Message],
        tools: &[Tool],
        answer: bool,
    ) -> Result<Rendered, TemplateError> {
        let plain: Vec<Message>;
        let (messages, tools) = match self.convention() {
            Some(_) => (messages, tools),
            None => {
                plain = as_text(messages, tools);
                (&plain[..], &[][..])
            }
        };
        let said = Said {
            messages,
            tools: tools.iter().map(Tool::to_json).collect(),
            answer,
            now: SystemTime::now(),
        };
        let alphabet = said.alphabet().ok_or(TemplateError::Changed)?;
        let (text, hidden) = on_stack_for(fuel_for(&said), || {
            let text = self.render_once(&said, None)?;
            Ok((text, self.render_once(&said, Some(&alphabet))?))
        })?;
        let parts = alignment::messages(&text, &hidden, &alphabet).ok_or(TemplateError::Changed)?;
        Ok(Rendered {
            text,
            messages: parts,
        })
    }

    fn render_once(
        &self,
        said: &Said<'_>,
        alphabet: Option<&Arc<Alphabet>>,
    ) -> Result<String, TemplateError> {
        let environment =
            environment(fuel_for(said), said.now, alphabet.cloned()).map_err(error_of)?;
        let template = environment
            .template_from_str(&self.source)
            .map_err(error_of)?;
        let alphabet = alphabet.map(Arc::as_ref);
        let messages = said.messages.iter();
        let messages: Value = messages.map(|message| message.to_value(alphabet)).collect();
        let tools = said.tools.iter();
        let tools: Value = match said.tools.is_empty() {
            true => Value::from(()),
            false => tools.map(|tool| value_of(tool, alphabet)).collect(),
        };
        let values = context! {
            messages,
            add_generation_prompt => said.answer,
            bos_token => self.bos.as_str(),
            eos_token => self.eos.as_str(),
            tools,
            documents => (),
        };
        template.render(values).map_err(error_of)
    }
}

/// Bytes of stack for a template whose messages have at most so many bytes.
pub(super) fn stack_for(bytes: u64) -> u64 {
    stack_of(FUEL.saturating_add(bytes))
}

fn stack_of(fuel: u64) -> u64 {
    fuel.saturating_mul(STACK_OF_FUEL).saturating_add(STACK)
}

fn fuel_for(said: &Said<'_>) -> u64 {
    FUEL.saturating_add(said.bytes() as u64)
}

/// What `work` makes, on a stack that is as large as templates with `fuel` can need. Memory is taken only for what
/// they use of it.
fn on_stack_for<T: Send>(
    fuel: u64,
    work: impl FnOnce() -> Result<T, TemplateError> + Send,
) -> Result<T, TemplateError> {
    let size = usize::try_from(stack_of(fuel)).unwrap_or(usize::MAX);
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("template".into())
            .stack_size(size)
            .spawn_scoped(scope, work)
            .map_err(|error| TemplateError::Failed(format!("there is no stack for it: {error}")))?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn error_of(error: minijinja::Error) -> TemplateError {
    if let Some(refusal) = error
        .source()
        .and_then(|source| source.downcast_ref::<Refusal>())
    {
        return TemplateError::Refused(refusal.0.clone());
    }
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::Endless,
        ErrorKind::SyntaxError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction => TemplateError::Syntax(error.to_string()),
        _ => TemplateError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(source: &str, messages: &[Message]) -> Result<Rendered, TemplateError> {
        ChatTemplate::new(source, "<s>", "</s>").render_here(messages, &[], true)
    }

    /// The text, with braces around what is of messages.
    fn marked(source: &str, messages: &[Message]) -> String {
        let Rendered { mut text, messages } = render(source, messages).unwrap();
        for part in messages.into_iter().rev() {
            text.insert(part.end, '}');
            text.insert(part.start, '{');
        }
        text
    }

    /// A user's `content` in the place of the dots.
    fn user(source: &str, content: &str) -> String {
        let source = source.replace("...", "messages[0]['content']");
        marked(&source, &[Message::new("user", content)])
    }

    #[test]
    fn a_user_s_control_token_is_a_user_s_whatever_the_template_does() {
        let end = "<|im_end|>";
        for (expression, wanted) in [
            ("...", "{ <|im_end|> }"),
            ("... | trim", "{<|im_end|>}"),
            ("....strip()", "{<|im_end|>}"),
            ("... | upper", "{<|IM_END|>}"),
            ("....upper() | trim", "{<|IM_END|>}"),
            ("... | lower", "{<|im_end|>}"),
            ("... | capitalize", "{<|im_end|>}"),
            ("... | replace('im', 'IM')", "{<|IM_end|>}"),
            ("....split()[0]", "{<|im_end|>}"),
            ("... | tojson", "{<|im_end|>}"),
            ("... + '<|im_end|>'", "{<|im_end|>} <|im_end|>"),
            (
                "'<|im_end|>' ~ ... ~ '<|im_end|>'",
                "<|im_end|>{<|im_end|>}<|im_end|>",
            ),
            ("...[1:-1]", "{<|im_end|>}"),
            ("... | length", "12"),
        ] {
            let source = format!("<u>{{{{ {expression} }}}}<e>");
            let found = user(&source, &format!(" {end} "));
            // White space around it is nobody's.
            let bare = |text: &str| text.replace([' ', '"'], "");
            assert_eq!(
                bare(&found),
                bare(&format!("<u>{wanted}<e>")),
                "{expression}"
            );
        }
        for content in [
            end,
            "<e>",
            "<u>",
            "<u><e>",
            "{{ eos_token }}",
            "{% raw %}",
            "",
        ] {
            let found = user("<u>{{ ... }}<e>", content);
            let part = if content.is_empty() {
                String::new()
            } else {
                format!("{{{content}}}")
            };
            assert_eq!(found, format!("<u>{part}<e>"));
        }
    }

    #[test]
    fn a_message_that_decides_what_the_template_says_is_refused() {
        let source = "{% if '!' in messages[0].content %}<a>{% else %}<b>{% endif %}{{ messages[0].content }}";
        assert_eq!(marked(source, &[Message::new("user", "x")]), "<b>{x}");
        let split = "<u>{{ messages[0].content.split('|')[1] }}<e>";
        let split = render(split, &[Message::new("user", "a|b")]);
        assert_eq!(split, Err(TemplateError::Changed));
        assert_eq!(
            render(source, &[Message::new("user", "x!")]),
            Err(TemplateError::Changed)
        );
    }

    #[test]
    fn templates_have_what_they_expect() {
        let messages = [Message::new("system", "s"), Message::new("user", "u")];
        for (source, wanted) in [
            ("{{ bos_token }}{{ eos_token }}", "<s></s>"),
            ("{% if add_generation_prompt %}\n  a\n{% endif %}\n", "  a\n"),
            ("    {% if true %}\nb{% endif %}", "b"),
            ("{% if tools is not none %}t{% endif %}{% if tools %}t{% endif %}", ""),
            ("{% for m in messages %}{% if m.role == 'user' %}{% break %}{% endif %}{{ m.role }}{% endfor %}", "system"),
            ("{% set ns = namespace(x=1) %}{% for m in messages %}{% set ns.x = ns.x + 1 %}{% endfor %}{{ ns.x }}", "3"),
            ("{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f(messages[1]['role']) }}", "[user]"),
            ("{% for m in messages[1:] %}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{% endfor %}", "0TrueTrue"),
            ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "1"),
            ("{% generation %}g{% endgeneration %}", "g"),
            ("{{ strftime_now('%Y') | length }}", "4"),
            ("{{ messages[0] is mapping }}{{ messages[0].content is string }}", "TrueTrue"),
        ] {
            assert_eq!(render(source, &messages).map(|rendered| rendered.text).as_deref(), Ok(wanted), "{source}");
        }
    }

    #[test]
    fn a_template_is_bounded_and_reads_nothing() {
        let failed = |source: &str| render(source, &[Message::new("user", "u")]).unwrap_err();
        for endless in [
            "{% for a in range(9999999) %}x{% endfor %}",
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(s='x') %}{% for a in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{{ 'x' * 1000000000 }}",
        ] {
            let error = failed(endless);
            let bounded = matches!(&error, TemplateError::Endless | TemplateError::Failed(_));
            assert!(bounded, "{endless}: {error}");
        }
        let nest = |value: &str, then: &str| {
            let source = format!(
                "{{% set ns = namespace(x=1, y=1) %}}{{% for a in range(9999) %}}{{% for b in range(9999) %}}\
                 {{% set ns.x = {value} %}}{then}{{% endfor %}}{{% endfor %}}"
            );
            failed(&source)
        };
        for value in [
            "[ns.x]",
            "[[[[[[[[[[[[[[[[ns.x]]]]]]]]]]]]]]]]",
            "{'a': {'a': {'a': {'a': ns.x}}}}",
            "namespace(x=ns.x)",
        ] {
            assert_eq!(nest(value, ""), TemplateError::Endless, "{value}");
            let printed = "{% if b == 2000 %}{{ ns.x }}{% endif %}";
            assert_eq!(nest(value, printed), TemplateError::Endless, "{value}");
        }
        let recursion = failed("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}");
        assert!(
            matches!(recursion, TemplateError::Failed(_) | TemplateError::Endless),
            "{recursion}"
        );
        for foreign in [
            "{% include '/etc/passwd' %}",
            "{% if",
            "{{ x | nofilter }}",
            "{{ open('/etc/passwd') }}",
            "{{ messages | pprint }}",
            "{{ debug() }}",
        ] {
            let error = failed(foreign);
            assert!(
                matches!(error, TemplateError::Syntax(_)),
                "{foreign}: {error}"
            );
        }
        let refused = failed("{{ raise_exception('only users, please') }}");
        assert_eq!(refused, TemplateError::Refused("only users, please".into()));
    }
}
