// SPDX-License-Identifier: MIT OR Apache-2.0
//! The prompt of a conversation, by the chat template of the model's file.

use nix::errno::Errno;
use sislm::{ChatTemplate, Device, Message, Model, Session, Tokenize};

use crate::choice::name_of;
use crate::exit_codes::{ExitCode, Failure};

/// The metadata key of the template.
const KEY: &str = "tokenizer.chat_template";

/// The ids of what a user says, after what the system says, by the model's template. Names of control tokens are
/// parsed in the template alone.
pub fn prompt_ids(
    device: &Device,
    model: &Model,
    session: &Session,
    system: Option<&str>,
    user: &[u8],
) -> anyhow::Result<Vec<u32>> {
    let token_name = |id: Option<u32>| -> anyhow::Result<String> {
        let name = id.map_or(Ok(Vec::new()), |id| session.token_name(id))?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    };
    let bos = token_name(model.bos_id())?;
    let eos = token_name(model.eos_id())?;
    let message = |role: &str, content: &str| Message {
        role: role.into(),
        content: content.into(),
    };
    let mut messages: Vec<Message> = system
        .map(|text| message("system", text))
        .into_iter()
        .collect();
    messages.push(message("user", &String::from_utf8_lossy(user)));
    let template = ChatTemplate::new(&source(device, model)?, &bos, &eos);
    let rendered = template.render(&messages, true)?;
    let how = Tokenize {
        first: true,
        control: true,
    };
    let mut ids = session.tokenize_around(rendered.text.as_bytes(), &rendered.messages, how)?;
    // Both the template and the tokenizer begin with it.
    let is_twice = model
        .bos_id()
        .is_some_and(|bos| ids.starts_with(&[bos, bos]));
    if is_twice {
        ids.remove(0);
    }
    // What the tokenizer puts behind a whole text would end the answer before it begins.
    if ids.last().copied() == model.eos_id() && !rendered.text.ends_with(&eos) {
        ids.pop();
    }
    Ok(ids)
}

/// The template in the model's file.
fn source(device: &Device, model: &Model) -> anyhow::Result<String> {
    let failed = |sentence: &str| Failure::error(ExitCode::GeneralError, sentence);
    match device.metadata(&name_of(model)?, KEY) {
        Ok(Some(template)) => String::from_utf8(template)
            .map_err(|_| failed("the model's chat template is no UTF-8: convert the model again")),
        Ok(None) => Err(failed(
            "the model has no chat template (tokenizer.chat_template): it may be made to continue texts, not to \
             answer. Leave --chat out and give it the beginning of a text; or write a prompt as its makers say, with \
             --control for the names of control tokens",
        )),
        Err(error) if error.errno() == Errno::EFBIG => Err(failed(
            "the model's chat template is longer than the module keeps (64 KiB): leave --chat out and write a prompt as \
             its makers say, with --control for the names of control tokens",
        )),
        Err(error) => Err(error.into()),
    }
}
