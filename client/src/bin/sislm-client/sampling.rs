// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that say how the next token is drawn. The device knows their ranges.

use clap::{Args, ValueEnum};
use sislm::{Bias, Dry, DynamicTemperature, Millionths, Mirostat, Samplers, SamplingConfig, Xtc};

/// How the next token is drawn.
#[derive(Debug, Args)]
pub(crate) struct Sampling {
    /// Where the options below start from
    #[arg(long, value_enum, default_value_t)]
    pub preset: Preset,
    /// Softmax temperature; 0 is greedy
    #[arg(long, alias = "temp", value_name = "T")]
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
    /// Mass kept of locally typical candidates; 1 keeps all
    #[arg(long, alias = "typical-p", value_name = "P")]
    pub typical: Option<Millionths>,
    /// Divides the logits of the last tokens; 1 is none
    #[arg(long, value_name = "R")]
    pub repeat_penalty: Option<Millionths>,
    /// Tokens looked back at by this penalty and the next two [default: 64]
    #[arg(long, value_name = "N")]
    pub repeat_last_n: Option<u32>,
    /// Subtracted once from the logits of the last tokens [default: 0]
    #[arg(long, value_name = "A", allow_negative_numbers = true, value_parser = Millionths::signed)]
    pub presence_penalty: Option<i32>,
    /// Subtracted from the logits of the last tokens for each time [default: 0]
    #[arg(long, value_name = "A", allow_negative_numbers = true, value_parser = Millionths::signed)]
    pub frequency_penalty: Option<i32>,
    /// DRY: scale of the penalty of tokens that make a repetition longer; 0 is none
    #[arg(long, value_name = "M", default_value = "0")]
    pub dry_multiplier: Millionths,
    /// DRY: what the penalty grows by with each token
    #[arg(
        long,
        requires = "dry_multiplier",
        value_name = "B",
        default_value = "1.75"
    )]
    pub dry_base: Millionths,
    /// DRY: tokens of the shortest repetition that is penalized
    #[arg(
        long,
        requires = "dry_multiplier",
        value_name = "N",
        default_value_t = 2
    )]
    pub dry_allowed_length: u32,
    /// DRY: tokens looked back at, -1 for the whole context
    #[arg(long, requires = "dry_multiplier", value_name = "N", allow_negative_numbers = true, default_value = "-1",
          value_parser = last_tokens)]
    pub dry_penalty_last_n: u32,
    /// DRY: text that no repetition reaches across, instead of line end, colon, quotation mark and
    /// asterisk; up to 8 of at most 32 bytes; "none" for none
    #[arg(long, requires = "dry_multiplier", value_name = "TEXT")]
    pub dry_sequence_breaker: Vec<String>,
    /// Standard deviations that a logit may lie below the best; 0 keeps all
    #[arg(long, alias = "top-nsigma", value_name = "N", default_value = "0")]
    pub top_n_sigma: Millionths,
    /// XTC: share of the draws in which all likely candidates but the least likely one are dropped
    #[arg(long, value_name = "P", default_value = "0")]
    pub xtc_probability: Millionths,
    /// XTC: probability of a likely candidate
    #[arg(
        long,
        requires = "xtc_probability",
        value_name = "P",
        default_value = "0.1"
    )]
    pub xtc_threshold: Millionths,
    /// How far the temperature may be from its middle, by the entropy; 0 for not at all
    #[arg(long, value_name = "T", default_value = "0")]
    pub dynatemp_range: Millionths,
    /// Power of the normalized entropy that the temperature follows
    #[arg(
        long,
        requires = "dynatemp_range",
        value_name = "E",
        default_value = "1"
    )]
    pub dynatemp_exp: Millionths,
    /// 2 is mirostat 2; the preset's top-k and top-p are then left out
    #[arg(long, value_name = "0|2", value_parser = mirostat, default_value = "0",
          action = clap::ArgAction::Set)]
    pub mirostat: bool,
    /// Mirostat: surprise aimed at, in bits
    #[arg(long, requires = "mirostat", value_name = "TAU", default_value = "5")]
    pub mirostat_ent: Millionths,
    /// Mirostat: how fast its limit follows
    #[arg(long, requires = "mirostat", value_name = "ETA", default_value = "0.1")]
    pub mirostat_lr: Millionths,
    /// Add to the logit of a token, such as 15+1 or 15-0.5; 15-inf: never draw it
    #[arg(short = 'l', long, value_name = "ID+BIAS", value_parser = bias)]
    pub logit_bias: Vec<Bias>,
}

