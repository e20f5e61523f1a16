// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that say how the next token is drawn. The device knows their ranges.

use clap::{Args, ValueEnum};
use sislm::{Millionths, SamplingConfig};

/// How the next token is drawn.
#[derive(Debug, Args)]
pub struct Sampling {
    /// Where the options below start from
    #[arg(long, value_enum, default_value_t)]
    pub preset: Preset,
    /// Softmax temperature; 0 is greedy
    #[arg(long, value_name = "T")]
    pub temperature: Option<Millionths>,
    /// Most likely candidates kept, 0 for all
    #[arg(long, value_name = "K")]
    pub top_k: Option<u32>,
    /// Probability mass kept; 1 keeps all
    #[arg(long, value_name = "P")]
    pub top_p: Option<Millionths>,
    /// Least probability relative to the best candidate's; 0 keeps all
    #[arg(long, value_name = "P")]
    pub min_p: Option<Millionths>,
    /// Divides the logits of the last 64 tokens; 1 is none
    #[arg(long, value_name = "R")]
    pub repeat_penalty: Option<Millionths>,
}

/// Named sampling settings.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum Preset {
    /// The most likely token, always
    Greedy,
    /// Temperature 0.8, top-k 40, top-p 0.9
    #[default]
    Balanced,
    /// Temperature 1.2, top-k 100, top-p 0.95
    Creative,
}

impl Sampling {
    /// The preset with what was given on top.
    pub fn config(&self) -> SamplingConfig {
        let preset = match self.preset {
            Preset::Greedy => SamplingConfig::greedy(),
            Preset::Balanced => SamplingConfig::balanced(),
            Preset::Creative => SamplingConfig::creative(),
        };
        SamplingConfig {
            temperature: self.temperature.unwrap_or(preset.temperature),
            top_k: self.top_k.unwrap_or(preset.top_k),
            top_p: self.top_p.unwrap_or(preset.top_p),
            min_p: self.min_p.unwrap_or(preset.min_p),
            repeat_penalty: self.repeat_penalty.unwrap_or(preset.repeat_penalty),
            ..preset
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        sampling: Sampling,
    }

    fn config(arguments: &[&str]) -> SamplingConfig {
        let line = [&["line"], arguments].concat();
        Line::try_parse_from(line).unwrap().sampling.config()
    }

    #[test]
    fn balanced_is_the_default() {
        assert_eq!(config(&[]), SamplingConfig::balanced());
    }

    #[test]
    fn options_change_the_preset() {
        let line = "--preset creative --top-k 7 --repeat-penalty 1.1";
        let wanted = SamplingConfig {
            top_k: 7,
            repeat_penalty: Millionths(1_100_000),
            ..SamplingConfig::creative()
        };
        assert_eq!(config(&line.split(' ').collect::<Vec<_>>()), wanted);
    }
}
