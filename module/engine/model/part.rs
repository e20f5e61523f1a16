// SPDX-License-Identifier: GPL-2.0
//! The parts of a model, each of which a tensor holds: their names in a GGUF file and their shapes.

/// A size that the shape of a tensor is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dim {
    /// 1.
    One,
    /// Width of the residual stream.
    Width,
    /// Width of the hidden layer of the feed-forward network.
    Hidden,
    /// Twice [`Dim::Hidden`].
    DoubleHidden,
    /// All query heads, with the gates of those that have one.
    Query,
    /// What attention gives of all query heads.
    Attended,
    /// All key heads; as wide as all value heads.
    Kv,
    /// All query, key and value heads.
    QueryKeyValue,
    /// What the norm of the queries spans: a head, or all of them.
    QueryNorm,
    /// What the norm of the keys spans.
    KeyNorm,
    /// Number of query heads.
    Heads,
    /// Dimensions of a head.
    HeadSize,
    /// What the mixer that is no attention projects.
    MixerInput,
    /// What it gives.
    Mixed,
    /// Columns of its convolution.
    Convolved,
    /// Positions that its convolution spans.
    Taps,
    /// What the queries of latent attention are made from.
    QueryRank,
    /// What its keys and values are made from.
    Rank,
    /// The same, and what all keys have that rotates.
    RankAndRotated,
    /// Dimensions of a key of it that do not rotate.
    Unrotated,
    /// Dimensions of a value of it.
    Value,
    /// Width of the embeddings that a layer has of each token.
    PerLayer,
    /// Those of all layers.
    AllPerLayer,
    /// Pairs of dimensions of a head that rotate.
    Pairs,
    /// Number of token ids.
    Vocabulary,
    /// Positions the model was made for.
    TrainedContext,
    /// Number of experts of a layer.
    Experts,
    /// Width of the hidden layer of an expert.
    ExpertHidden,
    /// Width of the hidden layer of the shared expert.
    SharedHidden,
    /// Kinds of text that a token may be of.
    TokenTypes,
    /// Width between the two matrices behind the last norm.
    Dense,
}

/// The shape of a part, in the order of GGUF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A matrix: inputs, outputs.
    Matrix(Dim, Dim),
    /// A matrix for each expert: inputs, outputs.
    Experts(Dim, Dim),
    /// A matrix for each query head: inputs, outputs.
    Heads(Dim, Dim),
    /// A vector.
    Vector(Dim),
    /// A vector for each expert.
    ExpertVectors(Dim),
    /// Values of each column: values, columns.
    Columns(Dim, Dim),
}

