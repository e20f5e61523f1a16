// SPDX-License-Identifier: MIT OR Apache-2.0
//! `embed`: the embedding of a text.

use std::io::Write;

use serde_json::{json, Value};
use sislm::{Device, Embedding, Model, Pooling, Query, SessionConfig, Simd, Tokenize};

use crate::cli::{Cli, Embed};
use crate::exit_codes::{ExitCode, Failure};
use crate::{choice, input, lora};

/// Runs `embed`.
pub(crate) fn run(cli: &Cli, arguments: &Embed, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let query = device.query()?;
    let text = match &arguments.ids {
        Some(_) => Vec::new(),
        None => input::text(arguments.text.as_deref(), query.prompt_max)?,
    };
    let wanted = arguments.model.model.as_deref();
    let (model, mut session, name) = choice::choose_with_session(&device, cli, wanted)?;
    let config = SessionConfig {
        model: Some(name),
        kv: arguments.kv,
        parse_control: arguments.control,
        context: model.context,
        scales: lora::scales(&model, &arguments.lora.lora)?,
        ..Default::default()
    };
    choice::configure(&mut session, &model, &config)?;
    let ids = match &arguments.ids {
        Some(ids) => {
            choice::check_ids(&model, ids)?;
            ids.clone()
        }
        None => {
            let how = Tokenize {
                first: true,
                control: arguments.control,
            };
            session.tokenize(&text, how)?
        }
    };
    check_length(ids.len(), &model)?;
    let embedding = session.embed(&model, &ids, arguments.pooling)?;
    let printed = object(&model, &query, &ids, embedding, arguments.raw);
    writeln!(out, "{printed}")?;
    Ok(ExitCode::Success)
}

/// Refuses no tokens, and more than the model takes.
fn check_length(ids: usize, model: &Model) -> anyhow::Result<()> {
    if ids == 0 {
        return Err(Failure::error(
            ExitCode::Usage,
            "there is no token to embed: give a text or --ids",
        ));
    }
    if ids > model.context as usize {
        let sentence = format!(
            "{ids} tokens are more than the {} that the model takes at most: embed the text in parts",
            model.context
        );
        return Err(Failure::error(ExitCode::PromptTooLong, sentence));
    }
    Ok(())
}

/// The object that is printed.
fn object(model: &Model, query: &Query, ids: &[u32], mut embedding: Embedding, raw: bool) -> Value {
    let digest = embedding.digest();
    if !raw {
        embedding.normalize();
    }
    let mut object = json!({
        "model": model.name(),
        "model_sha256": model.digest().to_string(),
        "numerics": query.numerics,
        "ids": ids,
        "pooling": embedding.pooling.to_string(),
        "normalized": !raw,
        "embeddings_digest": digest.to_string(),
        "simd": Simd(query.simd).to_string(),
        "threads": query.threads,
    });
    match (embedding.pooling, embedding.rows.as_slice()) {
        (Pooling::None, rows) => object["embeddings"] = json!(rows),
        (_, rows) => object["embedding"] = json!(rows.first()),
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_embedding_is_a_list_and_those_of_tokens_are_a_list_of_lists() {
        let printed = |pooling, rows: &[Vec<f32>]| {
            let embedding = Embedding {
                pooling,
                rows: rows.to_vec(),
            };
            object(&Model::default(), &Query::default(), &[5], embedding, true)
        };
        let one = printed(Pooling::Mean, &[vec![0.5, -1.0]]);
        assert_eq!(one["embedding"], json!([0.5, -1.0]));
        assert_eq!(
            (&one["pooling"], &one["normalized"]),
            (&json!("mean"), &json!(false))
        );
        let each = printed(Pooling::None, &[vec![0.5], vec![2.0]]);
        assert_eq!(each["embeddings"], json!([[0.5], [2.0]]));
        assert!(each.get("embedding").is_none());
    }

    #[test]
    fn a_text_must_fit() {
        let model = Model {
            context: 8,
            ..Default::default()
        };
        assert!(check_length(8, &model).is_ok());
        assert!(check_length(9, &model).is_err() && check_length(0, &model).is_err());
    }
}
