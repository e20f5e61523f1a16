// SPDX-License-Identifier: GPL-2.0
//! The chain: what drops candidates or draws one of them, stage by stage in llama.cpp's order.

use super::draw::Draw;
use super::dynamic_temperature::DynamicTemperature;
use super::generator::Carried;
use super::min_p::MinP;
use super::mirostat::{self, Mirostat};
use super::parameters::Parameters;
use super::ranks::Kept;
use super::top_n_sigma::TopNSigma;
use super::top_p::TopP;
use super::typical::Typical;
use super::xtc::Xtc;
use super::{Budget, Fault, Progress};

/// The stages by name.
#[derive(Clone, Copy)]
enum Name {
    TopNSigma,
    Typical,
    TopP,
    MinP,
    Xtc,
    DynamicTemperature,
    Mirostat,
    Draw,
}

/// Their order. What comes before them works on the vocabulary ([`super::gather`]): biases,
/// penalties, DRY and top-k, which may be so early, since it drops nothing that top-n-sigma keeps
/// for another reason.
const ORDER: [Name; 8] = [
    Name::TopNSigma,
    Name::Typical,
    Name::TopP,
    Name::MinP,
    Name::Xtc,
    Name::DynamicTemperature,
    Name::Mirostat,
    Name::Draw,
];

/// A stage that runs.
#[derive(Clone, Copy)]
enum Stage {
    TopNSigma(TopNSigma),
    Typical(Typical),
    TopP(TopP),
    MinP(MinP),
    Xtc(Xtc),
    DynamicTemperature(DynamicTemperature),
    Mirostat(Mirostat),
    Draw(Draw),
}

impl Stage {
    /// Starts a stage; `None` when the parameters, or its own draw, leave it off.
    fn begin(
        name: Name,
        parameters: &Parameters,
        kept: &mut Kept<'_>,
        carried: &mut Carried,
    ) -> Result<Option<Self>, Fault> {
        let p = parameters;
        let stage = match name {
            Name::TopNSigma if p.top_n_sigma > 0.0 => {
                Self::TopNSigma(TopNSigma::new(p.top_n_sigma, kept)?)
            }
            Name::Typical if p.typical_p < 1.0 => Self::Typical(Typical::new(p.typical_p, kept)?),
            Name::TopP if p.top_p < 1.0 => Self::TopP(TopP::new(p.top_p, kept)?),
            Name::MinP if p.min_p > 0.0 => Self::MinP(MinP::new(p.min_p, kept)?),
            Name::Xtc if p.xtc_probability > 0.0 => {
                let (probability, threshold) = (p.xtc_probability, p.xtc_threshold);
                let generator = &mut carried.generator;
                let stage = Xtc::new(probability, threshold, kept, generator)?;
                return Ok(stage.map(Self::Xtc));
            }
            Name::DynamicTemperature if p.dynatemp_range > 0.0 => {
                Self::DynamicTemperature(DynamicTemperature::new(p, kept)?)
            }
            Name::Mirostat if p.mirostat => {
                let limit = carried.limit.get_or_insert(mirostat::first_limit(p));
                Self::Mirostat(Mirostat::new(*limit, kept)?)
            }
            Name::Draw => Self::Draw(Draw::new(kept, &mut carried.generator)?),
            _ => return Ok(None),
        };
        Ok(Some(stage))
    }

    fn step(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<Progress, Fault> {
        match self {
            Self::TopNSigma(stage) => stage.step(kept, budget),
            Self::Typical(stage) => stage.step(kept, budget),
            Self::TopP(stage) => stage.step(kept, budget),
            Self::MinP(stage) => stage.step(kept, budget),
            Self::Xtc(stage) => stage.step(kept, budget),
            Self::DynamicTemperature(stage) => stage.step(kept, budget),
            Self::Mirostat(stage) => stage.step(kept, budget),
            Self::Draw(stage) => stage.step(kept, budget),
        }
    }
}

/// The stage that runs, and those to come.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    /// Stages of [`ORDER`] that were begun or left out.
    begun: usize,
    stage: Option<Stage>,
}

impl Chain {
    /// Nothing is begun.
    pub(super) const START: Self = Self {
        begun: 0,
        stage: None,
    };

    /// Goes on; the token, or `None` while there is more to do.
    ///
    /// # Errors
    /// [`Fault::Argument`] for other memory, or when no candidate is left.
    pub(super) fn step(
        &mut self,
        parameters: &Parameters,
        kept: &mut Kept<'_>,
        budget: &mut Budget,
        carried: &mut Carried,
    ) -> Result<Option<u32>, Fault> {
        loop {
            if let Some(stage) = &mut self.stage {
                if stage.step(kept, budget)? == Progress::More {
                    return Ok(None);
                }
                if let Stage::Draw(draw) = stage {
                    if let Some(limit) = &mut carried.limit {
                        *limit = mirostat::next_limit(parameters, *limit, draw.probability());
                    }
                    return Ok(Some(draw.token()));
                }
            }
            let name = ORDER.get(self.begun).ok_or(Fault::Argument)?;
            self.begun = self.begun.saturating_add(1);
            self.stage = Stage::begin(*name, parameters, kept, carried)?;
        }
    }
}