/// Named sampling settings.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Preset {
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
    pub(crate) fn config(&self) -> SamplingConfig {
        let preset = match self.preset {
            Preset::Greedy => SamplingConfig::greedy(),
            Preset::Balanced => SamplingConfig::balanced(),
            Preset::Creative => SamplingConfig::creative(),
        };
        let all = SamplingConfig::greedy();
        let (top_k, top_p) = match self.mirostat {
            true => (all.top_k, all.top_p),
            false => (preset.top_k, preset.top_p),
        };
        SamplingConfig {
            temperature: self.temperature.unwrap_or(preset.temperature),
            top_k: self.top_k.unwrap_or(top_k),
            top_p: self.top_p.unwrap_or(top_p),
            min_p: self.min_p.unwrap_or(preset.min_p),
            typical_p: self.typical.unwrap_or(preset.typical_p),
            repeat_penalty: self.repeat_penalty.unwrap_or(preset.repeat_penalty),
            repeat_last: self.repeat_last_n.unwrap_or(preset.repeat_last),
            presence_penalty: self.presence_penalty.unwrap_or(preset.presence_penalty),
            frequency_penalty: self.frequency_penalty.unwrap_or(preset.frequency_penalty),
        }
    }

    /// What is off unless asked for.
    pub(crate) fn samplers(&self) -> Samplers {
        let on = |value: Millionths| value != Millionths::ZERO;
        Samplers {
            dry: on(self.dry_multiplier).then(|| Dry {
                multiplier: self.dry_multiplier,
                base: self.dry_base,
                allowed_length: self.dry_allowed_length,
                last: self.dry_penalty_last_n,
                breakers: self.breakers(),
            }),
            top_n_sigma: self.top_n_sigma.0,
            xtc: on(self.xtc_probability).then_some(Xtc {
                probability: self.xtc_probability,
                threshold: self.xtc_threshold,
            }),
            dynamic_temperature: on(self.dynatemp_range).then_some(DynamicTemperature {
                range: self.dynatemp_range,
                exponent: self.dynatemp_exp,
            }),
            mirostat: self.mirostat.then_some(Mirostat {
                tau: self.mirostat_ent,
                eta: self.mirostat_lr,
            }),
        }
    }

    fn breakers(&self) -> Vec<Vec<u8>> {
        let given: Vec<&str> = self
            .dry_sequence_breaker
            .iter()
            .map(String::as_str)
            .collect();
        let texts = match given[..] {
            [] => &["\n", ":", "\"", "*"][..],
            ["none"] => &[],
            _ => &given,
        };
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }
}

/// A count of tokens; as many as there are for -1.
fn last_tokens(text: &str) -> Result<u32, String> {
    match text.parse() {
        _ if text == "-1" => Ok(u32::MAX),
        Ok(count) => Ok(count),
        Err(_) => Err("expected a number of tokens, or -1 for the whole context".into()),
    }
}

fn mirostat(text: &str) -> Result<bool, String> {
    match text {
        "0" => Ok(false),
        "2" => Ok(true),
        _ => Err("expected 2 for mirostat 2, or 0 for none; mirostat 1 is not there".into()),
    }
}

