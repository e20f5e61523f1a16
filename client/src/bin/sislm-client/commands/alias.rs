// SPDX-License-Identifier: MIT OR Apache-2.0
//! `alias`: what names without a version mean, and what they are to mean.

use std::io::Write;

use serde_json::{json, Value};
use sislm::{Device, ModelName};

use crate::cli::{Alias, Cli};
use crate::exit_codes::{ExitCode, Failure};
use crate::target::Target;

/// Runs `alias`.
pub(crate) fn run(cli: &Cli, arguments: &Alias, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let aliases = match &arguments.name {
        None => device.aliases()?,
        Some(name) if arguments.unpin => vec![device.set_alias(name, &[])?],
        Some(name) if arguments.targets.is_empty() => vec![of(&device, name)?],
        Some(name) => {
            let targets = arguments.targets.iter();
            let targets: Vec<_> = targets
                .map(|Target(name, weight)| (name.clone(), *weight))
                .collect();
            vec![device.set_alias(name, &targets)?]
        }
    };
    for alias in &aliases {
        if cli.json {
            writeln!(out, "{}", object(alias))?;
        } else {
            writeln!(out, "{}", line(alias))?;
        }
    }
    Ok(ExitCode::Success)
}

fn of(device: &Device, name: &ModelName) -> anyhow::Result<sislm::Alias> {
    device.alias(name)?.ok_or_else(|| {
        let sentence =
            format!("\"{name}\" means no model; sislm-client alias lists the names that do");
        Failure::error(ExitCode::NoModel, sentence)
    })
}

/// An alias as a line: what it gives, each version with its weight where there are several.
pub(crate) fn line(alias: &sislm::Alias) -> String {
    let versions = alias.versions();
    let given = match versions.as_slice() {
        [] => "nothing".into(),
        [(name, _)] => name.clone(),
        several => {
            let several = several
                .iter()
                .map(|(name, weight)| format!("{name}={weight}"));
            several.collect::<Vec<_>>().join(" ")
        }
    };
    let kind = if alias.is_set() { "set" } else { "newest" };
    let name = alias.name();
    format!("{name}: {given} ({kind}, generation {})", alias.generation)
}

/// An alias as JSON.
pub(crate) fn object(alias: &sislm::Alias) -> Value {
    let versions = alias.versions();
    let versions = versions
        .iter()
        .map(|(name, weight)| json!({"name": name, "weight": weight}));
    json!({
        "alias": alias.name(),
        "generation": alias.generation,
        "set": alias.is_set(),
        "versions": versions.collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(versions: &[(&str, u32)]) -> sislm::Alias {
        let mut alias = sislm::Alias {
            generation: 7,
            pinned: 1,
            count: u32::try_from(versions.len()).unwrap(),
            ..Default::default()
        };
        alias.name[..4].copy_from_slice(b"prod");
        for (to, (name, weight)) in alias.targets.iter_mut().zip(versions) {
            to.name[..name.len()].copy_from_slice(name.as_bytes());
            to.weight = *weight;
        }
        alias
    }

    #[test]
    fn weights_are_shown_where_there_are_several_versions() {
        let several = line(&alias(&[("tiny@1", 90), ("tiny@2", 10)]));
        assert_eq!(several, "prod: tiny@1=90 tiny@2=10 (set, generation 7)");
        let one = line(&alias(&[("tiny@1", 90)]));
        assert_eq!(one, "prod: tiny@1 (set, generation 7)");
    }

    #[test]
    fn an_object_has_all_versions() {
        let object = object(&alias(&[("tiny@1", 90), ("tiny@2", 10)]));
        assert_eq!(
            object["versions"][1],
            json!({"name": "tiny@2", "weight": 10})
        );
        assert_eq!(object["set"], json!(true));
    }
}
