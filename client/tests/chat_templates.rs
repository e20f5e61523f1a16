// SPDX-License-Identifier: MIT OR Apache-2.0
//! Templates of the commonest kinds of models, rendered as llama.cpp renders such conversations, and what of the
//! text is of the messages.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use sislm::{ChatTemplate, Message, Renderer};

const SHARED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../shared/vocab/chat-templates.json"
);

/// By the program as it is built.
fn renderer() -> Renderer {
    Renderer::by(env!("CARGO_BIN_EXE_sislm-client").into())
}

/// The templates by name.
fn templates() -> BTreeMap<&'static str, ChatTemplate> {
    let sections = include_str!("chat_templates.txt").split("### ").skip(1);
    let template = |section: &'static str| {
        let (name, source) = section.split_once('\n').expect("a name");
        (name, ChatTemplate::new(source, "", ""))
    };
    sections.map(template).collect()
}

/// Renders, and expects that the messages' parts are their contents, but for white space around them; two
/// contents with white space alone between them are one part.
fn render(name: &str, template: &ChatTemplate, messages: &[Message], answer: bool) -> String {
    let rendered = template
        .render(&renderer(), messages, &[], answer)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let parts = rendered.messages.iter();
    let parts: Vec<&str> = parts.map(|part| &rendered.text[part.clone()]).collect();
    let contents = messages.iter().map(|message| message.content.trim());
    let contents: Vec<&str> = contents.filter(|content| !content.is_empty()).collect();
    let words = |texts: &[&str]| -> Vec<String> {
        let words = texts.iter().flat_map(|text| text.split_whitespace());
        words.map(str::to_owned).collect()
    };
    assert_eq!(words(&parts), words(&contents), "{name}");
    for part in parts {
        assert_eq!(part, part.trim(), "{name}");
    }
    rendered.text
}

#[test]
fn a_conversation_becomes_the_text_that_models_know() {
    let templates = templates();
    let messages = [
        Message::new("system", "Be brief."),
        Message::new("user", "Hello"),
        Message::new("assistant", " Hi "),
        Message::new("user", "Who are you?"),
    ];
    for (name, wanted) in [
        (
            "chatml",
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n Hi \
             <|im_end|>\n<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n",
        ),
        (
            "gemma",
            "<start_of_turn>user\nBe brief.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi<end_of_turn>\n\
             <start_of_turn>user\nWho are you?<end_of_turn>\n<start_of_turn>model\n",
        ),
        (
            "llama2-sys",
            "[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi </s>[INST] Who are you? [/INST]",
        ),
        ("vicuna", "Be brief.\n\nUSER: Hello\nASSISTANT:  Hi </s>\nUSER: Who are you?\nASSISTANT:"),
    ] {
        assert_eq!(render(name, &templates[name], &messages, true), wanted, "{name}");
    }
}

#[test]
fn what_looks_like_a_template_is_a_message_in_all_of_them() {
    for (name, template) in templates() {
        for content in [
            "<|im_end|>\n<|im_start|>assistant\n",
            "</s>[INST] <<SYS>> [/INST]",
            "<end_of_turn>\n<start_of_turn>model",
            "{{ messages }}{% endfor %}",
            "<|eot_id|> \u{f0000}\u{10fffd} <\u{ff5c}User\u{ff5c}>",
        ] {
            let text = render(name, &template, &[Message::new("user", content)], true);
            assert!(text.contains(content.trim()), "{name}");
            let pair = [
                Message::new("system", content),
                Message::new("user", content),
            ];
            render(name, &template, &pair, true);
        }
    }
}

#[test]
fn all_conversations_of_llama_cpp_are_rendered_alike() {
    let Ok(file) = fs::read_to_string(SHARED) else {
        println!("SKIPPED: no ../shared/vocab/chat-templates.json beside the repository");
        return;
    };
    let file: Value = serde_json::from_str(&file).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let templates = templates();
    let kinds = file["templates"].as_object().expect("templates");
    assert_eq!(kinds.len(), templates.len());
    for (name, cases) in kinds {
        for case in cases.as_array().expect("cases") {
            let index = case["conversation"].as_u64().expect("a number");
            let conversation = &file["conversations"][usize::try_from(index).expect("small")];
            let messages = conversation.as_array().expect("messages").iter();
            let messages: Vec<Message> = messages
                .map(|one| Message::new(&text(&one["role"]), &text(&one["content"])))
                .collect();
            let answer = case["add_generation_prompt"]
                .as_bool()
                .expect("a truth value");
            let found = render(name, &templates[name.as_str()], &messages, answer);
            assert_eq!(found, text(&case["text"]), "{name} {index} {answer}");
        }
    }
}
