// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model that answers messages: its chat template, and the ids of what it renders.

use std::fmt;

use nix::errno::Errno;

use crate::{
    ChatTemplate, Convention, Device, Error, Message, Model, ModelName, Renderer, Session,
    TemplateError, Tokenize, Tool,
};

/// The metadata key of the template.
const KEY: &str = "tokenizer.chat_template";

/// The chat template of a model's file, with what tokenizing its text takes. The program renders it in processes of its
/// own: it is to call [`render_if_asked`](crate::render_if_asked) at its start.
#[derive(Clone, Debug)]
pub struct ChatModel {
    template: ChatTemplate,
    bos: Option<u32>,
    eos: Option<u32>,
    eos_name: String,
}

/// Why a model has no answer to messages; displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatError {
    /// The file has no template.
    NoTemplate,
    /// The template is longer than the module keeps.
    TooLong,
    /// The template is no UTF-8.
    NotText,
    /// The template does not render these messages.
    Template(TemplateError),
    /// The device fails.
    Device(Error),
}

impl std::error::Error for ChatError {}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTemplate => f.write_str(
                "the model has no chat template (tokenizer.chat_template): it may be made to continue texts, not to \
                 answer",
            ),
            Self::TooLong => {
                f.write_str("the model's chat template is longer than the module keeps (64 KiB)")
            }
            Self::NotText => {
                f.write_str("the model's chat template is no UTF-8: convert the model again")
            }
            Self::Template(error) => error.fmt(f),
            Self::Device(error) => error.fmt(f),
        }
    }
}

impl From<Error> for ChatError {
    fn from(error: Error) -> Self {
        Self::Device(error)
    }
}

impl ChatModel {
    /// The template of `model`, on which `session` is.
    ///
    /// # Errors
    ///
    /// Each of [`ChatError`] but [`ChatError::Template`].
    pub fn of(device: &Device, model: &Model, session: &Session) -> Result<Self, ChatError> {
        let token_name = |id: Option<u32>| -> Result<String, Error> {
            let name = id.map_or(Ok(Vec::new()), |id| session.token_name(id))?;
            Ok(String::from_utf8_lossy(&name).into_owned())
        };
        let bos_name = token_name(model.bos_id())?;
        let eos_name = token_name(model.eos_id())?;
        let source = source(device, model)?;
        Ok(Self {
            template: ChatTemplate::new(&source, &bos_name, &eos_name),
            bos: model.bos_id(),
            eos: model.eos_id(),
            eos_name,
        })
    }

    /// How the model writes calls of functions.
    pub fn convention(&self) -> Convention {
        self.template.convention().unwrap_or(Convention::Tagged)
    }

    /// The ids of `messages`, with functions that may be called, to the place where the answer begins. Names of
    /// control tokens are parsed in the template alone.
    ///
    /// # Errors
    ///
    /// [`ChatError::Template`], [`ChatError::Device`].
    pub fn prompt(
        &self,
        session: &Session,
        messages: &[Message],
        tools: &[Tool],
    ) -> Result<Vec<u32>, ChatError> {
        let rendered = self
            .template
            .render(&Renderer::this_program(), messages, tools, true)
            .map_err(ChatError::Template)?;
        let how = Tokenize {
            first: true,
            control: true,
        };
        let mut ids = session.tokenize_around(rendered.text.as_bytes(), &rendered.messages, how)?;
        // Both the template and the tokenizer begin with it.
        if self.bos.is_some_and(|bos| ids.starts_with(&[bos, bos])) {
            ids.remove(0);
        }
        // What the tokenizer puts behind a whole text would end the answer before it begins.
        if ids.last().copied() == self.eos && !rendered.text.ends_with(&self.eos_name) {
            ids.pop();
        }
        Ok(ids)
    }
}

/// The template in the model's file.
fn source(device: &Device, model: &Model) -> Result<String, ChatError> {
    let name: ModelName = model.full_name().parse().map_err(|_| Error::Call {
        doing: "name the model",
        errno: Errno::EINVAL,
    })?;
    match device.metadata(&name, KEY) {
        Ok(Some(template)) => String::from_utf8(template).map_err(|_| ChatError::NotText),
        Ok(None) => Err(ChatError::NoTemplate),
        Err(error) if error.errno() == Errno::EFBIG => Err(ChatError::TooLong),
        Err(error) => Err(error.into()),
    }
}
