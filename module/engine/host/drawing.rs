// SPDX-License-Identifier: GPL-2.0
//! How tokens are drawn, as the command line says it. The engine knows the ranges.

use std::mem::offset_of;

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};
use sislm_engine::abi::Sampling;

use crate::wall;

/// Named configurations.
#[derive(Clone, Copy, ValueEnum)]
pub enum Preset {
    /// The most likely token, always.
    Greedy,
    /// Temperature 0.8, top-k 40, top-p 0.9.
    Balanced,
    /// Temperature 1.2, top-k 100, top-p 0.95.
    Creative,
}

impl Preset {
    fn sampling(self) -> Sampling {
        match self {
            Preset::Greedy => Sampling::GREEDY,
            Preset::Balanced => Sampling::BALANCED,
            Preset::Creative => Sampling::CREATIVE,
        }
    }
}

/// The options.
#[derive(Args)]
pub struct Drawing {
    /// Where the sampling options below start from.
    #[arg(long, value_enum, default_value_t = Preset::Balanced)]
    pub preset: Preset,
    /// 0 is greedy.
    #[arg(long, alias = "temp")]
    pub temperature: Option<f64>,
    /// Candidates kept; 0 for all.
    #[arg(long)]
    pub top_k: Option<u32>,
    /// Probability kept; 1 keeps all.
    #[arg(long)]
    pub top_p: Option<f64>,
    /// Least share of the best candidate's probability; 0 keeps all.
    #[arg(long)]
    pub min_p: Option<f64>,
    /// Probability kept around the entropy; 1 keeps all.
    #[arg(long, alias = "typical-p")]
    pub typical: Option<f64>,
    /// 1 is none.
    #[arg(long)]
    pub repeat_penalty: Option<f64>,
}

/// The options by their members' places.
const OPTIONS: [(usize, &str); 6] = [
    (offset_of!(Sampling, temperature), "--temperature"),
    (offset_of!(Sampling, top_k), "--top-k"),
    (offset_of!(Sampling, top_p), "--top-p"),
    (offset_of!(Sampling, min_p), "--min-p"),
    (offset_of!(Sampling, typical_p), "--typical"),
    (offset_of!(Sampling, repeat_penalty), "--repeat-penalty"),
];

impl Drawing {
    /// What the options ask for, within the engine's ranges.
    pub fn sampling(&self) -> Result<Sampling> {
        let preset = self.preset.sampling();
        let sampling = Sampling {
            temperature: millionths(self.temperature, preset.temperature)?,
            top_k: self.top_k.unwrap_or(preset.top_k),
            top_p: millionths(self.top_p, preset.top_p)?,
            min_p: millionths(self.min_p, preset.min_p)?,
            typical_p: millionths(self.typical, preset.typical_p)?,
            repeat_penalty: millionths(self.repeat_penalty, preset.repeat_penalty)?,
            ..preset
        };
        if let Err(refused) = wall::check_sampling(&sampling) {
            let place = refused.offset as usize;
            let option = OPTIONS.iter().find(|option| option.0 == place);
            let name = option.map_or("an option", |option| option.1);
            let (least, most) = (refused.least, refused.most);
            bail!("{name} is not within {least} to {most} millionths");
        }
        Ok(sampling)
    }
}

fn millionths(given: Option<f64>, default: u32) -> Result<u32> {
    let Some(value) = given else {
        return Ok(default);
    };
    let scaled = (value * 1e6).round();
    ensure!(
        (0.0..=f64::from(u32::MAX)).contains(&scaled),
        "{value} is no number of millionths"
    );
    Ok(scaled as u32)
}
