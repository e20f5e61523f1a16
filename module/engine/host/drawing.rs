// SPDX-License-Identifier: GPL-2.0
//! How tokens are drawn, as the command line says it, in llama.cpp's words. The engine knows the
//! ranges.

use std::mem::offset_of;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use sislm_engine::abi::{BIAS_BANNED, Bias, Samplers, Sampling, part};

use crate::wall::{Drawing, check_drawing};

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
#[derive(Clone, Args)]
pub struct Options {
    /// Where the sampling options below start from.
    #[arg(long, value_enum, default_value_t = Preset::Balanced)]
    preset: Preset,
    /// 0 is greedy.
    #[arg(long, alias = "temp")]
    temperature: Option<f64>,
    /// Candidates kept; 0 for all.
    #[arg(long)]
    top_k: Option<u32>,
    /// Probability kept; 1 keeps all.
    #[arg(long)]
    top_p: Option<f64>,
    /// Least share of the best candidate's probability; 0 keeps all.
    #[arg(long)]
    min_p: Option<f64>,
    /// Probability kept around the entropy; 1 keeps all.
    #[arg(long, alias = "typical-p")]
    typical: Option<f64>,
    /// Divides the logits of the last tokens; 1 is none.
    #[arg(long)]
    repeat_penalty: Option<f64>,
    /// Tokens looked back at by the three penalties.
    #[arg(long)]
    repeat_last_n: Option<u32>,
    /// Subtracted from the logits of the last tokens.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    presence_penalty: f64,
    /// Subtracted for each time.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    frequency_penalty: f64,
    /// Scale of the penalty of repetitions; 0 is none.
    #[arg(long, default_value_t = 0.0)]
    dry_multiplier: f64,
    /// What it grows by with each token.
    #[arg(long, default_value_t = 1.75)]
    dry_base: f64,
    /// Tokens of the shortest repetition that is penalized.
    #[arg(long, default_value_t = 2)]
    dry_allowed_length: u32,
    /// Tokens looked back at; -1 for all.
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    dry_penalty_last_n: i64,
    /// Text that no repetition reaches across, instead of line end, colon, quotation mark and asterisk;
    /// may be given again; "none" for none.
    #[arg(long)]
    dry_sequence_breaker: Vec<String>,
    /// Standard deviations kept below the best logit; 0 keeps all.
    #[arg(long, alias = "top-nsigma", default_value_t = 0.0)]
    top_n_sigma: f64,
    /// Share of the draws in which the likeliest candidates are dropped.
    #[arg(long, default_value_t = 0.0)]
    xtc_probability: f64,
    /// Probability of a candidate that may be dropped.
    #[arg(long, default_value_t = 0.1)]
    xtc_threshold: f64,
    /// How far the temperature follows the entropy; 0 for not at all.
    #[arg(long, default_value_t = 0.0)]
    dynatemp_range: f64,
    /// Exponent of the entropy.
    #[arg(long, default_value_t = 1.0)]
    dynatemp_exp: f64,
    /// 2 is mirostat 2; then the preset drops no candidates.
    #[arg(long, default_value_t = 0)]
    mirostat: u32,
    /// Surprise it aims at, in bits.
    #[arg(long, default_value_t = 5.0)]
    mirostat_ent: f64,
    /// How fast it learns.
    #[arg(long, default_value_t = 0.1)]
    mirostat_lr: f64,
    /// ID+BIAS or ID-BIAS; ID-inf bans a token; may be given again.
    #[arg(long)]
    logit_bias: Vec<String>,
}

/// Gives the place of a member of a structure.
macro_rules! at {
    (Sampling.$member:ident) => {
        (part::SAMPLING, offset_of!(Sampling, $member))
    };
    (Samplers.$member:ident) => {
        (part::SAMPLERS, offset_of!(Samplers, $member))
    };
}

/// The options by their members' places.
const OPTIONS: [((u32, usize), &str); 19] = [
    (at!(Sampling.temperature), "--temperature"),
    (at!(Sampling.top_p), "--top-p"),
    (at!(Sampling.min_p), "--min-p"),
    (at!(Sampling.typical_p), "--typical"),
    (at!(Sampling.repeat_penalty), "--repeat-penalty"),
    (at!(Sampling.presence_penalty), "--presence-penalty"),
    (at!(Sampling.frequency_penalty), "--frequency-penalty"),
    (at!(Samplers.dry_multiplier), "--dry-multiplier"),
    (at!(Samplers.dry_base), "--dry-base"),
    (at!(Samplers.breaker_count), "--dry-sequence-breaker"),
    (at!(Samplers.breaker_length), "--dry-sequence-breaker"),
    (at!(Samplers.top_n_sigma), "--top-n-sigma"),
    (at!(Samplers.xtc_probability), "--xtc-probability"),
    (at!(Samplers.xtc_threshold), "--xtc-threshold"),
    (at!(Samplers.dynatemp_range), "--dynatemp-range"),
    (at!(Samplers.dynatemp_exponent), "--dynatemp-exp"),
    (at!(Samplers.mirostat), "--mirostat"),
    (at!(Samplers.mirostat_tau), "--mirostat-ent"),
    (at!(Samplers.mirostat_eta), "--mirostat-lr"),
];

