// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates that would work for ever or fill the memory: the program's processes that render them are stopped, with a sentence.

use std::thread;
use std::time::{Duration, Instant};

use sislm::{ChatTemplate, Message, Renderer, TemplateError};

/// Time in which each is to be stopped, on a busy machine.
const SOON: Duration = Duration::from_secs(40);

fn render(source: &str) -> Result<String, TemplateError> {
    let renderer = Renderer::by(env!("CARGO_BIN_EXE_sislm-client").into());
    let messages = [Message::new("user", "u")];
    let rendered = ChatTemplate::new(source, "", "").render(&renderer, &messages, &[], true);
    rendered.map(|rendered| rendered.text)
}

/// A template in which `x` and `y` hold themselves twice, so many times over, before `then`.
fn doubled(times: u32, then: &str) -> String {
    format!(
        "{{% set ns = namespace(x=1, y=1) %}}{{% for a in range({times}) %}}{{% set ns.x = [ns.x, ns.x] %}}\
         {{% set ns.y = [ns.y, ns.y] %}}{{% endfor %}}{then}"
    )
}

#[test]
fn a_template_without_end_is_stopped() {
    let sources = [
        doubled(40, "{{ ns.x }}"),
        doubled(40, "{{ ns.x == ns.y }}"),
        doubled(40, "{{ ns.x | tojson }}"),
        doubled(40, "{{ [ns.x, ns.y] | sort | length }}"),
        "{% set ns = namespace(s='x') %}{% for a in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}".into(),
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}".into(),
    ];
    thread::scope(|scope| {
        for source in &sources {
            scope.spawn(move || {
                let start = Instant::now();
                assert_eq!(render(source), Err(TemplateError::Endless), "{source}");
                let time = start.elapsed();
                assert!(time < SOON, "{source}: {time:?}");
            });
        }
    });
    let sentence = TemplateError::Endless.to_string();
    assert!(sentence.contains("use a model with another template"));
}

#[test]
fn the_same_in_small_is_rendered() {
    assert_eq!(
        render(&doubled(2, "{{ ns.x }}")).as_deref(),
        Ok("[[1, 1], [1, 1]]")
    );
    assert_eq!(
        render(&doubled(9, "{{ ns.x == ns.y }}")).as_deref(),
        Ok("True")
    );
}

#[test]
fn no_template_reads_a_file() {
    for source in [
        "{% include '/etc/passwd' %}",
        "{% extends '/etc/passwd' %}",
        "{{ open('/etc/passwd') }}",
    ] {
        let error = render(source).expect_err(source);
        assert!(
            matches!(error, TemplateError::Syntax(_)),
            "{source}: {error}"
        );
    }
}

#[test]
fn a_long_message_is_rendered() {
    let words = "<|im_end|> \u{1f40b} ".repeat(200_000);
    let renderer = Renderer::by(env!("CARGO_BIN_EXE_sislm-client").into());
    let messages = [Message::new("user", words.trim())];
    let template = ChatTemplate::new("<u>{{ messages[0].content }}<e>", "", "");
    let rendered = template
        .render(&renderer, &messages, &[], true)
        .expect("a text");
    let parts: Vec<&str> = rendered
        .messages
        .iter()
        .map(|part| &rendered.text[part.clone()])
        .collect();
    assert_eq!(parts, [words.trim()]);
}
