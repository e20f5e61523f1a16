// SPDX-License-Identifier: GPL-2.0
//! Which parts a model may have, which it needs, and which were seen.

use crate::gguf::Reason;
use crate::gguf::Refusal;
use crate::model::architecture::Branches;
use crate::model::architecture::ExpertWeights;
use crate::model::architecture::Gate;
use crate::model::architecture::HeadNorm;
use crate::model::architecture::Norm;
use crate::model::architecture::Norms;
use crate::model::architecture::Positions;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Mixer;
use crate::model::number::LAYERS_MAX;
use crate::model::part::Part;
use crate::model::role::Role;

/// Whether a layer of shape `layer` of such a model, or the model itself, may have `part`.
pub fn may_have(part: Part, model: &Hyperparameters, layer: &LayerShape) -> bool {
    use Part::*;
    let architecture = model.architecture;
    let attends = layer.mixer == Mixer::Attention;
    let experts = layer.experts;
    let latent = layer.mixer == Mixer::Latent;
    let compressed = latent && model.latent.queries > 0;
    let other = !attends && !latent;
    let stores = attends && !layer.shares;
    let delta = layer.mixer == Mixer::Delta;
    match part {
        PositionEmbedding => architecture.positions == Positions::Learned,
        AttentionNorm | FeedForwardNorm => architecture.norms.before(),
        AttentionNormBias | FeedForwardNormBias => {
            architecture.norms.before() && architecture.norm != Norm::Rms
        }
        OutputNorm => architecture.norms != Norms::OfSums,
        OutputNormBias => architecture.norms != Norms::OfSums && architecture.norm != Norm::Rms,
        Output | OutputBias => architecture.causal,
        TokenTypes
        | EmbeddingNorm
        | EmbeddingNormBias
        | PostAttentionNormBias
        | PostFeedForwardNormBias => architecture.norms == Norms::OfSums,
        Dense2 | Dense3 => model.embeddings.dense > 0,
        PostAttentionNorm | PostFeedForwardNorm => architecture.norms != Norms::Before,
        QueryNorm => attends && architecture.head_norm != HeadNorm::None,
        KeyNorm => stores && architecture.head_norm != HeadNorm::None,
        Sinks => attends && architecture.sinks,
        // The gates have the places of keys there.
        QueryKeyValue | QueryKeyValueBias => stores && !architecture.gated_queries,
        Key | KeyBias | Value | ValueBias => stores,
        Query => attends || latent && !compressed,
        QueryBias | AttentionOutput | AttentionOutputBias => attends,
        QueryDown | QueryDownNorm | QueryUp => compressed,
        LatentDown | LatentNorm | KeyUp | ValueUp => latent,
        RouterChoice => {
            experts
                && architecture
                    .experts
                    .is_some_and(|kind| kind.weights == ExpertWeights::Told)
        }
        MixerInput | Convolution => other,
        MixerOutput => !attends,
        MixerGate | DeltaRate | DeltaTime | DeltaTimeBias | DeltaDecay | MixerNorm => delta,
        Gate | GateBias => architecture.gate == self::Gate::Separate && !experts,
        GateUp => architecture.gate == self::Gate::Fused && !experts,
        Up | UpBias => architecture.gate != self::Gate::Fused && !experts,
        Down | DownBias => !experts,
        Router | RouterBias | GateExperts | GateExpertsBias | UpExperts | UpExpertsBias
        | DownExperts | DownExpertsBias => experts,
        SharedRouter | SharedGate | SharedUp | SharedDown => experts && model.experts.shared > 0,
        RopeFactors | LongRopeFactors | ShortRopeFactors => architecture.rotates(),
        PerLayerGate | PerLayerOutput | PostPerLayerNorm | PerLayerEmbedding | PerLayerModel
        | PerLayerNorm => model.per_layer > 0,
        LayerScale => architecture.layer_scale,
        TokenEmbedding => true,
    }
}

/// Which parts were seen, per layer; those of the whole model are with layer 0. All zero: none.
#[repr(C)]
pub struct Presence {
    parts: [u128; LAYERS_MAX as usize],
}

const _: () = assert!(Part::ALL.len() <= u128::BITS as usize);

#[cfg(test)]
impl Default for Presence {
    fn default() -> Self {
        Presence {
            parts: [0; LAYERS_MAX as usize],
        }
    }
}

impl Presence {
    /// Notes `role`; false when it was noted before.
    pub fn note(&mut self, role: Role) -> bool {
        let Some(parts) = self.parts.get_mut(usize::from(role.layer)) else {
            return false;
        };
        let bit = 1 << role.part as u32;
        let first = *parts & bit == 0;
        *parts |= bit;
        first
    }

