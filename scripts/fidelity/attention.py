# SPDX-License-Identifier: GPL-2.0
"""Attention of one layer, with the keys and values of the positions before."""

import math

import numpy
from rotation import NONE, Rotation

# Of so many layers the last one sees all positions.
PERIODS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "olmo2": 4}

# Models whose scores are scaled by their width over their heads, not by the size of a head.
PER_HEAD = {("gemma2", 46), ("gemma3", 62)}


def softmax(scores):
    powers = numpy.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def slopes(heads):
    """Of ALiBi: a geometric series, and half steps where the heads are no power of two."""
    whole = 2 ** math.floor(math.log2(heads))
    exponents = [8 / whole * (head + 1) if head < whole else 4 / whole * (2 * (head - whole) + 1) for head in range(heads)]
    return 2.0 ** -numpy.array(exponents)


def window(model, layer):
    """Positions that the layer sees; 0 for all."""
    size = model.key("attention.sliding_window", 4096 if model.architecture == "gemma2" else 0)
    period = PERIODS.get(model.architecture)
    pattern = model.key("attention.sliding_window_pattern")
    if period is None:
        return 0
    if isinstance(pattern, list):
        return size if pattern[layer] else 0
    period = pattern or period
    return size if layer % period < period - 1 else 0


class Attention:
    """The attention of layer `index` of `model`."""

    def __init__(self, model, index):
        self.model, self.index, self.window = model, index, window(model, index)
        self.prefix = f"blk.{index}.attn_"
        unturned = model.architecture in NONE or (model.architecture == "smollm3" and index % 4 == 3)
        self.rotation = None if unturned else Rotation(model, bool(self.window))
        few = (model.architecture, model.layers) in PER_HEAD
        size = model.width // model.heads if few else model.head_size
        self.scale = model.key("attention.scale") or 1 / math.sqrt(size)
        self.keys = self.values = None

    def project(self, row):
        """Queries, keys and values, cut in heads and normed."""
        model, prefix = self.model, self.prefix
        size = model.head_size
        counts = model.heads, model.kv_heads, model.kv_heads
        if model.has(prefix + "qkv"):
            whole = model.linear(row, prefix + "qkv")
            parts = numpy.split(whole, numpy.cumsum([count * size for count in counts])[:2], axis=-1)
        else:
            parts = [model.linear(row, prefix + part) for part in "qkv"]
        limit = model.key("attention.clamp_kqv")
        if limit:
            parts = [numpy.clip(part, -limit, limit) for part in parts]
        for place, name in enumerate(("q_norm", "k_norm")):
            if model.has(prefix + name) and model.tensors[f"{prefix}{name}.weight"].size == parts[place].shape[-1] > size:
                parts[place] = model.norm(parts[place], prefix + name)
        cut = [part.reshape(*part.shape[:2], count, size) for part, count in zip(parts, counts, strict=True)]
        for place, name in enumerate(("q_norm", "k_norm")):
            if model.has(prefix + name) and model.tensors[f"{prefix}{name}.weight"].shape[-1] == size:
                cut[place] = model.norm(cut[place], prefix + name)
        return cut

    def scores(self, query, first):
        """[sequences, heads, positions, positions seen], masked."""
        model = self.model
        scores = numpy.einsum("bthd,buhd->bhtu", query, self.repeated(self.keys)) * self.scale
        cap = model.key("attn_logit_softcapping", 50.0) if model.architecture == "gemma2" else 0
        if cap:
            scores = cap * numpy.tanh(scores / cap)
        distance = numpy.arange(first, first + query.shape[1])[:, None] - numpy.arange(scores.shape[-1])
        if model.architecture == "mpt":
            scores = scores - slopes(model.heads)[:, None, None] * distance
        unseen = distance < 0
        if self.window:
            unseen = unseen | (distance >= self.window)
        return numpy.where(unseen, -numpy.inf, scores)

    def repeated(self, heads):
        return numpy.repeat(heads, self.model.heads // self.model.kv_heads, 2)

    def run(self, row, first):
        """`row` [sequences, positions, width], from position `first` on."""
        query, key, value = self.project(row)
        if self.rotation:
            query, key = self.rotation.turn(query, first), self.rotation.turn(key, first)
        growth = self.model.key("attention.temperature_scale", 0.0) if self.model.architecture == "mistral3" else 0.0
        if growth:
            original = self.model.key("rope.scaling.original_context_length")
            steps = numpy.arange(first, first + row.shape[1]) // original
            query = query * (1 + growth * numpy.log(1.0 + steps))[:, None, None]
        if first:
            key, value = (numpy.concatenate(pair, 1) for pair in ((self.keys, key), (self.values, value)))
        self.keys, self.values = key, value
        scores = self.scores(query, first)
        sinks = self.model.tensors.get(f"{self.prefix}sinks.weight")
        if sinks is not None:
            column = numpy.broadcast_to(sinks[:, None, None], (*scores.shape[:3], 1))
            weights = softmax(numpy.concatenate([scores, column], -1))[..., :-1]
        else:
            weights = softmax(scores)
        out = numpy.einsum("bhtu,buhd->bthd", weights, self.repeated(self.values))
        return self.model.linear(out.reshape(*row.shape[:2], -1), self.prefix + "output")
