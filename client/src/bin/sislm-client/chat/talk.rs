// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers to what a user says, each in the context of the ones before.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use nix::errno::Errno;
use serde_json::json;
use sislm::{ChatModel, Device, Model, Outcome, SessionConfig, Slot};

use super::conversation::Conversation;
use super::TurnInterrupt;
use crate::choice;
use crate::cli::{Chat, Cli, Seed};
use crate::lora;
use crate::target::ANY;
use crate::template;

/// A conversation with a model.
pub(crate) struct Talk<'a> {
    cli: &'a Cli,
    arguments: &'a Chat,
    device: Device,
    partner: Partner,
    conversation: Conversation,
    seed: Seed,
}

/// Who answers.
struct Partner {
    model: Model,
    chat: ChatModel,
    config: SessionConfig,
    slot: Slot,
}

impl Partner {
    fn of(
        device: &Device,
        cli: &Cli,
        arguments: &Chat,
        wanted: Option<&OsStr>,
    ) -> anyhow::Result<Self> {
        let (model, mut session, name) = match wanted {
            Some(wanted) if wanted == ANY => {
                let config = SessionConfig {
                    context: arguments.context.positions.unwrap_or(0),
                    kv: arguments.context.kv,
                    max_tokens: arguments.max_tokens,
                    ..Default::default()
                };
                choice::any_with_session(device, 0, &config)?
            }
            wanted => choice::choose_with_session(device, cli, wanted)?,
        };
        choice::ensure_text(&model)?;
        // The scales that were asked for are those of the model that was.
        let asked = match wanted == arguments.model.model.as_deref() {
            true => arguments.lora.lora.as_slice(),
            false => &[],
        };
        let config = SessionConfig {
            model: Some(name),
            context: choice::positions_of(&model, arguments.context.positions)?.unwrap_or(0),
            kv: arguments.context.kv,
            max_tokens: arguments.max_tokens,
            sampling: arguments.sampling.config(),
            samplers: arguments.sampling.samplers(),
            biases: choice::biases(&model, &arguments.sampling.logit_bias)?,
            scales: lora::scales(&model, asked)?,
            ..Default::default()
        };
        choice::configure(&mut session, &model, &config)?;
        let chat = ChatModel::of(device, &model, &session).map_err(template::error_of)?;
        Ok(Self {
            model,
            chat,
            config,
            slot: Slot::new(session),
        })
    }
}

impl<'a> Talk<'a> {
    /// With the model, system message and seed of the command line.
    pub(crate) fn begin(cli: &'a Cli, arguments: &'a Chat) -> anyhow::Result<Self> {
        let device = Device::open(&cli.device)?;
        let partner = Partner::of(&device, cli, arguments, arguments.model.model.as_deref())?;
        Ok(Self {
            cli,
            arguments,
            device,
            partner,
            conversation: Conversation::new(arguments.system.clone()),
            seed: arguments.seed,
        })
    }

    /// The model that answers.
    pub(crate) fn model(&self) -> &Model {
        &self.partner.model
    }

    /// All models.
    pub(crate) fn models(&self) -> anyhow::Result<Vec<Model>> {
        Ok(self.device.models()?)
    }

    /// What was said.
    pub(crate) fn conversation(&mut self) -> &mut Conversation {
        &mut self.conversation
    }

    /// Uses this seed for each answer.
    pub(crate) fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    /// Lets another model go on.
    pub(crate) fn choose(&mut self, wanted: &str) -> anyhow::Result<()> {
        self.partner = Partner::of(
            &self.device,
            self.cli,
            self.arguments,
            Some(OsStr::new(wanted)),
        )?;
        Ok(())
    }

    /// Answers `user`, and shows the text as it comes. A turn that fails is as if it had not been asked for.
    pub(crate) fn answer(
        &mut self,
        user: &str,
        interrupt: &TurnInterrupt,
        show: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<Outcome> {
        let Partner {
            chat, config, slot, ..
        } = &mut self.partner;
        config.seed = self.seed.0;
        let messages = self.conversation.with(user);
        let ids = chat
            .prompt(slot.session(), &messages, &[])
            .map_err(template::error_of)?;
        let canceller = slot.session().canceller()?;
        let text = interrupt.during(canceller, || turn(slot, config, &ids, show))?;
        let outcome = slot.finish()?;
        if !text.is_empty() {
            self.conversation.add(user, &text);
        }
        Ok(outcome)
    }

    /// Writes what was said to a new file.
    pub(crate) fn save(&mut self, path: &Path) -> anyhow::Result<()> {
        let failed = || {
            format!(
                "cannot write {}: give the name of a file that is not there yet",
                path.display()
            )
        };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(failed)?;
        let object = json!({
            "model": self.partner.model.name(),
            "model_sha256": self.partner.model.digest().to_string(),
            "messages": self.conversation.to_json(),
        });
        writeln!(file, "{object:#}").with_context(failed)
    }
}

/// One turn; its text.
fn turn(
    slot: &mut Slot,
    config: &SessionConfig,
    ids: &[u32],
    mut show: impl FnMut(&str) -> io::Result<()>,
) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut failed = None;
    for piece in slot.begin(config, ids)? {
        match piece {
            Ok(piece) => {
                show(&piece)?;
                text.push_str(&piece);
            }
            // Cancelled before it began.
            Err(error) if error.errno() == Errno::ENODATA => break,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        None => Ok(text),
        Some(error) => Err(slot.error(error).into()),
    }
}