impl Options {
    /// What the options ask for, within the engine's ranges.
    pub fn drawing(&self) -> Result<Drawing> {
        let drawing = Drawing {
            sampling: self.sampling()?,
            samplers: self.samplers()?,
            biases: self.biases()?,
        };
        if let Err(refused) = check_drawing(&drawing) {
            let place = (refused.part, refused.offset as usize);
            let option = OPTIONS.iter().find(|option| option.0 == place);
            let name = option.map_or("--logit-bias", |option| option.1);
            let (least, most) = (refused.least, refused.most);
            bail!("{name} is outside its range, in its own unit {least} to {most}");
        }
        Ok(drawing)
    }

    fn sampling(&self) -> Result<Sampling> {
        let mut preset = self.preset.sampling();
        if self.mirostat != 0 {
            (preset.top_k, preset.top_p) = (Sampling::GREEDY.top_k, Sampling::GREEDY.top_p);
        }
        let or = |given: Option<f64>, preset| given.map_or(Ok(preset), millionths);
        Ok(Sampling {
            temperature: or(self.temperature, preset.temperature)?,
            top_k: self.top_k.unwrap_or(preset.top_k),
            top_p: or(self.top_p, preset.top_p)?,
            min_p: or(self.min_p, preset.min_p)?,
            typical_p: or(self.typical, preset.typical_p)?,
            repeat_penalty: or(self.repeat_penalty, preset.repeat_penalty)?,
            repeat_last: self.repeat_last_n.unwrap_or(preset.repeat_last),
            presence_penalty: signed(self.presence_penalty)?,
            frequency_penalty: signed(self.frequency_penalty)?,
            ..preset
        })
    }

    /// What is off is all zero, as the client has it.
    fn samplers(&self) -> Result<Samplers> {
        let mut samplers = Samplers {
            top_n_sigma: millionths(self.top_n_sigma)?,
            ..Samplers::OFF
        };
        if self.dry_multiplier != 0.0 {
            samplers.dry_multiplier = millionths(self.dry_multiplier)?;
            samplers.dry_base = millionths(self.dry_base)?;
            samplers.dry_allowed_length = self.dry_allowed_length;
            samplers.dry_last = u32::try_from(self.dry_penalty_last_n).unwrap_or(u32::MAX);
            self.breakers(&mut samplers)?;
        }
        if self.xtc_probability != 0.0 {
            samplers.xtc_probability = millionths(self.xtc_probability)?;
            samplers.xtc_threshold = millionths(self.xtc_threshold)?;
        }
        if self.dynatemp_range != 0.0 {
            samplers.dynatemp_range = millionths(self.dynatemp_range)?;
            samplers.dynatemp_exponent = millionths(self.dynatemp_exp)?;
        }
        if self.mirostat != 0 {
            samplers.mirostat = self.mirostat;
            samplers.mirostat_tau = millionths(self.mirostat_ent)?;
            samplers.mirostat_eta = millionths(self.mirostat_lr)?;
        }
        Ok(samplers)
    }

    fn breakers(&self, samplers: &mut Samplers) -> Result<()> {
        let given: Vec<&str> = self
            .dry_sequence_breaker
            .iter()
            .map(String::as_str)
            .collect();
        let strings = match given[..] {
            [] => &["\n", ":", "\"", "*"][..],
            ["none"] => &[],
            _ => &given,
        };
        for (index, string) in strings.iter().enumerate() {
            let length = samplers.breaker_length.get_mut(index);
            let bytes = samplers.breaker.get_mut(index);
            let bytes = bytes.and_then(|bytes| bytes.get_mut(..string.len()));
            let (Some(length), Some(bytes)) = (length, bytes) else {
                bail!("too many or too long sequence breakers");
            };
            *length = u32::try_from(string.len())?;
            bytes.copy_from_slice(string.as_bytes());
        }
        samplers.breaker_count = u32::try_from(strings.len())?;
        Ok(())
    }

    fn biases(&self) -> Result<Vec<Bias>> {
        let mut biases = Vec::new();
        for text in &self.logit_bias {
            let place = text
                .find(['+', '-'])
                .context("a bias is ID+BIAS or ID-BIAS")?;
            let (id, bias) = text.split_at(place);
            let bias = match bias {
                "-inf" => BIAS_BANNED,
                bias => signed(bias.parse()?)?,
            };
            biases.push(Bias {
                id: id.parse()?,
                bias,
            });
        }
        biases.sort_by_key(|bias| bias.id);
        Ok(biases)
    }
}

// CAST: Within the range, by the check.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn millionths(value: f64) -> Result<u32> {
    let scaled = (value * 1e6).round();
    ensure!(
        (0.0..=f64::from(u32::MAX)).contains(&scaled),
        "{value} is no number of millionths"
    );
    Ok(scaled as u32)
}

// CAST: Within the range, by the check.
#[expect(clippy::cast_possible_truncation)]
fn signed(value: f64) -> Result<i32> {
    let scaled = (value * 1e6).round();
    ensure!(scaled.abs() < 2e9, "{value} is no number of millionths");
    Ok(scaled as i32)
}
