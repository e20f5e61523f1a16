// SPDX-License-Identifier: GPL-2.0
//! The order of a layer's operations.

use crate::model::Hyperparameters;
use crate::model::architecture::HeadNorm;
use crate::model::architecture::Norms;

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
    /// Adds the normalized projection to the residual stream.
    JoinAttention,
    /// Gate and up projections.
    FeedForward,
    /// Down projection.
    Down,
    /// Adds the normalized projection to the residual stream.
    JoinFeedForward,
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
pub const OPERATIONS_MAX: usize = 11;

/// The operations of each layer of a model, in order. Both branches of parallel ones see the
/// residual stream before either adds to it.
pub fn operations(model: &Hyperparameters) -> impl Iterator<Item = Operation> {
    use Operation::*;
    let heads = model.architecture.head_norm != HeadNorm::None;
    let joins = model.architecture.norms != Norms::Before;
    let (experts, shared) = (model.experts.count > 0, model.experts.shared > 0);
    let all = [
        (true, QueryKeyValue),
        (heads, Heads),
        (true, Attention),
        (!model.parallel, Output),
        (joins, JoinAttention),
        (!experts, FeedForward),
        (experts, Router),
        (experts, Route),
        (shared, SharedUp),
        (experts, ExpertsUp),
        (model.parallel, Output),
        (!experts, Down),
        (shared, SharedDown),
        (experts, ExpertsDown),
        (joins, JoinFeedForward),
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
                let all: Vec<Operation> = operations(&model).collect();
                assert!(all.len() <= OPERATIONS_MAX, "{all:?}");
                let place = |wanted| all.iter().position(|operation| *operation == wanted);
                assert!(place(Operation::Attention) < place(Operation::Output));
                let down = place(Operation::Down).or(place(Operation::ExpertsDown));
                assert!(place(Operation::Output) < down);
            }
        }
    }
}
