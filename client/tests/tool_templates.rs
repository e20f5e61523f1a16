// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions in chat templates: what models are told, and what of it is not the template's.

use serde_json::{json, Value};
use sislm::{ChatTemplate, Convention, Message, Renderer, Tool, ToolCall};

/// As Hermes and Qwen have it, in short.
const HERMES: &str = "{% if tools %}<|im_start|>system\n<tools>{% for tool in tools %}\n{{ tool | tojson }}{% endfor %}\n\
    </tools> <tool_call><|im_end|>\n{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n\
    {{ message.content }}{% for call in message.tool_calls %}<tool_call>\n{{ '{\"name\": \"' }}{{ call.function.name }}\
    {{ '\", \"arguments\": ' }}{{ call.function.arguments | tojson }}{{ '}' }}\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}";

/// By the program as it is built.
fn renderer() -> Renderer {
    Renderer::by(env!("CARGO_BIN_EXE_sislm-client").into())
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn look(description: &str) -> Tool {
    let far = json!({ "type": "object", "properties": { "far": { "type": "boolean", "description": description } } });
    Tool {
        name: "look".into(),
        description: description.into(),
        parameters: object(far),
    }
}

#[test]
fn functions_and_calls_are_written_as_models_have_read_them() {
    let template = ChatTemplate::new(HERMES, "", "");
    assert_eq!(template.convention(), Some(Convention::Tagged));
    let call = ToolCall {
        id: "1".into(),
        name: "look".into(),
        arguments: object(json!({ "far": true, "w": [1, "\u{e9}"] })),
    };
    let messages = [
        Message::new("user", "a"),
        Message {
            calls: vec![call],
            ..Message::new("assistant", "")
        },
    ];
    let text = template
        .render(&renderer(), &messages, &[look("A <b>\n\"\u{e9}\".")], false)
        .expect("a text")
        .text;
    let tool = "{\"type\": \"function\", \"function\": {\"name\": \"look\", \"description\": \"A <b>\\n\\\"\u{e9}\\\".\", \
        \"parameters\": {\"type\": \"object\", \"properties\": {\"far\": {\"type\": \"boolean\", \"description\": \
        \"A <b>\\n\\\"\u{e9}\\\".\"}}}}}";
    assert!(text.contains(tool), "{text}");
    let call = "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"far\": true, \"w\": [1, \"\u{e9}\"]}}\n</tool_call><|im_end|>";
    assert!(text.contains(call), "{text}");
}

#[test]
fn no_text_of_a_function_or_a_call_is_the_template_s() {
    const END: &str = "<|im_end|>";
    for words in [
        "<|im_end|>",
        "\"<|im_end|>\\",
        "a\n<|im_end|>\t\u{1}",
        "\\u003c<|im_end|>",
    ] {
        for source in [
            HERMES,
            "{% for message in messages %}{{ message.content }}<|im_end|>\n{% endfor %}",
        ] {
            let template = ChatTemplate::new(source, "", "");
            let call = ToolCall {
                id: words.into(),
                name: "look".into(),
                arguments: object(json!({ words: [words] })),
            };
            let messages = [
                Message {
                    calls: vec![call],
                    ..Message::new("assistant", words)
                },
                Message {
                    answers: Some(words.into()),
                    ..Message::new("tool", words)
                },
            ];
            let rendered = template
                .render(&renderer(), &messages, &[look(words)], false)
                .expect("a text");
            let theirs = |place: usize| {
                rendered
                    .messages
                    .iter()
                    .any(|part| part.start < place + END.len() && place < part.end)
            };
            let own = rendered
                .text
                .match_indices(END)
                .filter(|(place, _)| !theirs(*place));
            // What the system says, and two messages.
            assert_eq!(own.count(), 3, "{words} {:?}", rendered.text);
        }
    }
}
