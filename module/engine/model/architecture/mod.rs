// SPDX-License-Identifier: GPL-2.0
//! Architectures as data: a constant for each, in a file of its name, and a line in [`ALL`].

use crate::model::part::Part;
use crate::model::rule::Key;

/// Defines [`ALL`] from the modules of the architectures and their constants.
macro_rules! architectures {
    ($($module:ident::$name:ident,)*) => {
        $(mod $module;)*

        /// Every architecture.
        pub const ALL: &[&Architecture] = &[$(&$module::$name,)*];
    };
}

architectures! {
    bert::BERT,
    command_r::COMMAND_R,
    deepseek2::DEEPSEEK2,
    exaone::EXAONE,
    falcon::FALCON,
    gemma::GEMMA,
    gemma2::GEMMA2,
    gemma3::GEMMA3,
    gemma4::GEMMA4,
    gemma_embedding::GEMMA_EMBEDDING,
    glm4::GLM4,
    gpt2::GPT2,
    gpt_oss::GPT_OSS,
    gptneox::GPTNEOX,
    granite::GRANITE,
    lfm2::LFM2,
    llama::LLAMA,
    minicpm::MINICPM,
    mistral3::MISTRAL3,
    mpt::MPT,
    nemotron::NEMOTRON,
    nomic_bert::NOMIC_BERT,
    olmo2::OLMO2,
    olmoe::OLMOE,
    phi2::PHI2,
    phi3::PHI3,
    qwen2::QWEN2,
    qwen2moe::QWEN2MOE,
    qwen3::QWEN3,
    qwen35::QWEN35,
    qwen3moe::QWEN3MOE,
    seed_oss::SEED_OSS,
    smollm3::SMOLLM3,
    stablelm::STABLELM,
    starcoder2::STARCODER2,
}

/// What kind of transformer: everything that its layers are made by.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Architecture {
    /// Its name in `general.architecture`.
    pub name: &'static [u8],
    /// `SISLM_ARCH_*`; 0 when it has only a name.
    pub number: u32,
    /// Keys of its own; they come before those that all have.
    pub keys: &'static [Key],
    /// Tensors that it calls otherwise than [`Part::name`].
    pub names: &'static [(&'static [u8], Part)],
    /// Its norms.
    pub norm: Norm,
    /// Where in a layer they stand.
    pub norms: Norms,
    /// How attention and feed-forward network are joined.
    pub branches: Branches,
    /// What mixes the positions of a layer.
    pub mixing: Mixing,
    /// Whether each query head has a gate, as wide, that multiplies what it attends to.
    pub gated_queries: bool,
    /// Whether a position attends to those before it alone. A model where all attend to all has no
    /// head.
    pub causal: bool,
    /// How a position is told.
    pub positions: Positions,
    /// Layers whose queries and keys do not rotate.
    pub unrotated: Unrotated,
    /// Rotation of the layers with a window.
    pub windowed_rotation: WindowedRotation,
    /// Norms of queries and keys.
    pub head_norm: HeadNorm,
    /// Whether values are normalized, without a weight. A layer without a projection of values takes
    /// what its keys are made from.
    pub value_norm: bool,
    /// Whether a layer may have a factor of all that it gives on.
    pub layer_scale: bool,
    /// Which layers look back only so far.
    pub windows: Windows,
    /// What multiplies scores of attention.
    pub score_scale: ScoreScale,
    /// Soft cap of scores.
    pub score_cap: Cap,
    /// Whether each head has a logit that only the denominator of its softmax has.
    pub sinks: bool,
    /// Between up and down.
    pub activation: Activation,
    /// What multiplies the activation.
    pub gate: Gate,
    /// The experts of the feed-forward network, where a file has them.
    pub experts: Option<Experts>,
    /// What multiplies the embeddings.
    pub embedding_scale: Scale,
    /// What multiplies everything that is added to the residual stream.
    pub residual_scale: Scale,
    /// What multiplies the logits.
    pub logit_scale: Scale,
    /// Soft cap of the logits.
    pub logit_cap: Cap,
}

impl Architecture {
    /// A name before which only the differences are written down: RMSNorm before both branches,
    /// rotated neighbours, SwiGLU.
    const BASE: Architecture = Architecture {
        name: b"",
        number: 0,
        keys: &[],
        names: &[],
        norm: Norm::Rms,
        norms: Norms::Before,
        branches: Branches::Sequential,
        mixing: Mixing::Attention,
        gated_queries: false,
        causal: true,
        positions: Positions::Neighbours,
        unrotated: Unrotated::None,
        windowed_rotation: WindowedRotation::Same,
        head_norm: HeadNorm::None,
        value_norm: false,
        layer_scale: false,
        windows: Windows::None,
        score_scale: ScoreScale::HeadSize,
        score_cap: Cap::None,
        sinks: false,
        activation: Activation::Silu,
        gate: Gate::Separate,
        experts: None,
        embedding_scale: Scale::One,
        residual_scale: Scale::One,
        logit_scale: Scale::One,
        logit_cap: Cap::None,
    };

    /// The architecture called `name`.
    pub fn find(name: &[u8]) -> Option<&'static Architecture> {
        ALL.iter().copied().find(|one| one.name == name)
    }

    /// Its name, NUL-terminated.
    pub fn text(&self) -> [u8; 24] {
        let mut text = [0; 24];
        for (place, byte) in text.iter_mut().take(23).zip(self.name) {
            *place = *byte;
        }
        text
    }

    /// Whether queries and keys rotate.
    pub fn rotates(&self) -> bool {
        matches!(self.positions, Positions::Neighbours | Positions::Halves)
    }
}