/// Defines [`Part`] from rows of variant, name and shape.
macro_rules! parts {
    (
        layer { $($(#[$layer_doc:meta])* $layer:ident = $layer_name:literal, $layer_shape:expr;)* }
        fused { $($(#[$fused_doc:meta])* $fused:ident = $fused_name:literal, $fused_shape:expr, [$($piece:ident),*];)* }
        model { $($(#[$model_doc:meta])* $model:ident = $model_name:literal, $model_shape:expr;)* }
    ) => {
        /// A part of the model that one tensor holds: those of a layer come first.
        #[repr(u16)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Part {
            $($(#[$layer_doc])* $layer,)*
            $($(#[$fused_doc])* $fused,)*
            $($(#[$model_doc])* $model,)*
        }

        impl Part {
            /// Every part.
            pub const ALL: &[Part] = &[$(Part::$layer,)* $(Part::$fused,)* $(Part::$model,)*];
            /// Number of parts that a layer keeps.
            pub const OF_LAYER: usize = [$(Part::$layer,)*].len();
            /// Number of parts that the model keeps beside its layers.
            pub const OF_MODEL: usize = [$(Part::$model,)*].len();
            /// Number of parts that are kept as others.
            const FUSED: usize = [$(Part::$fused,)*].len();

            /// Name of its tensor; of a part of a layer: after `blk.N.`.
            pub fn name(self) -> &'static [u8] {
                match self {
                    $(Part::$layer => $layer_name,)*
                    $(Part::$fused => $fused_name,)*
                    $(Part::$model => $model_name,)*
                }
            }

            /// Shape of its tensor.
            pub fn shape(self) -> Shape {
                match self {
                    $(Part::$layer => $layer_shape,)*
                    $(Part::$fused => $fused_shape,)*
                    $(Part::$model => $model_shape,)*
                }
            }

            /// The parts that its rows are kept as, in order: itself, unless it is fused.
            pub fn pieces(self) -> &'static [Part] {
                match self {
                    $(Part::$layer => &[Part::$layer],)*
                    $(Part::$fused => &[$(Part::$piece),*],)*
                    $(Part::$model => &[Part::$model],)*
                }
            }
        }
    };
}

parts! {
    layer {
        /// Weight of the norm before attention.
        AttentionNorm = b"attn_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the norm before attention.
        AttentionNormBias = b"attn_norm.bias", Shape::Vector(Dim::Width);
        /// Query projection.
        Query = b"attn_q.weight", Shape::Matrix(Dim::Width, Dim::Query);
        /// Bias of the query projection.
        QueryBias = b"attn_q.bias", Shape::Vector(Dim::Query);
        /// Key projection.
        Key = b"attn_k.weight", Shape::Matrix(Dim::Width, Dim::Kv);
        /// Bias of the key projection.
        KeyBias = b"attn_k.bias", Shape::Vector(Dim::Kv);
        /// Value projection.
        Value = b"attn_v.weight", Shape::Matrix(Dim::Width, Dim::Kv);
        /// Bias of the value projection.
        ValueBias = b"attn_v.bias", Shape::Vector(Dim::Kv);
        /// Weight of the norm of the queries.
        QueryNorm = b"attn_q_norm.weight", Shape::Vector(Dim::QueryNorm);
        /// Weight of the norm of the keys.
        KeyNorm = b"attn_k_norm.weight", Shape::Vector(Dim::KeyNorm);
        /// A logit of each head that only the denominator of its softmax has.
        Sinks = b"attn_sinks.weight", Shape::Vector(Dim::Heads);
        /// Projection after attention.
        AttentionOutput = b"attn_output.weight", Shape::Matrix(Dim::Attended, Dim::Width);
        /// Bias of the projection after attention.
        AttentionOutputBias = b"attn_output.bias", Shape::Vector(Dim::Width);
        /// Weight of the norm of what attention adds.
        PostAttentionNorm = b"post_attention_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the norm behind attention.
        PostAttentionNormBias = b"post_attention_norm.bias", Shape::Vector(Dim::Width);
        /// What a mixer that is no attention is made of: of a convolution what multiplies its input,
        /// what multiplies its output, and its input; of a delta rule queries, keys and values.
        MixerInput = b"shortconv.in_proj.weight", Shape::Matrix(Dim::Width, Dim::MixerInput);
        /// Weights of the convolution.
        Convolution = b"shortconv.conv.weight", Shape::Columns(Dim::Taps, Dim::Convolved);
        /// Gate of what the mixer gives.
        MixerGate = b"attn_gate.weight", Shape::Matrix(Dim::Width, Dim::Mixed);
        /// How much of a value the state takes.
        DeltaRate = b"ssm_beta.weight", Shape::Matrix(Dim::Width, Dim::Heads);
        /// How long a position lasts.
        DeltaTime = b"ssm_alpha.weight", Shape::Matrix(Dim::Width, Dim::Heads);
        /// What is added to it.
        DeltaTimeBias = b"ssm_dt.bias", Shape::Vector(Dim::Heads);
        /// By how much the state decays in it, negative.
        DeltaDecay = b"ssm_a", Shape::Vector(Dim::Heads);
        /// Weight of the norm of what each head of the mixer gives.
        MixerNorm = b"ssm_norm.weight", Shape::Vector(Dim::HeadSize);
        /// Projection after the mixer.
        MixerOutput = b"shortconv.out_proj.weight", Shape::Matrix(Dim::Mixed, Dim::Width);
        /// Weight of the norm before the feed-forward network.
        FeedForwardNorm = b"ffn_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the norm before the feed-forward network.
        FeedForwardNormBias = b"ffn_norm.bias", Shape::Vector(Dim::Width);
        /// Gate projection.
        Gate = b"ffn_gate.weight", Shape::Matrix(Dim::Width, Dim::Hidden);
        /// Bias of the gate projection.
        GateBias = b"ffn_gate.bias", Shape::Vector(Dim::Hidden);
        /// Up projection.
        Up = b"ffn_up.weight", Shape::Matrix(Dim::Width, Dim::Hidden);
        /// Bias of the up projection.
        UpBias = b"ffn_up.bias", Shape::Vector(Dim::Hidden);
        /// Down projection.
        Down = b"ffn_down.weight", Shape::Matrix(Dim::Hidden, Dim::Width);
        /// Bias of the down projection.
        DownBias = b"ffn_down.bias", Shape::Vector(Dim::Width);
        /// Weight of the norm of what the feed-forward network adds.
        PostFeedForwardNorm = b"post_ffw_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the norm behind the feed-forward network.
        PostFeedForwardNormBias = b"post_ffw_norm.bias", Shape::Vector(Dim::Width);
        /// What the queries of latent attention are made from.
        QueryDown = b"attn_q_a.weight", Shape::Matrix(Dim::Width, Dim::QueryRank);
        /// Weight of the norm of that.
        QueryDownNorm = b"attn_q_a_norm.weight", Shape::Vector(Dim::QueryRank);
        /// Queries of that.
        QueryUp = b"attn_q_b.weight", Shape::Matrix(Dim::QueryRank, Dim::Query);
        /// What its keys and values are made from, and what all keys have that rotates.
        LatentDown = b"attn_kv_a_mqa.weight", Shape::Matrix(Dim::Width, Dim::RankAndRotated);
        /// Weight of the norm of the former.
        LatentNorm = b"attn_kv_a_norm.weight", Shape::Vector(Dim::Rank);
        /// What the keys of a head are made by, transposed.
        KeyUp = b"attn_k_b.weight", Shape::Heads(Dim::Unrotated, Dim::Rank);
        /// What the values of a head are made by.
        ValueUp = b"attn_v_b.weight", Shape::Heads(Dim::Rank, Dim::Value);
        /// What is added to what the router gives, for the choice alone.
        RouterChoice = b"exp_probs_b.bias", Shape::Vector(Dim::Experts);
        /// Gate of the embeddings that the layer has of each token.
        PerLayerGate = b"inp_gate.weight", Shape::Matrix(Dim::Width, Dim::PerLayer);
        /// Projection of these.
        PerLayerOutput = b"proj.weight", Shape::Matrix(Dim::PerLayer, Dim::Width);
        /// Weight of the norm of what they add.
        PostPerLayerNorm = b"post_norm.weight", Shape::Vector(Dim::Width);
        /// Factor of all that the layer gives on.
        LayerScale = b"layer_output_scale.weight", Shape::Vector(Dim::One);
        /// Router: a score of each expert.
        Router = b"ffn_gate_inp.weight", Shape::Matrix(Dim::Width, Dim::Experts);
        /// Bias of the router.
        RouterBias = b"ffn_gate_inp.bias", Shape::Vector(Dim::Experts);
        /// Gate projections of the experts.
        GateExperts = b"ffn_gate_exps.weight", Shape::Experts(Dim::Width, Dim::ExpertHidden);
        /// Biases of the experts' gate projections.
        GateExpertsBias = b"ffn_gate_exps.bias", Shape::ExpertVectors(Dim::ExpertHidden);
        /// Up projections of the experts.
        UpExperts = b"ffn_up_exps.weight", Shape::Experts(Dim::Width, Dim::ExpertHidden);
        /// Biases of the experts' up projections.
        UpExpertsBias = b"ffn_up_exps.bias", Shape::ExpertVectors(Dim::ExpertHidden);
        /// Down projections of the experts.
        DownExperts = b"ffn_down_exps.weight", Shape::Experts(Dim::ExpertHidden, Dim::Width);
        /// Biases of the experts' down projections.
        DownExpertsBias = b"ffn_down_exps.bias", Shape::ExpertVectors(Dim::Width);
        /// Router of the shared expert: how much it counts.
        SharedRouter = b"ffn_gate_inp_shexp.weight", Shape::Matrix(Dim::Width, Dim::One);
        /// Gate projection of the shared expert.
        SharedGate = b"ffn_gate_shexp.weight", Shape::Matrix(Dim::Width, Dim::SharedHidden);
        /// Up projection of the shared expert.
        SharedUp = b"ffn_up_shexp.weight", Shape::Matrix(Dim::Width, Dim::SharedHidden);
        /// Down projection of the shared expert.
        SharedDown = b"ffn_down_shexp.weight", Shape::Matrix(Dim::SharedHidden, Dim::Width);
    }
    fused {
        /// Query, key and value projections, one after the other.
        QueryKeyValue = b"attn_qkv.weight", Shape::Matrix(Dim::Width, Dim::QueryKeyValue),
            [Query, Key, Value];
        /// Biases of the query, key and value projections.
        QueryKeyValueBias = b"attn_qkv.bias", Shape::Vector(Dim::QueryKeyValue),
            [QueryBias, KeyBias, ValueBias];
        /// Gate and up projections, one after the other.
        GateUp = b"ffn_gate_up.weight", Shape::Matrix(Dim::Width, Dim::DoubleHidden), [Gate, Up];
    }
    model {
        /// Token embeddings.
        TokenEmbedding = b"token_embd.weight", Shape::Matrix(Dim::Width, Dim::Vocabulary);
        /// Embeddings that each layer has of each token.
        PerLayerEmbedding = b"per_layer_token_embd.weight",
            Shape::Matrix(Dim::AllPerLayer, Dim::Vocabulary);
        /// What is added to these, of the embedding of the token.
        PerLayerModel = b"per_layer_model_proj.weight", Shape::Matrix(Dim::Width, Dim::AllPerLayer);
        /// Weight of the norm of that.
        PerLayerNorm = b"per_layer_proj_norm.weight", Shape::Vector(Dim::PerLayer);
        /// Learned positions.
        PositionEmbedding = b"position_embd.weight", Shape::Matrix(Dim::Width, Dim::TrainedContext);
        /// What is added to the embeddings of a text of each kind.
        TokenTypes = b"token_types.weight", Shape::Matrix(Dim::Width, Dim::TokenTypes);
        /// Weight of the norm of the embeddings.
        EmbeddingNorm = b"token_embd_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the norm of the embeddings.
        EmbeddingNormBias = b"token_embd_norm.bias", Shape::Vector(Dim::Width);
        /// The first of two matrices behind the last norm.
        Dense2 = b"dense_2.weight", Shape::Matrix(Dim::Width, Dim::Dense);
        /// The second.
        Dense3 = b"dense_3.weight", Shape::Matrix(Dim::Dense, Dim::Width);
        /// Weight of the last norm.
        OutputNorm = b"output_norm.weight", Shape::Vector(Dim::Width);
        /// Bias of the last norm.
        OutputNormBias = b"output_norm.bias", Shape::Vector(Dim::Width);
        /// Head; without it the token embeddings serve.
        Output = b"output.weight", Shape::Matrix(Dim::Width, Dim::Vocabulary);
        /// Bias of the head.
        OutputBias = b"output.bias", Shape::Vector(Dim::Vocabulary);
        /// Divisors of the angles of rotation.
        RopeFactors = b"rope_freqs.weight", Shape::Vector(Dim::Pairs);
        /// Divisors of the angles in a context longer than the original one.
        LongRopeFactors = b"rope_factors_long.weight", Shape::Vector(Dim::Pairs);
        /// Divisors of the angles in a context that is not longer.
        ShortRopeFactors = b"rope_factors_short.weight", Shape::Vector(Dim::Pairs);
    }
}

impl Part {
    /// Whether each layer has one.
    pub fn is_of_layer(self) -> bool {
        (self as usize) < Part::OF_LAYER + Part::FUSED
    }

    /// Its index among the parts that a layer keeps, or that the model keeps; `None` when it is
    /// kept as others.
    pub fn index(self) -> Option<usize> {
        let index = self as usize;
        if index < Part::OF_LAYER {
            return Some(index);
        }
        index.checked_sub(Part::OF_LAYER + Part::FUSED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_pieces_make_up_the_whole() {
        for (number, part) in Part::ALL.iter().enumerate() {
            assert_eq!(*part as usize, number);
            let same = |other: &&Part| other.name() == part.name();
            assert_eq!(Part::ALL.iter().filter(same).count(), 1, "{part:?}");
            let pieces = part.pieces();
            assert_eq!(part.index().is_some(), pieces == [*part]);
            assert!(pieces.iter().all(|piece| piece.index().is_some()));
            assert!(
                pieces
                    .iter()
                    .all(|piece| piece.is_of_layer() == part.is_of_layer())
            );
        }
        let indexes = |of_layer: bool| {
            let parts = Part::ALL
                .iter()
                .filter(move |part| part.is_of_layer() == of_layer);
            parts.filter_map(|part| part.index()).collect::<Vec<_>>()
        };
        assert_eq!(indexes(true), (0..Part::OF_LAYER).collect::<Vec<_>>());
        assert_eq!(indexes(false), (0..Part::OF_MODEL).collect::<Vec<_>>());
    }
}
