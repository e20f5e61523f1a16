// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which model a command uses: `-m NAME`, `-m FILE`, or none given.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use nix::errno::Errno;
use sislm::{
    Bias, Device, LoadOptions, Model, ModelName, Note, Session, SessionConfig, Source, Tokenize,
};

use crate::cli::Cli;
use crate::exit_codes::{ExitCode, Failure};
use crate::{embedded, loading};

/// The model that `wanted` means, loaded if it was not.
pub(crate) fn choose(device: &Device, cli: &Cli, wanted: Option<&OsStr>) -> anyhow::Result<Model> {
    let name = match wanted {
        Some(wanted) => named(device, cli, wanted)?,
        None => unnamed(device, cli)?,
    };
    device.model(&name)?.ok_or_else(|| gone(&name))
}

/// As [`choose`], with a session to be configured, and the name by which it is given the model.
pub(crate) fn choose_with_session(
    device: &Device,
    cli: &Cli,
    wanted: Option<&OsStr>,
) -> anyhow::Result<(Model, Session, ModelName)> {
    let name = match wanted {
        Some(wanted) => named(device, cli, wanted)?,
        None => unnamed(device, cli)?,
    };
    // The session's own: an alias may give another session another version.
    let session = device.blank_session()?;
    let model = session.model(&name)?.ok_or_else(|| gone(&name))?;
    Ok((model, session, name))
}

/// About so many tokens are in a text of `bytes`: four bytes each.
pub(crate) fn tokens_of(bytes: usize) -> u32 {
    u32::try_from(bytes / 4 + 1).unwrap_or(u32::MAX)
}

/// As [`choose_with_session`], of the models that were given a rank, for a prompt of so many bytes: the module chooses, by
/// what else is in `config`, and the reason is told.
pub(crate) fn any_with_session(
    device: &Device,
    prompt_bytes: usize,
    config: &SessionConfig,
) -> anyhow::Result<(Model, Session, ModelName)> {
    let mut session = device.blank_session()?;
    let (name, reason) = session
        .choose(config, tokens_of(prompt_bytes))
        .map_err(|error| match error {
            sislm::Error::Configure {
                errno: Errno::ENOENT,
                ..
            } => Failure::error(
                ExitCode::NoModel,
                "no model was given a rank: load one with --rank, or name one with -m",
            ),
            sislm::Error::Configure {
                errno: Errno::EDQUOT,
                ..
            } => Failure::error(
                ExitCode::GeneralError,
                "a model was chosen for you too often in this second: try again, or name one with -m",
            ),
            error => error.into(),
        })?;
    let model = session.model(&name)?.ok_or_else(|| gone(&name))?;
    // With stderr closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "auto: {name}, {reason}");
    Ok((model, session, name))
}

/// Configures a session of [`choose_with_session`].
pub(crate) fn configure(
    session: &mut Session,
    model: &Model,
    config: &SessionConfig,
) -> anyhow::Result<()> {
    session.configure(config, 0)?;
    let name = config.model.as_ref();
    let now = name.map_or(Ok(None), |name| session.model(name))?;
    let is_same =
        |now: &Model| (now.instance, now.generation) == (model.instance, model.generation);
    match (now, name) {
        (Some(now), _) if is_same(&now) => Ok(()),
        (_, Some(name)) => {
            let sentence = format!("what \"{name}\" means was changed meanwhile; try again");
            Err(Failure::error(ExitCode::GeneralError, sentence))
        }
        (_, None) => Ok(()),
    }
}

/// The name of one version, as the rest of the interface takes it.
pub(crate) fn name_of(model: &Model) -> anyhow::Result<ModelName> {
    model.full_name().parse().map_err(anyhow::Error::msg)
}

fn gone(name: &ModelName) -> anyhow::Error {
    Failure::error(
        ExitCode::NoModel,
        format!("the model \"{name}\" was unloaded meanwhile; try again"),
    )
}

/// The positions asked for, when a context of `model` can have as many.
pub(crate) fn positions_of(model: &Model, asked: Option<u32>) -> anyhow::Result<Option<u32>> {
    match asked {
        Some(positions) if positions > model.context => {
            let sentence = format!(
                "a context of the model \"{}\" has at most {} positions: ask for no more with --ctx",
                model.name(),
                model.context
            );
            Err(Failure::error(ExitCode::GeneralError, sentence))
        }
        asked => Ok(asked),
    }
}

/// Whether all of `ids` are in the vocabulary of `model`.
pub(crate) fn check_ids(model: &Model, ids: &[u32]) -> anyhow::Result<()> {
    match ids.iter().find(|&&id| id >= model.vocabulary) {
        None => Ok(()),
        Some(id) => {
            let sentence = format!(
                "there is no token {id}: the model \"{}\" has {} tokens, from 0",
                model.name(),
                model.vocabulary
            );
            Err(Failure::error(ExitCode::Usage, sentence))
        }
    }
}

