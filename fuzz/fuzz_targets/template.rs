// SPDX-License-Identifier: GPL-2.0
//! A message in one of the client's own templates: all of it is told to be a message's, and changes nothing else. Or a template
//! of the input, that ends.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sislm_fuzz::chat::{Rendered, render, templates};

/// What is said where it makes no difference.
const NEUTRAL: &str = "x";
/// Each of the client's templates, and what it adds to a message.
static TEMPLATES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let added = |source| outside(&render(source, NEUTRAL).expect("a sound template"));
    templates()
        .map(|(_, source)| (source, added(source)))
        .collect()
});

/// The text but for the messages, and for white space, which may be of either.
fn outside(rendered: &Rendered) -> String {
    let (mut text, mut end) = (String::new(), 0);
    for part in &rendered.messages {
        assert!(end <= part.start && part.start < part.end);
        text += &rendered.text[end..part.start];
        end = part.end;
    }
    bare(&(text + &rendered.text[end..]))
}

/// The text of the messages but for white space, which templates drop.
fn inside(rendered: &Rendered) -> String {
    let parts = rendered.messages.iter();
    bare(
        &parts
            .map(|part| &rendered.text[part.clone()])
            .collect::<String>(),
    )
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    if choice & 0x80 != 0 {
        if let Ok(rendered) = render(&text, NEUTRAL) {
            outside(&rendered);
        }
        return;
    }
    let (source, added) = &TEMPLATES[usize::from(choice) % TEMPLATES.len()];
    if bare(&text).is_empty() {
        return;
    }
    let rendered = render(source, &text).expect("a sound template");
    assert_eq!(inside(&rendered), bare(&text));
    assert_eq!(&outside(&rendered), added);
});
