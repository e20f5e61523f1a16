// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an answer of `infer` is guided by.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use sislm::{Device, Grammar, GrammarTokens, Guidance, Model};

use crate::choice;
use crate::cli;
use crate::exit_codes::{ExitCode, Failure};

/// By the grammar of the command line; None when there is none.
pub(crate) fn of(
    arguments: &cli::Grammar,
    device: &Device,
    model: &Model,
) -> anyhow::Result<Option<Guidance>> {
    let Some(grammar) = grammar(arguments)? else {
        return Ok(None);
    };
    let vocabulary = Arc::new(device.vocabulary(&choice::name_of(model)?)?);
    let usage = |error: sislm::GrammarError| Failure::error(ExitCode::Usage, error.to_string());
    let tokens = GrammarTokens::new(vocabulary.clone(), model.end_ids()).map_err(usage)?;
    Ok(Some(Guidance {
        vocabulary,
        guide: Some(tokens.guide(&grammar).map_err(usage)?),
        top: None,
    }))
}

fn grammar(arguments: &cli::Grammar) -> anyhow::Result<Option<Grammar>> {
    if let Some(path) = &arguments.json_schema {
        let schema = serde_json::from_str(&read(path)?);
        let schema = schema.with_context(|| format!("{} is no JSON", path.display()))?;
        return Ok(Some(Grammar::JsonSchema(schema)));
    }
    if let Some(path) = &arguments.grammar {
        return Ok(Some(Grammar::Lark(read(path)?)));
    }
    Ok(arguments.regex.clone().map(Grammar::Regex))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn arguments() -> cli::Grammar {
        cli::Grammar {
            json_schema: None,
            regex: None,
            grammar: None,
        }
    }

    #[test]
    fn what_is_not_there_or_no_json_is_named() {
        assert_eq!(grammar(&arguments()).unwrap(), None);
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"{").unwrap();
        for path in [file.path(), Path::new("/nonexistent/schema")] {
            let json_schema = Some(path.to_path_buf());
            let error = grammar(&cli::Grammar {
                json_schema,
                ..arguments()
            });
            let error = format!("{:#}", error.unwrap_err());
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
    }
}
