# SPDX-License-Identifier: GPL-2.0
"""Attention of one layer, with the keys and values of the positions before."""

import math

import numpy
from rotation import NONE, Rotation

# Of so many layers the last one sees all positions.
PERIODS = {"gemma2": 2, "gemma3": 6, "gemma4": 6, "gemma-embedding": 6, "gpt-oss": 2, "olmo2": 4}

# Architectures in which all positions see all others, in windows half of them to each side.
ENCODERS = {"bert", "nomic-bert", "gemma-embedding"}

# Models whose scores are scaled by their width over their heads, not by the size of a head.
PER_HEAD = {("gemma2", 46), ("gemma3", 62)}


def softmax(scores):
    powers = numpy.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


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
        self.size, self.kv_heads = model.head_size, model.key("attention.head_count_kv", model.heads)
        if isinstance(self.kv_heads, list):
            self.kv_heads = self.kv_heads[index]
        self.normal_values = model.architecture == "gemma4"
        if self.normal_values:
            self.scale, self.size = 1.0, model.key("attention.key_length_swa") if self.window else self.size
        self.keys = self.values = None

    def source(self):
        """The attention whose keys and values this one uses: its own but in the last layers of gemma4."""
        first = self.model.layers - self.model.key("attention.shared_kv_layers", 0)
        if self.index < first:
            return self
        return self.model.mixers[first - (2 if self.window else 1)]

    def project(self, row):
        """Queries, keys and values, cut in heads and normed; queries alone where another layer has the rest."""
        model, prefix, size = self.model, self.prefix, self.size
        counts = model.heads, self.kv_heads, self.kv_heads
        if model.has(prefix + "qkv"):
            whole = model.linear(row, prefix + "qkv")
            parts = numpy.split(whole, numpy.cumsum([count * size for count in counts])[:2], axis=-1)
        else:
            parts = [model.linear(row, prefix + part) for part in "qkv" if model.has(prefix + part)]
        if len(parts) == 2:
            parts.append(parts[1])
        limit = model.key("attention.clamp_kqv")
        if limit:
            parts = [numpy.clip(part, -limit, limit) for part in parts]
        for place, name in enumerate(("q_norm", "k_norm")):
            if model.has(prefix + name) and model.tensors[f"{prefix}{name}.weight"].size > size:
                parts[place] = model.norm(parts[place], prefix + name)
        cut = [part.reshape(*part.shape[:2], count, -1) for part, count in zip(parts, counts, strict=False)]
        # qwen35: each head's gate lies behind its query.
        cut[0], gate = cut[0][..., :size], cut[0][..., size:]
        for place, name in enumerate(("q_norm", "k_norm")[:len(cut)]):
            if model.has(prefix + name) and model.tensors[f"{prefix}{name}.weight"].shape[-1] == size:
                cut[place] = model.norm(cut[place], prefix + name)
        if self.normal_values and len(cut) == 3:
            cut[2] = model.unit(cut[2])
        return gate, *cut

    def scores(self, query, first):
        """[sequences, heads, positions, positions seen], masked."""
        model = self.model
        scores = numpy.einsum("bthd,buhd->bhtu", query, self.repeated(self.source().keys)) * self.scale
        cap = model.key("attn_logit_softcapping", 50.0) if model.architecture == "gemma2" else 0
        if cap:
            scores = cap * numpy.tanh(scores / cap)
        distance = numpy.arange(first, first + query.shape[1])[:, None] - numpy.arange(scores.shape[-1])
        if model.architecture == "mpt":
            scores = scores - slopes(model.heads)[:, None, None] * distance
        if model.architecture in ENCODERS:
            return numpy.where(numpy.abs(distance) > self.window // 2, -numpy.inf, scores) if self.window else scores
        unseen = distance < 0
        if self.window:
            unseen = unseen | (distance >= self.window)
        return numpy.where(unseen, -numpy.inf, scores)

    def repeated(self, heads):
        return numpy.repeat(heads, self.model.heads // heads.shape[2], 2)

    def run(self, row, first):
        """`row` [sequences, positions, width], from position `first` on."""
        gate, query, *own = self.project(row)
        if self.rotation:
            query, *turned = [self.rotation.turn(heads, first) for heads in (query, *own[:1])]
            own[:1] = turned
        growth = self.model.key("attention.temperature_scale", 0.0) if self.model.architecture == "mistral3" else 0.0
        if growth:
            original = self.model.key("rope.scaling.original_context_length")
            steps = numpy.arange(first, first + row.shape[1]) // original
            query = query * (1 + growth * numpy.log(1.0 + steps))[:, None, None]
        if own and first:
            own = [numpy.concatenate(pair, 1) for pair in zip((self.keys, self.values), own, strict=True)]
        if own:
            self.keys, self.values = own
        scores = self.scores(query, first)
        sinks = self.model.tensors.get(f"{self.prefix}sinks.weight")
        if sinks is not None:
            column = numpy.broadcast_to(sinks[:, None, None], (*scores.shape[:3], 1))
            weights = softmax(numpy.concatenate([scores, column], -1))[..., :-1]
        else:
            weights = softmax(scores)
        out = numpy.einsum("bhtu,buhd->bthd", weights, self.repeated(self.source().values))
        out = out * sigmoid(gate) if gate.size else out
        return self.model.linear(out.reshape(*row.shape[:2], -1), self.prefix + "output")