fn bias(text: &str) -> Result<Bias, String> {
    let place = text.find(['+', '-']).unwrap_or(text.len());
    let (id, number) = text.split_at(place);
    let id = id.parse();
    let id = id.map_err(|_| "expected a token's id and a bias, such as 15+1 or 15-inf")?;
    match number {
        "" => Err("expected a bias after the id, such as 15+1 or 15-inf".into()),
        "-inf" => Ok(Bias { id, bias: None }),
        number => Ok(Bias {
            id,
            bias: Some(Millionths::signed(number)?),
        }),
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

    fn sampling(line: &str) -> Result<Sampling, clap::Error> {
        let words = ["line"].into_iter().chain(line.split_whitespace());
        Ok(Line::try_parse_from(words)?.sampling)
    }

    #[test]
    fn balanced_is_the_default() {
        let sampling = sampling("").unwrap();
        assert_eq!(sampling.config(), SamplingConfig::balanced());
        assert_eq!(sampling.samplers(), Samplers::default());
    }

    #[test]
    fn options_change_the_preset() {
        let line = "--preset creative --top-k 7 --repeat-penalty 1.1 --presence-penalty -0.5";
        let wanted = SamplingConfig {
            top_k: 7,
            repeat_penalty: Millionths(1_100_000),
            presence_penalty: -500_000,
            ..SamplingConfig::creative()
        };
        assert_eq!(sampling(line).unwrap().config(), wanted);
    }

    #[test]
    fn an_option_of_a_sampler_that_is_off_is_refused() {
        for (option, sampler) in [
            ("--dry-base 2", "--dry-multiplier"),
            ("--dry-allowed-length 3", "--dry-multiplier"),
            ("--dry-penalty-last-n 3", "--dry-multiplier"),
            ("--dry-sequence-breaker none", "--dry-multiplier"),
            ("--xtc-threshold 0.2", "--xtc-probability"),
            ("--dynatemp-exp 2", "--dynatemp-range"),
            ("--mirostat-ent 4", "--mirostat"),
            ("--mirostat-lr 0.2", "--mirostat"),
        ] {
            let refusal = sampling(option).err().map(|error| error.to_string());
            assert!(
                refusal.is_some_and(|text| text.contains(sampler)),
                "{option}"
            );
            assert!(
                sampling(&format!("{option} {sampler} 0")).is_ok(),
                "{option}"
            );
        }
    }

    #[test]
    fn dry_has_the_breakers_of_llama_cpp_unless_others_are_given() {
        let breakers = |line: &str| {
            let samplers = sampling(&format!("--dry-multiplier 0.8 {line}"))
                .unwrap()
                .samplers();
            samplers.dry.unwrap().breakers
        };
        assert_eq!(breakers(""), [b"\n", b":", b"\"", b"*"]);
        assert_eq!(breakers("--dry-sequence-breaker ab"), [b"ab"]);
        assert!(breakers("--dry-sequence-breaker none").is_empty());
    }

    #[test]
    fn mirostat_leaves_out_the_cuts_of_the_preset_but_not_those_given() {
        let numbers = |line: &str| {
            let config = sampling(line).unwrap().config();
            (config.top_k, config.top_p)
        };
        assert_eq!(numbers("--mirostat 2"), (0, Millionths::ONE));
        assert_eq!(numbers("--mirostat 2 --top-k 7"), (7, Millionths::ONE));
        assert_eq!(numbers("--mirostat 0"), (40, Millionths(900_000)));
        assert!(sampling("--mirostat 1").is_err());
    }

    #[test]
    fn a_bias_has_an_id_and_a_sign() {
        let biases = sampling("-l 15+1 --logit-bias 3-0.5 -l 7-inf")
            .unwrap()
            .logit_bias;
        let bias = |id, bias| Bias { id, bias };
        let wanted = [
            bias(15, Some(1_000_000)),
            bias(3, Some(-500_000)),
            bias(7, None),
        ];
        assert_eq!(biases, wanted);
        for wrong in ["15", "+1", "15+", "15+inf", "x-1"] {
            assert!(sampling(&format!("-l {wrong}")).is_err(), "{wrong}");
        }
    }
}