/// Refuses a model that makes no text.
pub(crate) fn ensure_text(model: &Model) -> anyhow::Result<()> {
    if !model.is_encoder() {
        return Ok(());
    }
    let sentence = format!(
        "the model \"{}\" makes embeddings, and no text: sislm-client embed prints them; for text choose another with -m",
        model.name()
    );
    Err(Failure::error(ExitCode::GeneralError, sentence))
}

/// The biases, when all are of tokens of `model` and none is of the same.
pub(crate) fn biases(model: &Model, biases: &[Bias]) -> anyhow::Result<Vec<Bias>> {
    let mut ids: Vec<u32> = biases.iter().map(|bias| bias.id).collect();
    check_ids(model, &ids)?;
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        let sentence = format!("token {} has two biases: give it one", pair[0]);
        return Err(Failure::error(ExitCode::Usage, sentence));
    }
    Ok(biases.to_vec())
}

/// `default`, else the only one, else the embedded one.
fn unnamed(device: &Device, cli: &Cli) -> anyhow::Result<ModelName> {
    let models = device.models()?;
    let default = ModelName::default_model();
    match models.as_slice() {
        [] => embedded::load(device, &cli.device),
        _ if device.model(&default)?.is_some() => Ok(default),
        [first, rest @ ..] if rest.iter().all(|other| other.name() == first.name()) => {
            first.name().parse().map_err(anyhow::Error::msg)
        }
        several => Err(Failure::error(
            ExitCode::NoModel,
            format!(
                "several models are loaded: choose one with -m ({})",
                names(several)
            ),
        )),
    }
}

/// A loaded model of that name, else the file at that path.
fn named(device: &Device, cli: &Cli, wanted: &OsStr) -> anyhow::Result<ModelName> {
    if let Some(name) = wanted.to_str().and_then(|text| text.parse().ok()) {
        if device.model(&name)?.is_some() {
            return Ok(name);
        }
    }
    let path = Path::new(wanted);
    if !path.exists() {
        let models = device.models()?;
        let loaded = if models.is_empty() {
            "none is loaded".into()
        } else {
            format!("loaded: {}", names(&models))
        };
        let sentence = format!(
            "no model \"{0}\" is loaded ({loaded}), and there is no file {0}: \
             give one of these names, or the path of a GGUF file",
            path.display()
        );
        return Err(Failure::error(ExitCode::NoModel, sentence));
    }
    of_file(device, cli, path)
}

/// The model loaded from the same bytes without adapters, else a new one under the file's name.
fn of_file(device: &Device, cli: &Cli, path: &Path) -> anyhow::Result<ModelName> {
    let source = Source::open(path)?;
    let alike: Vec<Model> = device
        .models()?
        .into_iter()
        .filter(|model| model.file_bytes == source.bytes() && model.adapters().is_empty())
        .collect();
    if !alike.is_empty() {
        let digest = source
            .digest()
            .with_context(|| format!("cannot read {}", path.display()))?;
        if let Some(same) = alike.iter().find(|model| model.digest() == digest) {
            return name_of(same);
        }
    }
    let name =
        ModelName::of_file(path).with_context(|| format!("{} has no file name", path.display()))?;
    if device.model(&name)?.is_some() {
        let sentence = format!(
            "another model is loaded as \"{name}\": load this file under a name of its own \
             (sislm-client load {} --name NAME), and give that with -m",
            path.display()
        );
        return Err(Failure::error(ExitCode::GeneralError, sentence));
    }
    loading::load(
        device,
        &cli.device,
        &source,
        &[],
        &name,
        LoadOptions::default(),
    )?;
    if let Some(model) = device.model(&name)? {
        for note in Note::of(&model) {
            // With stderr closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{name}: {note}");
        }
    }
    Ok(name)
}

/// What ends a turn by the user's wish: texts, and ids of tokens. A control token has no text that could be
/// found in the answer, so its name stands for its id.
pub(crate) fn stops(
    device: &Device,
    model: &Model,
    texts: &[String],
    ids: &[u32],
) -> anyhow::Result<(Vec<Vec<u8>>, Vec<u32>)> {
    check_ids(model, ids)?;
    let (mut strings, mut ids) = (Vec::new(), ids.to_vec());
    if texts.is_empty() {
        return Ok((strings, ids));
    }
    let session = device.session(&SessionConfig {
        model: Some(name_of(model)?),
        ..Default::default()
    })?;
    let control = Tokenize {
        first: false,
        control: true,
    };
    for text in texts {
        match session.tokenize(text.as_bytes(), control)?[..] {
            [id] if session.detokenize(&[id], false)?.is_empty() => ids.push(id),
            _ => strings.push(text.clone().into_bytes()),
        }
    }
    Ok((strings, ids))
}

fn names(models: &[Model]) -> String {
    let mut names: Vec<String> = models.iter().map(Model::name).collect();
    names.dedup();
    names.join(", ")
}
