// SPDX-License-Identifier: GPL-2.0
//! Computes a recorded answer again, and compares its ids and its commitment.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sislm_engine::abi::NUMERICS;

use crate::arguments::{Arguments, Infer, Replay};
use crate::commitment::{Commitment, NONCE_BYTES};
use crate::infer;
use crate::report::hex;
use crate::wall::Model;

/// The exit status of an answer that is not the recorded one; `sislm-client replay` has the same.
const NOT_VERIFIED: u8 = 12;

/// An answer as `sislm-client infer --json` prints it, as far as it can be computed again.
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

/// Says whether the answer in the file is what `model` gives.
pub fn run(arguments: &Arguments, model: &Model, options: &Replay) -> Result<ExitCode> {
    let text = read(&options.file)?;
    let answer = Answer::parse(&text).context("this is no answer with its receipt")?;
    let found = hex(&model.digest);
    ensure!(
        found == answer.model,
        "the answer is of the model with the SHA-256 {}, this one has {found}",
        answer.model
    );
    ensure!(
        answer.numerics == NUMERICS,
        "the answer is of version {} of numerics, this engine of version {NUMERICS}",
        answer.numerics
    );
    let infer = answer.infer(options)?;
    let ids = match answer.ids[..] {
        [] => Vec::new(),
        _ => infer::ids(arguments, model, &infer, answer.seed)?,
    };
    let commitment = Commitment {
        nonce: answer.nonce,
        model,
        drawing: &infer.drawing.drawing()?,
        kv_type: options.kv.number(),
        seed: answer.seed,
        context: &answer.prompt_ids,
        ids: &answer.ids,
    };
    let agrees = hex(&commitment.digest()) == answer.commitment;
    let parts_at = parting(&ids, &answer.ids);
    if arguments.json {
        let tokens = ids.len();
        println!(
            "{}",
            json!({"tokens": tokens, "parts_at": parts_at, "commitment": agrees})
        );
    } else {
        print!("{}", sentences(ids.len(), parts_at, agrees));
    }
    Ok(if agrees && parts_at.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_VERIFIED)
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

    /// What asks for the answer: it ends where the recorded one does.
    fn infer(&self, options: &Replay) -> Result<Infer> {
        Ok(Infer {
            max_tokens: u32::try_from(self.ids.len())?,
            drawing: options.drawing.clone(),
            seed: Some(self.seed),
            ctx: u32::try_from(self.prompt_ids.len().saturating_add(self.ids.len()))?,
            kv: options.kv,
            batch: options.batch,
            ignore_eos: true,
            control: false,
            stop: Vec::new(),
            stop_id: Vec::new(),
            ids: self.prompt_ids.clone(),
            prompt: String::new(),
        })
    }
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        return Ok(std::io::read_to_string(std::io::stdin())?);
    }
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The bytes of a nonce in hexadecimal digits.
fn nonce(digits: &str) -> Option<[u8; NONCE_BYTES]> {
    let digit = |place| u8::from_str_radix(digits.get(place..place + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(digit).collect();
    bytes?.try_into().ok()
}

/// The first token, from 0, at which two answers part.
fn parting(one: &[u32], other: &[u32]) -> Option<usize> {
    let differs = one.iter().zip(other).position(|(one, other)| one != other);
    differs.or((one.len() != other.len()).then_some(one.len().min(other.len())))
}

fn sentences(tokens: usize, parts_at: Option<usize>, agrees: bool) -> String {
    let ids = match parts_at {
        None => format!("{tokens} tokens are the same"),
        Some(place) => format!("the answers part at token {place}"),
    };
    let which = if agrees { "" } else { "not " };
    format!("{ids}\nthe commitment is {which}that of this answer\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"model":"tiny","model_sha256":"ab","numerics":1,"prompt_ids":[1,403],"ids":[407,261],
        "seed":18446744073709551615,"receipt":{"session":4,"turn":1,"nonce":"000102030405060708090a0b0c0d0e0f","commitment":"cd"}}"#;

    #[test]
    fn what_the_client_prints_is_read() {
        let answer = Answer::parse(OBJECT).unwrap();
        assert_eq!((&answer.ids[..], answer.seed), (&[407, 261][..], u64::MAX));
        assert_eq!(answer.nonce[15], 15);
        for wrong in ["0e0", "0eé", "0e0f00"] {
            assert_eq!(Answer::parse(&OBJECT.replace("0e0f", wrong)), None);
        }
    }

    #[test]
    fn it_is_said_at_which_token_answers_part() {
        assert_eq!(parting(&[1, 2, 3], &[1, 2, 3]), None);
        assert_eq!(parting(&[1, 2, 3], &[1, 5, 3]), Some(1));
        assert_eq!(parting(&[1, 2], &[1, 2, 3]), Some(2));
    }
}