    /// Whether `part` of layer `layer` was seen.
    pub fn has(&self, part: Part, layer: usize) -> bool {
        let seen = self.parts.get(layer);
        seen.is_some_and(|seen| seen & 1 << part as u32 != 0)
    }

    /// Whether the layers have no norm before the feed-forward network.
    pub fn lacks_second_norm(&self) -> bool {
        !self.has(Part::FeedForwardNorm, 0)
    }

    /// Checks that everything a model needs was seen, and nothing twice.
    ///
    /// # Errors
    ///
    /// The first tensor that is missing, or that another one has the rows of.
    pub fn check(&self, model: &Hyperparameters, shapes: &[LayerShape]) -> Result<(), Refusal> {
        for (layer, shape) in shapes.iter().enumerate() {
            for part in Part::ALL.iter().copied() {
                let due = layer == 0 || part.is_of_layer();
                let due = due && may_have(part, model, shape);
                if due && self.needs(part, layer, model) && !self.has(part, layer) {
                    return Err(refusal(Reason::TensorMissing, part, layer, model));
                }
                let fused = part.pieces().len() > 1 && self.has(part, layer);
                let mut pieces = part.pieces().iter().copied();
                let twice = pieces.find(|piece| fused && self.has(*piece, layer));
                if let Some(piece) = twice {
                    return Err(refusal(Reason::TensorDuplicate, piece, layer, model));
                }
            }
        }
        Ok(())
    }

    /// Whether layer `layer`, which may have `part`, needs it.
    fn needs(&self, part: Part, layer: usize, model: &Hyperparameters) -> bool {
        use Part::*;
        let may_share = match model.architecture.branches {
            Branches::Parallel => true,
            Branches::ParallelWithoutNorm => model.parallel,
            Branches::Sequential | Branches::Told => false,
        };
        let biased = model.architecture.norm == Norm::LayerWithBias;
        match part {
            TokenEmbedding
            | PositionEmbedding
            | OutputNorm
            | AttentionOutput
            | PostAttentionNorm
            | PostFeedForwardNorm
            | QueryNorm
            | KeyNorm
            | Sinks
            | Gate
            | GateUp
            | Up
            | Down
            | Router
            | GateExperts
            | UpExperts
            | DownExperts
            | SharedGate
            | SharedUp
            | SharedDown
            | MixerInput
            | Convolution
            | MixerGate
            | DeltaRate
            | DeltaTime
            | DeltaTimeBias
            | DeltaDecay
            | MixerNorm
            | MixerOutput
            | PerLayerGate
            | PerLayerOutput
            | PostPerLayerNorm
            | PerLayerEmbedding
            | PerLayerModel
            | PerLayerNorm
            | QueryDown
            | QueryDownNorm
            | QueryUp
            | LatentDown
            | LatentNorm
            | KeyUp
            | ValueUp
            | EmbeddingNorm
            | EmbeddingNormBias
            | PostAttentionNormBias
            | PostFeedForwardNormBias
            | Dense2
            | Dense3 => true,
            AttentionNorm => !(may_share && self.has(FeedForwardNorm, layer)),
            FeedForwardNorm => !(may_share && self.has(AttentionNorm, layer)),
            AttentionNormBias => biased && self.has(AttentionNorm, layer),
            FeedForwardNormBias => biased && self.has(FeedForwardNorm, layer),
            OutputNormBias => biased,
            Query | Key => !self.has(QueryKeyValue, layer),
            Value => !model.architecture.value_norm && !self.has(QueryKeyValue, layer),
            TokenTypes | Output | OutputBias | QueryBias | KeyBias | ValueBias | QueryKeyValue
            | QueryKeyValueBias | AttentionOutputBias | GateBias | UpBias | DownBias
            | LayerScale | RouterChoice | RouterBias | GateExpertsBias | UpExpertsBias
            | DownExpertsBias | SharedRouter | RopeFactors | LongRopeFactors | ShortRopeFactors => {
                false
            }
        }
    }
}

/// A refusal about `part` of layer `layer`.
fn refusal(reason: Reason, part: Part, layer: usize, model: &Hyperparameters) -> Refusal {
    let mut refusal = Refusal::new(reason, layer as u64, b"");
    // CAST: Below LAYERS_MAX.
    #[expect(clippy::cast_possible_truncation)]
    let layer = layer as u16;
    Role { part, layer }.write(model.architecture, &mut refusal.subject);
    refusal
}
