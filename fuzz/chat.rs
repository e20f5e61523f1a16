// SPDX-License-Identifier: GPL-2.0
//! The client's chat templates, rendered by this process: it sees no other's.

/// Modules of another edition, with what only the client uses of them. In a macro rustfmt leaves them as they are there.
macro_rules! of_the_client {
    ($($path:literal $name:ident)*) => {$(
        #[allow(dead_code, unreachable_pub, clippy::collapsible_if)]
        #[path = $path]
        mod $name;
    )*};
}

of_the_client! {
    "../client/src/chat/alignment.rs" alignment
    "../client/src/chat/alphabet.rs" alphabet
    "../client/src/chat/child.rs" child
    "../client/src/chat/convention.rs" convention
    "../client/src/chat/date.rs" date
    "../client/src/chat/environment.rs" environment
    "../client/src/chat/error.rs" error
    "../client/src/chat/json.rs" json
    "../client/src/chat/message.rs" message
    "../client/src/chat/renderer.rs" renderer
    "../client/src/chat/said.rs" said
    "../client/src/chat/task.rs" task
    "../client/src/chat/template.rs" template
    "../client/src/chat/tool.rs" tool
}

pub use convention::Convention;
pub use error::TemplateError;
pub use message::Message;
pub use renderer::Renderer;
pub use template::{ChatTemplate, Rendered};
pub use tool::{Tool, ToolCall};

/// Names and sources of the templates that the client's tests have.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = include_str!("../client/tests/chat_templates.txt").split("### ");
    sections
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
}

/// What the template makes of a message of a user, up to where the answer begins.
pub fn render(source: &str, content: &str) -> Result<Rendered, TemplateError> {
    let template = ChatTemplate::new(source, "<s>", "</s>");
    template.render_here(&[Message::new("user", content)], &[], true)
}