/// A norm of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// RMSNorm (Zhang and Sennrich, 2019).
    Rms,
    /// LayerNorm (Ba, Kiros and Hinton, 2016), with a bias where the file has one.
    Layer,
    /// LayerNorm, always with a bias.
    LayerWithBias,
}

/// Where the norms of a layer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norms {
    /// Before each branch.
    Before,
    /// Before and after each branch.
    Around,
    /// After each branch.
    After,
    /// After the sum with each branch, and behind the embeddings; there is no last one.
    OfSums,
}

impl Norms {
    /// Whether there is one before each branch.
    pub fn before(self) -> bool {
        matches!(self, Norms::Before | Norms::Around)
    }

    /// Whether what a branch gives is normalized before it is added.
    pub fn behind(self) -> bool {
        matches!(self, Norms::Around | Norms::After)
    }
}

/// How attention and feed-forward network are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branches {
    /// The second sees what the first added.
    Sequential,
    /// Both see the same row; they may share a norm.
    Parallel,
    /// [`Branches::Parallel`] when there is no second norm.
    ParallelWithoutNorm,
    /// As the key `use_parallel_residual` says.
    Told,
}

/// What mixes the positions of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixing {
    /// Attention.
    Attention,
    /// A short convolution (Poli et al., 2023) where a layer has no key heads, else attention.
    ConvolutionOrAttention,
    /// A gated delta rule (Yang, Kautz and Hatamizadeh, 2024), and attention in the last of each so
    /// many layers, unless the key `full_attention_interval` says otherwise.
    DeltaOrAttention(u32),
    /// Attention to one row of all heads, from which each makes its keys and values (DeepSeek-AI, 2024).
    Latent,
}

/// How a position is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// By an embedding that is added.
    Learned,
    /// Neighbouring dimensions of a head rotate together (Su et al., 2021).
    Neighbours,
    /// A dimension of the first half of those that rotate and one of the second rotate together.
    Halves,
    /// Scores fall with the distance (Press, Smith and Lewis, 2022).
    Slopes,
}

/// Layers whose queries and keys do not rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrotated {
    /// None.
    None,
    /// Every fourth.
    EveryFourth,
}

/// Rotation of the layers with a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WindowedRotation {
    /// That of the other layers.
    Same,
    /// With a base of its own, of this default, and without scaling.
    Unscaled(f32),
    /// With the base of the other layers, without scaling.
    PlainUnscaled,
}

/// Norms of queries and keys, before they rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadNorm {
    /// None.
    None,
    /// RMSNorm of each head.
    Head,
    /// RMSNorm of all heads of a row.
    Row,
}

/// Which layers look back only so far. Key: `attention.sliding_window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// None; the key is passed over, as other engines do.
    None,
    /// Of so many layers all but the last.
    AllButOneOf(u32),
    /// As above, with a window of so many positions when the key is missing.
    AllButOneOfWithin(u32, u32),
    /// Those that the key `attention.sliding_window_pattern` names; both keys must be there.
    Told,
    /// As the first, with a window that lies half before a position and half behind it.
    AllButOneOfAround(u32),
}

/// What multiplies scores of attention. The key `attention.scale` comes before it, where the
/// architecture reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScoreScale {
    /// 1 / sqrt(head size).
    HeadSize,
    /// 1.
    One,
    /// 1 / sqrt(size of a key that latent attention makes), with YaRN's magnitude squared.
    LatentKey,
    /// In a model of so many layers 1 / sqrt(width / heads).
    WidthOfEachWithLayers(u32),
}

/// A soft cap: c * tanh(x / c).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cap {
    /// None.
    None,
    /// The value of a key, with a default; 0 for none.
    Key(&'static [u8], f32),
}

/// Between up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x / (1 + e^-x).
    Silu,
    /// GELU in its tanh form (Hendrycks and Gimpel, 2016).
    Gelu,
    /// max(x, 0)^2.
    ReluSquared,
    /// x / (1 + e^(-1.702 x)) of at most 7, times up within -7 and 7, plus 1.
    ClampedSwiglu,
}

/// What multiplies the activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: up itself is activated.
    None,
    /// Up; the gate has a tensor of its own.
    Separate,
    /// Up; one tensor has the gate, then up.
    Fused,
}

/// A factor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// 1.
    One,
    /// Square root of the width of the residual stream.
    RootOfWidth,
    /// The value of a key, with a default.
    Key(&'static [u8], f32),
    /// The value of a key, or this number by the square root of the number of layers.
    KeyOrPerRootOfLayers(&'static [u8], f32),
    /// 1 by the value of a key.
    Inverse(&'static [u8]),
    /// 1 by the value of a key, or the width by this number.
    InverseOrWidthPer(&'static [u8], f32),
}

/// The experts of a feed-forward network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Experts {
    /// How the scores of the router become weights.
    pub weights: ExpertWeights,
    /// Whether a file may have an expert that all rows go through.
    pub shared: bool,
}

/// How the scores of the router become weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpertWeights {
    /// Softmax over all experts.
    Softmax,
    /// Softmax over all experts, divided by the sum of those that are used.
    Renormalized,
    /// Softmax over those that are used.
    SoftmaxOfUsed,
    /// As keys say: softmax over all or sigmoids, divided by the sum of those that are used or not,
    /// times a factor; chosen with a bias of each, and from the best groups (DeepSeek-AI, 2024).
    Told,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        for (index, one) in ALL.iter().enumerate() {
            assert!(!one.name.is_empty() && one.name.len() < 24);
            assert!(ALL[..index].iter().all(|other| other.name != one.name));
            assert!(Architecture::find(one.name).is_some());
        }
    }
}
