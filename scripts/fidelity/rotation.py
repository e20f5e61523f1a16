# SPDX-License-Identifier: GPL-2.0
"""Rotary positions: angles with linear and YaRN scaling and with factors, and the rotation of heads."""

import math

import numpy

# Architectures in which dimension i rotates with i + half; in the others neighbours rotate.
HALVES = {"falcon", "gptneox", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "olmo2", "olmoe", "phi2", "phi3", "gemma", "gemma2",
          "gemma3", "gemma4", "stablelm", "starcoder2", "exaone", "gpt-oss", "nemotron", "seed_oss", "lfm2", "qwen35", "nomic-bert",
          "gemma-embedding"}
# Windowed layers have positions of their own: neither scaled nor with factors, and of this base unless a key says another.
OWN = {"gemma3": 10000.0, "gemma4": 10000.0, "gemma-embedding": 10000.0}
# Without rotation.
NONE = {"gpt2", "mpt", "bert"}


class Rotation:
    """The rotation of one kind of layer."""

    def __init__(self, model, windowed):
        key, self.architecture = model.key, model.architecture
        self.dimensions = key("rope.dimension_count", model.head_size)
        base, scale, yarn = key("rope.freq_base", 10000.0), scaling(key), key("rope.scaling.type") == "yarn"
        magnitude = yarn_magnitude(model, scale) if yarn else 1.0
        if windowed:
            base = key("rope.freq_base_swa", OWN.get(self.architecture, base))
            if self.architecture in (*OWN, "olmo2"):
                scale, yarn, magnitude = 1.0, False, 1.0
            self.dimensions = key("rope.dimension_count_swa", key("attention.key_length_swa", self.dimensions))
        self.magnitude = magnitude * key("rope.scaling.attn_factor", 1.0)
        index = numpy.arange(self.dimensions // 2)
        frequencies = base ** (-2.0 * index / self.dimensions)
        factors = None if windowed and self.architecture == "gemma4" else self.factors(model)
        if factors is not None:
            frequencies = frequencies / factors
        kept = ramp(model, base, self.dimensions) if yarn else 0.0
        self.frequencies = frequencies * (scale * (1 - kept) + kept)

    @staticmethod
    def factors(model):
        trained = model.key("context_length")
        longer = trained > model.key("rope.scaling.original_context_length", trained)
        name = "rope_factors_long.weight" if longer else "rope_factors_short.weight"
        return model.tensors.get(name, model.tensors.get("rope_freqs.weight"))

    def turn(self, heads, first):
        """`heads` [sequences, positions, heads, size] whose first position is `first`."""
        positions = numpy.arange(first, first + heads.shape[1])
        angles = positions[:, None] * self.frequencies
        cosine, sine = (self.magnitude * f(angles)[:, None, :] for f in (numpy.cos, numpy.sin))
        half, turned = self.dimensions // 2, heads.copy()
        if self.architecture in HALVES:
            places = slice(0, half), slice(half, self.dimensions)
        else:
            places = slice(0, self.dimensions, 2), slice(1, self.dimensions, 2)
        one, other = (heads[..., place] for place in places)
        turned[..., places[0]] = one * cosine - other * sine
        turned[..., places[1]] = one * sine + other * cosine
        return turned


def scaling(key):
    """What positions are multiplied by."""
    factor = key("rope.scaling.factor", key("rope.scale_linear", 0.0))
    return 1 / factor if factor and key("rope.scaling.type", "linear") != "none" else 1.0


def yarn_magnitude(model, scale):
    if model.architecture == "deepseek2":
        return 1.0  # latent attention has it in its scores
    length = math.log(1 / scale) if scale < 1 else 0.0
    multiplier = model.key("rope.scaling.yarn_log_multiplier", 0.0) if model.architecture == "mistral3" else 0.0
    return (1 + 0.1 * length) / (1 + 0.1 * multiplier * length)


def ramp(model, base, dimensions):
    """How much of its own frequency each pair keeps, 0 to 1 (YaRN, section 3.2)."""
    key, fast, slow = model.key, 32.0, 1.0
    if model.architecture == "mistral3":
        fast, slow = key("rope.scaling.yarn_beta_fast", fast), key("rope.scaling.yarn_beta_slow", slow)
    original = key("rope.scaling.original_context_length", key("context_length"))

    def pair(turns):
        return dimensions * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))
    low, high = max(0, math.floor(pair(fast))), min(dimensions - 1, math.ceil(pair(slow)))
    return 1 - numpy.clip((numpy.arange(dimensions // 2) - low) / max(0.001, high - low), 0, 1)
