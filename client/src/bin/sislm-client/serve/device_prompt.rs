// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prompts of a job as the device takes them.

use sislm::{
    ChatModel, Convention, Device, Likely, Model, Session, Token, Tokenize, Tool, Vocabulary,
};

use super::error::ApiError;
use super::job::{Job, Prompt};
use super::partial_answer::Echo;

/// A prompt as the device takes it.
pub(super) struct DevicePrompt {
    /// Its ids.
    pub ids: Vec<u32>,
    /// Its text, where the answer is to begin with it.
    pub echo: Option<Echo>,
}

impl DevicePrompt {
    /// Gives the tokens of its echo their log-probabilities, with the `top` most likely ones in the place of each. `session`
    /// has an empty context afterwards.
    pub(super) fn score(
        &mut self,
        session: &mut Session,
        vocabulary: &Vocabulary,
        top: u32,
    ) -> Result<(), ApiError> {
        let Some(echo) = &mut self.echo else {
            return Ok(());
        };
        let evaluation = session.evaluate(&self.ids, top)?;
        session.reset()?;
        let likely = |candidate: &sislm::Candidate| Likely {
            id: candidate.id,
            log_probability: candidate.log_probability,
            text: vocabulary.text(candidate.id).to_vec(),
        };
        let scores = evaluation.log_probabilities.iter().enumerate();
        let tokens = self.ids.iter().zip(scores).map(|(&id, (place, &score))| {
            // What is likely after a token is so in the place of the next; nothing comes before the first.
            let before = place.checked_sub(1);
            let row = before.and_then(|before| evaluation.top.get(before));
            Token {
                id,
                text: vocabulary.text(id).to_vec(),
                log_probability: before.map(|_| score),
                top: row.into_iter().flatten().map(likely).collect(),
            }
        });
        echo.tokens = tokens.collect();
        // A space that the tokenizer puts before a text is none of the text.
        let first = echo.tokens.iter_mut().find(|token| !token.text.is_empty());
        if let Some(first) = first {
            if first.text.starts_with(b" ") && !echo.text.starts_with(' ') {
                first.text.remove(0);
            }
        }
        Ok(())
    }
}

/// What makes them.
pub(super) struct Giver<'a> {
    model: &'a Model,
    session: &'a Session,
    chat: Option<ChatModel>,
    tools: &'a [Tool],
    echo: bool,
}

impl<'a> Giver<'a> {
    /// For the prompts of `job`, by `session` on `model`.
    pub(super) fn new(
        device: &Device,
        model: &'a Model,
        session: &'a Session,
        job: &'a Job,
    ) -> Result<Self, ApiError> {
        let is_chat = |prompt: &Prompt| matches!(prompt, Prompt::Messages(_));
        let chat = match job.prompts.iter().any(is_chat) {
            true => Some(ChatModel::of(device, model, session)?),
            false => None,
        };
        Ok(Self {
            model,
            session,
            chat,
            tools: job.tools.as_ref().map_or(&[], |tools| &tools.list),
            echo: job.echo,
        })
    }

    /// How the model writes calls of functions; None where nothing is said to it by its template.
    pub(super) fn convention(&self) -> Option<Convention> {
        self.chat.as_ref().map(ChatModel::convention)
    }

    /// A prompt.
    pub(super) fn given(&self, prompt: &Prompt) -> Result<DevicePrompt, ApiError> {
        let ids = self.ids(prompt)?;
        if let Some(id) = ids.iter().find(|&&id| id >= self.model.vocabulary) {
            let sentence = format!(
                "there is no token {id}: the model has {} tokens, from 0",
                self.model.vocabulary
            );
            return Err(ApiError::field("prompt", sentence));
        }
        let echo = match (self.echo, prompt) {
            (false, _) => None,
            (true, Prompt::Text(text)) => Some(text.clone()),
            (true, _) => {
                let begun = ids.first().copied() == self.model.bos_id();
                let rest = ids.get(usize::from(begun)..).unwrap_or(&ids);
                let text = self.session.detokenize(rest, true)?;
                Some(String::from_utf8_lossy(&text).into_owned())
            }
        };
        let echo = echo.map(|text| Echo {
            text,
            tokens: Vec::new(),
        });
        Ok(DevicePrompt { ids, echo })
    }

    /// Its ids: at least one.
    fn ids(&self, prompt: &Prompt) -> Result<Vec<u32>, ApiError> {
        let first = Tokenize {
            first: true,
            control: false,
        };
        let mut ids = match (prompt, &self.chat) {
            (Prompt::Ids(ids), _) => ids.clone(),
            (Prompt::Text(text), _) => self.session.tokenize(text.as_bytes(), first)?,
            (Prompt::Messages(messages), Some(chat)) => {
                chat.prompt(self.session, messages, self.tools)?
            }
            (Prompt::Messages(_), None) => Vec::new(),
        };
        // What the model puts behind a text would end the answer before it begins.
        if matches!(prompt, Prompt::Text(_)) && ids.last().copied() == self.model.eos_id() {
            ids.pop();
        }
        match (ids.is_empty(), self.model.bos_id()) {
            (true, Some(bos)) => Ok(vec![bos]),
            (true, None) => {
                let sentence = "the prompt is empty, and the model has no token to begin with: give it some text";
                Err(ApiError::field("prompt", sentence))
            }
            (false, _) => Ok(ids),
        }
    }
}
