// SPDX-License-Identifier: GPL-2.0
//! The chain: what drops candidates or draws one of them, stage by stage in llama.cpp's order.

use super::draw::Draw;
use super::generator::Generator;
use super::min_p::MinP;
use super::parameters::Parameters;
use super::ranks::Kept;
use super::top_p::TopP;
use super::typical::Typical;
use super::{Budget, Fault, Progress};

/// The stages by name.
#[derive(Clone, Copy)]
enum Name {
    Typical,
    TopP,
    MinP,
    Draw,
}

/// Their order; what comes before them works on the vocabulary ([`super::gather`]).
const ORDER: [Name; 4] = [Name::Typical, Name::TopP, Name::MinP, Name::Draw];

/// A stage that runs.
#[derive(Clone, Copy)]
enum Stage {
    Typical(Typical),
    TopP(TopP),
    MinP(MinP),
    Draw(Draw),
}

impl Stage {
    /// Starts a stage; `None` when the parameters leave it off.
    fn begin(
        name: Name,
        parameters: &Parameters,
        kept: &mut Kept<'_>,
        generator: &mut Generator,
    ) -> Result<Option<Self>, Fault> {
        Ok(match name {
            Name::Typical if parameters.typical_p < 1.0 => {
                Some(Self::Typical(Typical::new(parameters.typical_p, kept)?))
            }
            Name::TopP if parameters.top_p < 1.0 => {
                Some(Self::TopP(TopP::new(parameters.top_p, kept)?))
            }
            Name::MinP if parameters.min_p > 0.0 => {
                Some(Self::MinP(MinP::new(parameters.min_p, kept)?))
            }
            Name::Draw => {
                let temperature = f64::from(parameters.temperature);
                Some(Self::Draw(Draw::new(temperature, kept, generator)?))
            }
            Name::Typical | Name::TopP | Name::MinP => None,
        })
    }

    fn step(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<Progress, Fault> {
        match self {
            Self::Typical(stage) => stage.step(kept, budget),
            Self::TopP(stage) => stage.step(kept, budget),
            Self::MinP(stage) => stage.step(kept, budget),
            Self::Draw(stage) => stage.step(kept, budget),
        }
    }
}

/// The stage that runs, and those to come.
#[derive(Clone, Copy)]
pub struct Chain {
    /// Stages of [`ORDER`] that were begun or left out.
    begun: usize,
    stage: Option<Stage>,
}

impl Chain {
    /// Nothing is begun.
    pub const START: Self = Self {
        begun: 0,
        stage: None,
    };

    /// Goes on; the token, or `None` while there is more to do.
    ///
    /// # Errors
    /// [`Fault::Argument`] for other memory, or when no candidate is left.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        kept: &mut Kept<'_>,
        budget: &mut Budget,
        generator: &mut Generator,
    ) -> Result<Option<u32>, Fault> {
        loop {
            if let Some(stage) = &mut self.stage {
                if stage.step(kept, budget)? == Progress::More {
                    return Ok(None);
                }
                if let Stage::Draw(draw) = stage {
                    return Ok(Some(draw.token()));
                }
            }
            let name = ORDER.get(self.begun).ok_or(Fault::Argument)?;
            self.begun = self.begun.saturating_add(1);
            self.stage = Stage::begin(*name, parameters, kept, generator)?;
        }
    }
}
