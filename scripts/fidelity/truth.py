# SPDX-License-Identifier: GPL-2.0
"""The model in float64, from its equations: what both engines are measured against.

It shares no code and no table with the engine. Which norms a layer has and whether its branches are parallel is taken from
the tensors that are there; what no tensor shows is listed by architecture.
"""

import math

import numpy
import tensors
from attention import ENCODERS
from feed_forward import feed_forward, gelu
from mixing import mixer

# The architectures it knows.
KNOWN = {"llama", "mistral3", "qwen2", "qwen3", "qwen2moe", "qwen3moe", "olmoe", "olmo2", "gemma", "gemma2", "gemma3", "phi2",
         "phi3", "stablelm", "starcoder2", "gptneox", "falcon", "granite", "minicpm", "smollm3", "exaone", "command-r", "glm4",
         "nemotron", "seed_oss", "mpt", "gpt2", "gpt-oss", "lfm2", "qwen35", "gemma4", "deepseek2", *ENCODERS}


class Unknown(Exception):
    """An architecture that has no pass here."""


class Model:
    """A model whose file is of plain numbers."""

    def __init__(self, path):
        self.metadata, self.tensors = tensors.read(path)
        self.architecture = self.metadata["general.architecture"]
        if self.architecture not in KNOWN:
            raise Unknown(self.architecture)
        self.width, self.layers = self.key("embedding_length"), self.key("block_count")
        self.heads = one(self.key("attention.head_count"))
        self.head_size = self.key("attention.key_length", self.width // self.heads)
        root = self.key("attention.layer_norm_rms_epsilon")
        self.epsilon, self.centered = (root, False) if root is not None else (self.key("attention.layer_norm_epsilon"), True)
        self.mixers = [mixer(self, index) for index in range(self.layers)]
        self.first = 0

    def key(self, name, missing=None):
        return self.metadata.get(f"{self.architecture}.{name}", missing)

    def has(self, name):
        return name + ".weight" in self.tensors

    def unit(self, row):
        """Divided by the root of the mean square."""
        return row / numpy.sqrt((row * row).mean(-1, keepdims=True) + self.epsilon)

    def norm(self, row, name):
        if self.centered:
            row = row - row.mean(-1, keepdims=True)
        row = self.unit(row) * self.tensors[name + ".weight"]
        bias = self.tensors.get(name + ".bias")
        return row if bias is None else row + bias

    def linear(self, row, name):
        product = row @ self.tensors[name + ".weight"].T
        bias = self.tensors.get(name + ".bias")
        return product if bias is None else product + bias

    def embed(self, ids):
        row = self.tensors["token_embd.weight"][ids]
        if "token_types.weight" in self.tensors:
            row = row + self.tensors["token_types.weight"].reshape(-1, self.width)[0]
        if "position_embd.weight" in self.tensors:
            row = row + self.tensors["position_embd.weight"][self.first:self.first + ids.shape[1]]
        if self.architecture.startswith("gemma"):
            return row * math.sqrt(self.width)
        return row * (self.key("embedding_scale") or (12.0 if self.architecture == "minicpm" else 1.0))

    def branches(self, row, index):
        """The layer's output from its input."""
        prefix, mixing = f"blk.{index}.", self.mixers[index]
        if self.has(prefix + "layer_output_norm"):
            row = self.norm(row + mixing.run(row, self.first), prefix + "attn_output_norm")
            return self.norm(row + feed_forward(self, row, prefix), prefix + "layer_output_norm")
        around = self.has(prefix + "post_ffw_norm")
        second = "ffn_norm" if self.has(prefix + "ffn_norm") or around else "post_attention_norm"
        scale = self.key("residual_scale") or (1.4 / math.sqrt(self.layers) if self.architecture == "minicpm" else 1.0)
        normed = self.norm(row, prefix + "attn_norm") if self.has(prefix + "attn_norm") else row
        if (not self.has(prefix + second) and not around) or self.key("use_parallel_residual"):
            apart = self.norm(row, prefix + "attn_norm_2") if self.has(prefix + "attn_norm_2") else normed
            other = self.norm(row, prefix + second) if self.has(prefix + second) else normed
            return row + mixing.run(apart, self.first) + feed_forward(self, other, prefix)
        seen = mixing.run(normed, self.first)
        row = row + scale * (self.norm(seen, prefix + "post_attention_norm") if around else seen)
        other = self.norm(row, prefix + second) if self.has(prefix + second) else row
        made = feed_forward(self, other, prefix)
        return row + scale * (self.norm(made, prefix + "post_ffw_norm") if around else made)

    def of_tokens(self, ids, row):
        """What each token gives each layer of its own, [layers, sequences, positions, width]; None where nothing does."""
        width = self.key("embedding_length_per_layer_input")
        if not width:
            return None
        given = self.tensors["per_layer_token_embd.weight"][ids] * math.sqrt(width)
        made = row @ self.tensors["per_layer_model_proj.weight"].T / math.sqrt(self.width)
        given, made = (part.reshape(*ids.shape, self.layers, width) for part in (given, made))
        return numpy.moveaxis((self.norm(made, "per_layer_proj_norm") + given) / math.sqrt(2), 2, 0)

    def after(self, row, index, given):
        """The layer's output with what the token gives it, in the layer's scale."""
        prefix = f"blk.{index}."
        if given is not None:
            inner = gelu(self.linear(row, prefix + "inp_gate")) * given[index]
            row = row + self.norm(self.linear(inner, prefix + "proj"), prefix + "post_norm")
        scale = self.tensors.get(prefix + "layer_output_scale.weight")
        return row if scale is None else row * scale

    def hidden(self, ids, more=False):
        """What is left of `ids` [sequences, positions] behind the last norm; with `more` behind those of the last call."""
        self.first = self.first if more else 0
        row = self.embed(ids)
        if self.architecture.endswith("bert"):
            row = self.norm(row, "token_embd_norm")
        given = self.of_tokens(ids, row)
        for index in range(self.layers):
            row = self.after(self.branches(row, index), index, given)
        self.first += ids.shape[1]
        if self.architecture.endswith("bert"):
            return row
        row = self.norm(row, "output_norm" if self.has("output_norm") else "token_embd_norm")
        for name in ("dense_2", "dense_3"):
            row = self.linear(row, name) if self.has(name) else row
        return row

    def logits(self, ids, more=False):
        """[sequences, positions, vocabulary]"""
        return self.scaled(self.linear(self.hidden(ids, more), "output" if self.has("output") else "token_embd"))

    def scaled(self, logits):
        factor = self.key("logit_scale")
        if self.architecture == "minicpm":
            logits = logits / (factor or 256.0 / self.width)
        elif self.architecture == "granite":
            logits = logits / factor
        elif self.architecture == "command-r":
            logits = logits * factor
        cap = self.key("final_logit_softcapping", 30.0 if self.architecture == "gemma2" else 0.0)
        return cap * numpy.tanh(logits / cap) if cap else logits

    def greedy(self, ids, count):
        """`count` most likely tokens behind `ids` [sequences, positions], one after the other."""
        logits, found = self.logits(ids)[:, -1], []
        for _ in range(count):
            found.append(logits.argmax(-1)[:, None])
            logits = self.logits(found[-1], more=True)[:, -1]
        return numpy.concatenate(found, 1)


def one(number):
    """The number of a key that may give one for each layer, all the same."""
    if isinstance(number, list):
        if len(set(number)) != 1:
            raise Unknown("layers that differ")
        return number[0]
    return number
