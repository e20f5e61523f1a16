// SPDX-License-Identifier: MIT OR Apache-2.0
//! Chat templates: from messages to the text that a model was trained to answer.
//!
//! A template is Jinja, as the model's file has it, and not trusted: it reads no file, and a process of its own
//! renders it, whose time and memory are bounded. What the messages say is not trusted either: the rendered text tells which parts of it
//! they are, so that no name of a control token is parsed there.

mod alignment;
mod alphabet;
mod child;
mod convention;
mod date;
mod environment;
mod error;
mod json;
mod message;
mod renderer;
mod said;
mod task;
mod template;
mod tool;

pub use child::render_if_asked;
pub use convention::{Convention, CALL_MARK};
pub use error::TemplateError;
pub use message::Message;
pub use renderer::Renderer;
pub use template::{ChatTemplate, Rendered};
pub use tool::{Tool, ToolCall};
