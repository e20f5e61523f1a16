#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a small GGUF model of each architecture, with seeded random weights: for tests that no layout or company changes a bit.

architectures.py DIRECTORY

What an architecture has beside a llama is written here once more, apart from the engine.
"""

import math
import os
import random
import sys

import gguf_writer as gguf
import random_weights
import vocabulary

WIDTH, WIDE, HEADS, KV_HEADS, TOKENS, CONTEXT = 64, 96, 4, 2, 320, 512
EXPERTS, USED, EXPERT_WIDE, SHARED_WIDE = 6, 2, 40, 72
F32, U32, BOOL, STRING = gguf.FLOAT32, gguf.UINT32, gguf.BOOL, gguf.STRING
BIASES = {"attn_q", "attn_k", "attn_v"}
ALL = BIASES | {"attn_output", "ffn_up", "ffn_down"}
LAYER_NORM = {"norm": "layer", "gate": None, "biases": ALL}
YARN = {"rope.scaling.type": (STRING, "yarn"), "rope.scaling.factor": (F32, 4.0), "rope.scaling.original_context_length": (U32, 64)}

# Name of the file: architecture and what differs from a llama.
MODELS = {
    "llama-experts": ("llama", {"experts": True}),
    "llama-yarn": ("llama", {"keys": YARN, "factors": "rope_freqs", "head_size": 24}),
    "mistral3": ("mistral3", {"keys": {**YARN, "attention.temperature_scale": (F32, 0.1), "rope.scaling.yarn_beta_fast": (F32, 16.0),
                                       "rope.scaling.yarn_log_multiplier": (F32, 1.0)}}),
    "qwen2": ("qwen2", {"biases": BIASES}),
    "qwen3": ("qwen3", {"head_norm": "head", "head_size": 32}),
    "qwen2moe": ("qwen2moe", {"biases": BIASES, "experts": True, "shared": True}),
    "qwen3moe": ("qwen3moe", {"head_norm": "head", "experts": True}),
    "olmoe": ("olmoe", {"head_norm": "row", "experts": True}),
    "olmo2": ("olmo2", {"head_norm": "row", "norms": "after", "layers": 4, "keys": {"attention.sliding_window": (U32, 40)}}),
    "gemma": ("gemma", {}),
    "gemma2": ("gemma2", {"norms": "around", "keys": {"attention.sliding_window": (U32, 24), "attn_logit_softcapping": (F32, 20.0),
                                                      "final_logit_softcapping": (F32, 15.0)}}),
    "gemma3": ("gemma3", {"norms": "around", "head_norm": "head", "layers": 6, "keys": {"attention.sliding_window": (U32, 20)}}),
    "phi2": ("phi2", {**LAYER_NORM, "second_norm": False, "rotated": 6, "head_bias": True}),
    "phi3": ("phi3", {"fused": True, "gate": "fused", "factors": "rope_factors_long",
                      "keys": {"rope.scaling.original_context_length": (U32, 128), "rope.scaling.attn_factor": (F32, 1.19)}}),
    "stablelm": ("stablelm", {"norm": "layer", "second_norm": False, "rotated": 4}),
    "starcoder2": ("starcoder2", LAYER_NORM),
    "gptneox": ("gptneox", {**LAYER_NORM, "fused": True, "rotated": 4, "keys": {"use_parallel_residual": (BOOL, True)}}),
    "falcon": ("falcon", {"norm": "layer", "gate": None, "fused": True, "second_norm": False}),
    "granite": ("granite", {"keys": {"embedding_scale": (F32, 6.0), "residual_scale": (F32, 0.4), "attention.scale": (F32, 0.11),
                                     "logit_scale": (F32, 2.0)}}),
    "minicpm": ("minicpm", {}),
    "smollm3": ("smollm3", {"layers": 4}),
    "exaone": ("exaone", {"factors": "rope_freqs"}),
    "command-r": ("command-r", {"norm": "bare layer", "second_norm": False, "keys": {"logit_scale": (F32, 0.8)}}),
    "glm4": ("glm4", {"norms": "around", "gate": "fused", "biases": BIASES, "rotated": 8}),
    "nemotron": ("nemotron", {**LAYER_NORM, "rotated": 8}),
    "seed_oss": ("seed_oss", {"biases": BIASES, "ffn_norm": "post_attention_norm"}),
    "mpt": ("mpt", {**LAYER_NORM, "fused": True, "rotated": 0, "keys": {"attention.clamp_kqv": (F32, 3.0),
                                                                       "attention.max_alibi_bias": (F32, 8.0)}}),
    "gpt-oss": ("gpt-oss", {"biases": BIASES | {"attn_output", "experts"}, "experts": True, "sinks": True, "head_size": 32,
                            "ffn_norm": "post_attention_norm", "keys": {**YARN, "attention.sliding_window": (U32, 16)}}),
}
DEFAULTS = {"norm": "rms", "norms": "before", "second_norm": True, "ffn_norm": "ffn_norm", "fused": False, "biases": set(),
            "head_norm": None, "sinks": False, "gate": "separate", "experts": False, "shared": False, "factors": None,
            "head_size": WIDTH // HEADS, "rotated": None, "layers": 2, "head_bias": False, "keys": {}}


class Model:
    """The tensors and keys of one file."""

    def __init__(self, architecture, spec):
        self.architecture, self.spec = architecture, {**DEFAULTS, **spec}
        self.tensors = []

    def matrix(self, name, columns, rows, kind=None):
        """Of 8 bits where rows are whole blocks, with a bias where the architecture has one."""
        self.tensors.append((name + ".weight", (columns, rows), kind or ("f32" if columns % 32 else "q8_0")))
        if name.rsplit(".", 1)[-1].replace("attn_qkv", "attn_q") in self.spec["biases"]:
            self.vector(name + ".bias", rows)

    def vector(self, name, *shape):
        self.tensors.append((name, shape, "f32"))

    def norm(self, name, count=WIDTH):
        self.vector(name + ".weight", count)
        if self.spec["norm"] == "layer" and count == WIDTH:
            self.vector(name + ".bias", count)

    def attention(self, prefix):
        spec = self.spec
        query, kv = HEADS * spec["head_size"], KV_HEADS * spec["head_size"]
        if spec["fused"]:
            self.matrix(prefix + "attn_qkv", WIDTH, query + 2 * kv)
        else:
            for name, rows in (("attn_q", query), ("attn_k", kv), ("attn_v", kv)):
                self.matrix(prefix + name, WIDTH, rows)
        if spec["head_norm"]:
            whole = spec["head_norm"] == "row"
            self.vector(prefix + "attn_q_norm.weight", query if whole else spec["head_size"])
            self.vector(prefix + "attn_k_norm.weight", kv if whole else spec["head_size"])
        if spec["sinks"]:
            self.vector(prefix + "attn_sinks.weight", HEADS)
        self.matrix(prefix + "attn_output", query, WIDTH)

    def experts(self, prefix):
        self.matrix(prefix + "ffn_gate_inp", WIDTH, EXPERTS, "f32")
        biased = "experts" in self.spec["biases"]
        if biased:
            self.vector(prefix + "ffn_gate_inp.bias", EXPERTS)
        for name, columns, rows in (("gate", WIDTH, EXPERT_WIDE), ("up", WIDTH, EXPERT_WIDE), ("down", EXPERT_WIDE, WIDTH)):
            kind = "f16" if columns % 32 else "q8_0"
            self.tensors.append((f"{prefix}ffn_{name}_exps.weight", (columns, rows, EXPERTS), kind))
            if biased:
                self.vector(f"{prefix}ffn_{name}_exps.bias", rows, EXPERTS)
        if self.spec["shared"]:
            self.vector(prefix + "ffn_gate_inp_shexp.weight", WIDTH)
            self.matrix(prefix + "ffn_gate_shexp", WIDTH, SHARED_WIDE)
            self.matrix(prefix + "ffn_up_shexp", WIDTH, SHARED_WIDE)
            self.matrix(prefix + "ffn_down_shexp", SHARED_WIDE, WIDTH)

    def feed_forward(self, prefix):
        gate = self.spec["gate"]
        if self.spec["experts"]:
            return self.experts(prefix)
        if gate == "separate":
            self.matrix(prefix + "ffn_gate", WIDTH, WIDE)
        self.matrix(prefix + "ffn_up", WIDTH, WIDE * 2 if gate == "fused" else WIDE)
        return self.matrix(prefix + "ffn_down", WIDE, WIDTH)

    def layer(self, prefix):
        norms = self.spec["norms"]
        if norms != "after":
            self.norm(prefix + "attn_norm")
        self.attention(prefix)
        if norms != "before":
            self.norm(prefix + "post_attention_norm")
        if norms != "after" and self.spec["second_norm"]:
            self.norm(prefix + self.spec["ffn_norm"])
        self.feed_forward(prefix)
        if norms != "before":
            self.norm(prefix + "post_ffw_norm")

    def all_tensors(self):
        """(name, shape, format), in file order."""
        self.matrix("token_embd", WIDTH, TOKENS)
        if self.spec["factors"]:
            self.vector(self.spec["factors"] + ".weight", (self.spec["rotated"] or self.spec["head_size"]) // 2)
        for index in range(self.spec["layers"]):
            self.layer(f"blk.{index}.")
        self.norm("output_norm")
        if self.spec["head_bias"]:
            self.matrix("output", WIDTH, TOKENS)
            self.vector("output.bias", TOKENS)
        return self.tensors

    def metadata(self):
        spec, name = self.spec, self.architecture
        numbers = {"context_length": CONTEXT, "embedding_length": WIDTH, "block_count": spec["layers"], "feed_forward_length": WIDE,
                   "attention.head_count": HEADS, "attention.head_count_kv": KV_HEADS, "attention.key_length": spec["head_size"],
                   "attention.value_length": spec["head_size"]}
        if spec["rotated"]:
            numbers["rope.dimension_count"] = spec["rotated"]
        if spec["experts"]:
            numbers |= {"expert_count": EXPERTS, "expert_used_count": USED, "expert_feed_forward_length": EXPERT_WIDE}
        if spec["shared"]:
            numbers["expert_shared_feed_forward_length"] = SHARED_WIDE
        epsilon = "attention.layer_norm_rms_epsilon" if spec["norm"] == "rms" else "attention.layer_norm_epsilon"
        keys = {key: (U32, number) for key, number in numbers.items()} | {epsilon: (F32, 1e-5)} | spec["keys"]
        pairs = [gguf.pair("general.architecture", STRING, name), gguf.pair("general.name", STRING, f"random {name}")]
        pairs += [gguf.pair(f"{name}.{key}", kind, content) for key, (kind, content) in keys.items()]
        return pairs + vocabulary.sentencepiece(TOKENS)


def draw(generator, name, shape, kind):
    """Bytes of a tensor: norms and factors above 1, biases and sinks small, activations near 1."""
    size = gguf.tensor_bytes(shape, kind)
    if name.endswith("norm.weight") or name.startswith("rope_"):
        return random_weights.draw(generator, size, kind, 1.5, False)
    if name.endswith(".bias") or "sinks" in name:
        return random_weights.draw(generator, size, kind, 0.1)
    large = 3.0 if name in ("token_embd.weight", "output.weight") else 1.0
    return random_weights.draw(generator, size, kind, large / math.sqrt(shape[0]))


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    for seed, (name, (architecture, spec)) in enumerate(MODELS.items()):
        model, generator = Model(architecture, spec), random.Random(seed)
        tensors = model.all_tensors()
        infos, _ = gguf.layout(tensors)
        with open(os.path.join(directory, f"{name}.gguf"), "wb") as file:
            file.write(gguf.header(model.metadata(), infos))
            for tensor in tensors:
                data = draw(generator, *tensor)
                file.write(data + bytes(gguf.padded(len(data)) - len(data)))
    print(f"{directory}: {len(MODELS)} models")


if __name__ == "__main__":
    main()
