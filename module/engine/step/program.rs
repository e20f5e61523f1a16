// SPDX-License-Identifier: GPL-2.0
//! The order of a layer's operations.

use crate::model::Hyperparameters;
use crate::model::architecture::HeadNorm;
use crate::model::architecture::Norms;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Mixer;

/// What a layer does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Query, key and value projections.
    QueryKeyValue,
    /// Norms and rotation of whole heads, and the store of the keys.
    Heads,
    /// Attention.
    Attention,
    /// Projection after attention.
    Output,
    /// What latent attention is made from.
    LatentDown,
    /// Its queries.
    QueryUp,
    /// Norm and rotation of its row, its store, and the rotation of its queries.
    Latent,
    /// Its queries in terms of that row.
    KeyUp,
    /// Its segments merged.
    Merge,
    /// Its values of what is merged.
    ValueUp,
    /// What another mixer is made of.
    MixerInput,
    /// Its convolution.
    Convolve,
    /// Its delta rule.
    Delta,
    /// Projection after it.
    MixerOutput,
    /// Adds the normalized projection to the residual stream.
    JoinAttention,
    /// Gate and up projections.
    FeedForward,
    /// Down projection.
    Down,
    /// Adds the normalized projection to the residual stream.
    JoinFeedForward,
    /// Gate of the layer's embeddings of the tokens.
    PerLayerGate,
    /// Projection of these.
    PerLayerOutput,
    /// Adds the normalized projection to the residual stream.
    JoinPerLayer,
    /// Scores of the experts, and of the shared one.
    Router,
    /// Choice of the experts.
    Route,
    /// Gate and up projections of the shared expert.
    SharedUp,
    /// Gate and up projections of the chosen experts.
    ExpertsUp,
    /// Down projection of the shared expert.
    SharedDown,
    /// Down projections of the chosen experts.
    ExpertsDown,
}

/// Most operations of a layer.
pub const OPERATIONS_MAX: usize = 14;

/// The operations of a layer of shape `layer`, in order. Both branches of parallel ones see the
/// residual stream before either adds to it.
pub fn operations(model: &Hyperparameters, layer: &LayerShape) -> impl Iterator<Item = Operation> {
    use Operation::*;
    let attends = layer.mixer == Mixer::Attention;
    let heads = model.architecture.head_norm != HeadNorm::None;
    let joins = model.architecture.norms != Norms::Before;
    let experts = layer.experts;
    let shared = experts && model.experts.shared > 0;
    let latent = layer.mixer == Mixer::Latent;
    let other = !attends && !latent;
    let all = [
        (attends, QueryKeyValue),
        (attends && heads, Heads),
        (latent, LatentDown),
        (latent && model.latent.queries > 0, QueryUp),
        (latent, Latent),
        (latent, KeyUp),
        (attends || latent, Attention),
        (latent, Merge),
        (latent, ValueUp),
        (attends && !model.parallel, Output),
        (other, MixerInput),
        (other, Convolve),
        (layer.mixer == Mixer::Delta, Delta),
        (!attends, MixerOutput),
        (joins, JoinAttention),
        (!experts, FeedForward),
        (experts, Router),
        (experts, Route),
        (shared, SharedUp),
        (experts, ExpertsUp),
        (attends && model.parallel, Output),
        (!experts, Down),
        (shared, SharedDown),
        (experts, ExpertsDown),
        (joins, JoinFeedForward),
        (model.per_layer > 0, PerLayerGate),
        (model.per_layer > 0, PerLayerOutput),
        (model.per_layer > 0, JoinPerLayer),
    ];
    all.into_iter()
        .filter_map(|(there, operation)| there.then_some(operation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::architecture::ALL;

    #[test]
    fn every_architecture_has_attention_before_its_output() {
        for architecture in ALL {
            let experts = if architecture.experts.is_some() { 4 } else { 0 };
            for (experts, shared) in [(0, 0), (experts, 0), (experts, experts)] {
                let mut model = Hyperparameters::testing(architecture);
                (model.experts.count, model.experts.shared) = (experts, shared);
                let layer = LayerShape::of(&model);
                let all: Vec<Operation> = operations(&model, &layer).collect();
                assert!(all.len() <= OPERATIONS_MAX, "{all:?}");
                let place = |wanted| all.iter().position(|operation| *operation == wanted);
                assert!(place(Operation::Attention) < place(Operation::Output));
                let down = place(Operation::Down).or(place(Operation::ExpertsDown));
                assert!(place(Operation::Output) < down);
            }
        }
    }
}
