// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prompt of a message, by the chat template of the model's file.

use sislm::{ChatError, ChatModel, Device, Message, Model, Session};

use crate::exit_codes::{ExitCode, Failure};

/// The ids of what a user says, after what the system says, by the model's template.
pub(crate) fn prompt_ids(
    device: &Device,
    model: &Model,
    session: &Session,
    system: Option<&str>,
    user: &[u8],
) -> anyhow::Result<Vec<u32>> {
    let mut messages: Vec<Message> = system
        .map(|text| Message::new("system", text))
        .into_iter()
        .collect();
    messages.push(Message::new("user", &String::from_utf8_lossy(user)));
    let ids =
        ChatModel::of(device, model, session).and_then(|chat| chat.prompt(session, &messages, &[]));
    ids.map_err(error_of)
}

/// The error with what to do without a template.
pub(crate) fn error_of(error: ChatError) -> anyhow::Error {
    const BY_HAND: &str =
        "write a prompt as its makers say, to infer with --control for the names of control tokens";
    let sentence = match error {
        ChatError::Device(error) => return error.into(),
        ChatError::Template(error) => return error.into(),
        error @ ChatError::NoTemplate => {
            format!("{error}. Give infer the beginning of a text, without --chat; or {BY_HAND}")
        }
        error @ ChatError::TooLong => format!("{error}: {BY_HAND}"),
        error => error.to_string(),
    };
    Failure::error(ExitCode::GeneralError, sentence)
}
