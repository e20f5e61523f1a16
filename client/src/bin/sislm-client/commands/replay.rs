// SPDX-License-Identifier: MIT OR Apache-2.0
//! `replay`: computes a recorded answer again, and compares ids and commitment.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Context;
use serde_json::{json, Value};
use sislm::{Commitment, Device, Digest, Model, SessionConfig, NONCE_BYTES};

use crate::cli::{Cli, Replay};
use crate::exit_codes::{ExitCode, Failure};
use crate::{choice, lora};

/// An answer as `infer --json` prints it, as far as it can be computed again.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    model: String,
    numerics: u32,
    prompt_ids: Vec<u32>,
    ids: Vec<u32>,
    seed: u64,
    nonce: [u8; NONCE_BYTES],
    commitment: String,
}

/// Runs `replay`.
pub(crate) fn run(cli: &Cli, arguments: &Replay, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let text = read(&arguments.file)?;
    let answer = Answer::parse(&text).ok_or_else(|| {
        let sentence = format!(
            "{} has no receipt of an answer: give what infer --json printed",
            arguments.file.display()
        );
        Failure::error(ExitCode::Usage, sentence)
    })?;
    let device = Device::open(&cli.device)?;
    let model = model(&device, &answer.model)?;
    let numerics = device.query()?.numerics;
    if numerics != answer.numerics {
        let found = answer.numerics;
        let sentence = format!(
            "the answer is of version {found} of numerics, and this device computes by version {numerics}"
        );
        return Err(Failure::error(ExitCode::NotVerified, sentence));
    }
    let config = config(arguments, &model, &answer)?;
    let committed = Commitment {
        nonce: answer.nonce,
        model: &model,
        config: &config,
        numerics,
        seed: answer.seed,
        context: &answer.prompt_ids,
        ids: &answer.ids,
    };
    let committed = committed.digest().map(|digest: Digest| digest.to_string());
    let agrees = committed.as_ref() == Some(&answer.commitment);
    let ids = ids(&device, &config, &answer)?;
    let parts_at = parting(&ids, &answer.ids);
    if cli.json {
        let object = json!({"tokens": ids.len(), "parts_at": parts_at, "commitment": agrees});
        writeln!(out, "{object}")?;
    } else {
        write!(out, "{}", sentences(ids.len(), parts_at, agrees))?;
    }
    Ok(if agrees && parts_at.is_none() {
        ExitCode::Success
    } else {
        ExitCode::NotVerified
    })
}

impl Answer {
    /// Of the object in `text`; None where something is missing.
    fn parse(text: &str) -> Option<Self> {
        let object: Value = serde_json::from_str(text).ok()?;
        let ids = |name: &str| -> Option<Vec<u32>> {
            let list = object.get(name)?.as_array()?;
            list.iter()
                .map(|id| u32::try_from(id.as_u64()?).ok())
                .collect()
        };
        let receipt = object.get("receipt")?;
        Some(Self {
            model: object.get("model_sha256")?.as_str()?.into(),
            numerics: u32::try_from(object.get("numerics")?.as_u64()?).ok()?,
            prompt_ids: ids("prompt_ids")?,
            ids: ids("ids")?,
            seed: object.get("seed")?.as_u64()?,
            nonce: nonce(receipt.get("nonce")?.as_str()?)?,
            commitment: receipt.get("commitment")?.as_str()?.into(),
        })
    }
}

/// The bytes of a nonce in hexadecimal digits.
fn nonce(digits: &str) -> Option<[u8; NONCE_BYTES]> {
    let mut bytes = [0; NONCE_BYTES];
    if digits.len() != 2 * NONCE_BYTES {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok(text);
    }
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The loaded model whose file has this digest.
fn model(device: &Device, digest: &str) -> anyhow::Result<Model> {
    let models = device.models()?;
    let found = models
        .into_iter()
        .find(|model| model.digest().to_string() == digest);
    found.ok_or_else(|| {
        let sentence = format!(
            "no loaded model is of the file that answered: load the one with the SHA-256 {digest}"
        );
        Failure::error(ExitCode::NoModel, sentence)
    })
}

/// As the answer was asked for; it ends where the recorded one does.
fn config(arguments: &Replay, model: &Model, answer: &Answer) -> anyhow::Result<SessionConfig> {
    let positions = answer.prompt_ids.len().saturating_add(answer.ids.len());
    Ok(SessionConfig {
        model: Some(choice::name_of(model)?),
        context: u32::try_from(positions)?.min(model.context),
        kv: arguments.kv,
        max_tokens: u32::try_from(answer.ids.len())?,
        sampling: arguments.sampling.config(),
        samplers: arguments.sampling.samplers(),
        biases: choice::biases(model, &arguments.sampling.logit_bias)?,
        seed: Some(answer.seed),
        ignore_eos: true,
        scales: lora::scales(model, &arguments.lora.lora)?,
        ..Default::default()
    })
}

/// The ids of the answer, computed again; none where there were none.
fn ids(device: &Device, config: &SessionConfig, answer: &Answer) -> anyhow::Result<Vec<u32>> {
    if answer.ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut session = device.session(config)?;
    for text in session.prompt_ids(&answer.prompt_ids)? {
        text?;
    }
    Ok(session.outcome()?.ids)
}

/// The first token, from 0, at which two answers part.
fn parting(one: &[u32], other: &[u32]) -> Option<usize> {
    let differs = one.iter().zip(other).position(|(one, other)| one != other);
    differs.or((one.len() != other.len()).then_some(one.len().min(other.len())))
}

fn sentences(tokens: usize, parts_at: Option<usize>, agrees: bool) -> String {
    let ids = match parts_at {
        None => format!("{tokens} tokens are the same\n"),
        Some(place) => format!("the answers part at token {place}\n"),
    };
    let commitment = if agrees {
        "the commitment is that of this answer"
    } else {
        "the commitment is not that of these ids, options and nonce"
    };
    format!("{ids}{commitment}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"model":"tiny","model_sha256":"ab","numerics":1,"prompt_ids":[1,403],"ids":[407,261],
        "seed":18446744073709551615,"receipt":{"session":4,"turn":1,"nonce":"000102030405060708090a0b0c0d0e0f","commitment":"cd"}}"#;

    #[test]
    fn what_infer_prints_is_read() {
        let answer = Answer::parse(OBJECT).unwrap();
        assert_eq!(answer.ids, [407, 261]);
        assert_eq!((answer.seed, answer.nonce[15]), (u64::MAX, 15));
        assert_eq!(Answer::parse(&OBJECT.replace("0e0f", "0e")), None);
        assert_eq!(Answer::parse(&OBJECT.replace("receipt", "other")), None);
    }

    #[test]
    fn answers_part_at_the_first_token_that_differs() {
        assert_eq!(parting(&[1, 2, 3], &[1, 2, 3]), None);
        assert_eq!(parting(&[1, 2, 3], &[1, 5, 3]), Some(1));
        assert_eq!(parting(&[1, 2], &[1, 2, 3]), Some(2));
    }
}
