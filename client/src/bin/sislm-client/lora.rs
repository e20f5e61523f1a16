// SPDX-License-Identifier: MIT OR Apache-2.0
//! Adapters on the command line: `FILE[=SCALE]` to load one, `NAME|N=SCALE` to scale one of a model.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use sislm::{AdapterFile, Millionths, Model};

use crate::exit_codes::{ExitCode, Failure};

/// 1 in millionths.
const ONE: i32 = 1_000_000;

/// An adapter to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoraFile {
    path: PathBuf,
    scale: i32,
}

/// What an adapter of a model is multiplied by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoraScale {
    adapter: String,
    scale: i32,
}

impl FromStr for LoraFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, scale) = match text.rsplit_once('=') {
            Some((path, scale)) => (path, Millionths::signed(scale)?),
            None => (text, ONE),
        };
        Ok(Self {
            path: path.into(),
            scale,
        })
    }
}

impl FromStr for LoraScale {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (adapter, scale) = text
            .rsplit_once('=')
            .ok_or("expected the name or number of an adapter and its scale, such as 0=0.5")?;
        Ok(Self {
            adapter: adapter.into(),
            scale: Millionths::signed(scale)?,
        })
    }
}

/// Opens the files of adapters.
pub(crate) fn open(files: &[LoraFile]) -> anyhow::Result<Vec<AdapterFile>> {
    let open = |file: &LoraFile| {
        let opened = AdapterFile::open(&file.path, file.scale);
        opened.context("the adapter cannot be loaded")
    };
    files.iter().map(open).collect()
}

/// The scale of each adapter of `model`, those not `asked` for as LOAD said; None when none is.
pub(crate) fn scales(model: &Model, asked: &[LoraScale]) -> anyhow::Result<Option<Vec<i32>>> {
    if asked.is_empty() {
        return Ok(None);
    }
    let adapters = model.adapters();
    let mut scales: Vec<i32> = adapters.iter().map(|adapter| adapter.scale).collect();
    for LoraScale { adapter, scale } in asked {
        let named = adapters.iter().position(|one| one.title() == *adapter);
        let place = named.or_else(|| adapter.parse().ok());
        match place.and_then(|place: usize| scales.get_mut(place)) {
            Some(own) => *own = *scale,
            None => {
                let titles: Vec<String> = adapters.iter().map(|one| one.title()).collect();
                let sentence = format!(
                    "the model \"{}\" has no adapter \"{adapter}\": it has {} ({}); sislm-client load MODEL --lora FILE \
                     loads a model with one",
                    model.name(),
                    titles.len(),
                    titles.join(", ")
                );
                return Err(Failure::error(ExitCode::Usage, sentence));
            }
        }
    }
    Ok(Some(scales))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_follows_the_last_equals_sign() {
        let file = |text: &str| text.parse::<LoraFile>();
        let wanted = |path: &str, scale| {
            Ok(LoraFile {
                path: path.into(),
                scale,
            })
        };
        assert_eq!(file("a.gguf"), wanted("a.gguf", ONE));
        assert_eq!(file("a=b.gguf=-0.5"), wanted("a=b.gguf", -500_000));
        assert!(file("a.gguf=x").is_err());
        assert!("0".parse::<LoraScale>().is_err());
    }

    #[test]
    fn adapters_are_found_by_name_and_number() {
        let mut model = Model {
            adapter_count: 2,
            ..Default::default()
        };
        model.adapters[0].scale = ONE;
        model.adapters[1].title[..4].copy_from_slice(b"poet");
        let asked = |text: &[&str]| {
            let asked: Vec<LoraScale> = text.iter().map(|text| text.parse().unwrap()).collect();
            scales(&model, &asked)
        };
        assert_eq!(asked(&[]).unwrap(), None);
        assert_eq!(asked(&["poet=2"]).unwrap(), Some(vec![ONE, 2 * ONE]));
        assert_eq!(asked(&["0=0", "1=0.5"]).unwrap(), Some(vec![0, ONE / 2]));
        for none in ["2=1", "painter=1"] {
            let error = asked(&[none]).unwrap_err().to_string();
            assert!(error.contains("it has 2"), "{error}");
        }
    }
}
