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

TAPS, DELTA_HEADS, DELTA_KEY_HEADS, DELTA_SIZE = 4, 6, 3, 12
DELTA = {"ssm.conv_kernel": (U32, TAPS), "ssm.state_size": (U32, DELTA_SIZE), "ssm.group_count": (U32, DELTA_KEY_HEADS),
         "ssm.time_step_rank": (U32, DELTA_HEADS), "ssm.inner_size": (U32, DELTA_HEADS * DELTA_SIZE),
         "full_attention_interval": (U32, 3)}

# Layers with a window have heads of 12, others of 20; the last two use keys and values of those before.
PER_LAYER = 8
GEMMA4 = {"attention.sliding_window": (U32, 24), "attention.sliding_window_pattern": (gguf.ARRAY, (BOOL, [1, 1, 0, 1, 0])),
          "attention.key_length_swa": (U32, 12), "attention.value_length_swa": (U32, 12), "rope.dimension_count_swa": (U32, 8),
          "attention.shared_kv_layers": (U32, 2), "embedding_length_per_layer_input": (U32, PER_LAYER),
          "final_logit_softcapping": (F32, 15.0)}
RANK, QUERY_RANK, KEY, VALUE, TURNING, SHARED = 32, 24, 20, 12, 8, 2
LATENT = {"attention.kv_lora_rank": (U32, RANK), "attention.key_length_mla": (U32, KEY), "attention.value_length_mla": (U32, VALUE),
          "attention.head_count_kv": (U32, 1), "attention.key_length": (U32, RANK + TURNING), "attention.value_length": (U32, RANK),
          "rope.dimension_count": (U32, TURNING), "leading_dense_block_count": (U32, 1)}
V3 = {**LATENT, **YARN, "rope.scaling.yarn_log_multiplier": (F32, 0.1), "attention.q_lora_rank": (U32, QUERY_RANK),
      "expert_shared_count": (U32, SHARED), "expert_gating_func": (U32, 2), "expert_weights_norm": (BOOL, True),
      "expert_weights_scale": (F32, 2.5), "expert_group_count": (U32, 3), "expert_group_used_count": (U32, 2)}

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
    "llama-layers": ("llama", {"layers": 3, "kv_heads": [2, 4, 1], "wide": [96, 72, 128]}),
    "lfm2": ("lfm2", {"head_norm": "head", "layers": 4, "kv_heads": [0, 2, 0, 1], "last_norm": "token_embd_norm",
                      "keys": {"shortconv.l_cache": (U32, TAPS)}}),
    "qwen35": ("qwen35", {"head_norm": "head", "layers": 6, "gated": True, "delta": 3, "rotated": 8,
                          "ffn_norm": "post_attention_norm", "keys": DELTA}),
    "gemma4": ("gemma4", {"norms": "around", "head_norm": "head", "layers": 5, "head_size": 20, "factors": "rope_freqs",
                          "windowed": [1, 1, 0, 1, 0], "shared_kv": 2, "keys": GEMMA4}),
    "deepseek2-lite": ("deepseek2", {"latent": True, "experts": True, "layers": 2, "keys": LATENT}),
    "deepseek2-v3": ("deepseek2", {"latent": True, "experts": True, "layers": 2, "shared_count": SHARED, "query_rank": QUERY_RANK,
                                   "choice_bias": True, "keys": V3}),
    "bert": ("bert", {**LAYER_NORM, "norms": "of sums", "positions": True}),
    "nomic-bert": ("nomic-bert", {"norm": "layer", "norms": "of sums", "fused": True}),
    "gemma-embedding": ("gemma-embedding", {"norms": "around", "head_norm": "head", "layers": 6, "dense": 40,
                                            "keys": {"attention.sliding_window": (U32, 20), "dense_2_feat_out": (U32, 40)}}),
    "bert-unigram": ("bert", {**LAYER_NORM, "norms": "of sums", "positions": True, "types": 1, "vocabulary": vocabulary.unigram,
                              "keys": {"attention.causal": (BOOL, False), "pooling_type": (U32, 2)}}),
}
DEFAULTS = {"norm": "rms", "norms": "before", "second_norm": True, "ffn_norm": "ffn_norm", "fused": False, "biases": set(),
            "head_norm": None, "sinks": False, "gate": "separate", "experts": False, "shared": False, "factors": None,
            "head_size": WIDTH // HEADS, "rotated": None, "layers": 2, "head_bias": False, "keys": {}, "kv_heads": None, "wide": None,
            "gated": False, "delta": 0, "last_norm": "output_norm", "windowed": None, "shared_kv": 0, "latent": False, "query_rank": 0,
            "shared_count": 0, "choice_bias": False, "positions": False, "dense": 0, "types": 2, "vocabulary": vocabulary.sentencepiece}


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

    def convolution(self, prefix):
        self.matrix(prefix + "shortconv.in_proj", WIDTH, 3 * WIDTH)
        self.vector(prefix + "shortconv.conv.weight", TAPS, WIDTH)
        self.matrix(prefix + "shortconv.out_proj", WIDTH, WIDTH)

    def delta(self, prefix):
        values = DELTA_HEADS * DELTA_SIZE
        convolved = values + 2 * DELTA_KEY_HEADS * DELTA_SIZE
        for name, rows in (("attn_qkv", convolved), ("attn_gate", values), ("ssm_beta", DELTA_HEADS), ("ssm_alpha", DELTA_HEADS)):
            self.matrix(prefix + name, WIDTH, rows)
        self.vector(prefix + "ssm_conv1d.weight", TAPS, convolved)
        self.vector(prefix + "ssm_dt.bias", DELTA_HEADS)
        self.vector(prefix + "ssm_a", DELTA_HEADS)
        self.vector(prefix + "ssm_norm.weight", DELTA_SIZE)
        self.matrix(prefix + "ssm_out", values, WIDTH)

    def latent(self, prefix):
        if self.spec["query_rank"]:
            self.matrix(prefix + "attn_q_a", WIDTH, QUERY_RANK)
            self.vector(prefix + "attn_q_a_norm.weight", QUERY_RANK)
            self.matrix(prefix + "attn_q_b", QUERY_RANK, HEADS * KEY)
        else:
            self.matrix(prefix + "attn_q", WIDTH, HEADS * KEY)
        self.matrix(prefix + "attn_kv_a_mqa", WIDTH, RANK + TURNING)
        self.vector(prefix + "attn_kv_a_norm.weight", RANK)
        self.tensors.append((prefix + "attn_k_b.weight", (KEY - TURNING, RANK, HEADS), "f16"))
        self.tensors.append((prefix + "attn_v_b.weight", (RANK, VALUE, HEADS), "q8_0"))
        self.matrix(prefix + "attn_output", HEADS * VALUE, WIDTH)

    def windowed(self, prefix, index):
        """Heads of two sizes; values from the keys in the second layer."""
        size = 12 if self.spec["windowed"][index] else 20
        self.matrix(prefix + "attn_q", WIDTH, HEADS * size)
        self.vector(prefix + "attn_q_norm.weight", size)
        if index < self.spec["layers"] - self.spec["shared_kv"]:
            self.matrix(prefix + "attn_k", WIDTH, KV_HEADS * size)
            self.vector(prefix + "attn_k_norm.weight", size)
            if index != 1:
                self.matrix(prefix + "attn_v", WIDTH, KV_HEADS * size)
        self.matrix(prefix + "attn_output", HEADS * size, WIDTH)

    def attention(self, prefix, index):
        spec = self.spec
        if spec["latent"]:
            return self.latent(prefix)
        if spec["windowed"]:
            return self.windowed(prefix, index)
        kv_heads = spec["kv_heads"][index] if spec["kv_heads"] else KV_HEADS
        if kv_heads == 0:
            return self.convolution(prefix)
        if spec["delta"] and (index + 1) % spec["delta"]:
            return self.delta(prefix)
        query, kv = HEADS * spec["head_size"], kv_heads * spec["head_size"]
        projected = query * 2 if spec["gated"] else query
        if spec["fused"]:
            self.matrix(prefix + "attn_qkv", WIDTH, query + 2 * kv)
        else:
            for name, rows in (("attn_q", projected), ("attn_k", kv), ("attn_v", kv)):
                self.matrix(prefix + name, WIDTH, rows)
        if spec["head_norm"]:
            whole = spec["head_norm"] == "row"
            self.vector(prefix + "attn_q_norm.weight", query if whole else spec["head_size"])
            self.vector(prefix + "attn_k_norm.weight", kv if whole else spec["head_size"])
        if spec["sinks"]:
            self.vector(prefix + "attn_sinks.weight", HEADS)
        return self.matrix(prefix + "attn_output", query, WIDTH)

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
        if self.spec["choice_bias"]:
            self.vector(prefix + "exp_probs_b.bias", EXPERTS)
        if self.spec["shared"]:
            self.vector(prefix + "ffn_gate_inp_shexp.weight", WIDTH)
        wide = SHARED_WIDE if self.spec["shared"] else EXPERT_WIDE * self.spec["shared_count"]
        if wide:
            self.matrix(prefix + "ffn_gate_shexp", WIDTH, wide)
            self.matrix(prefix + "ffn_up_shexp", WIDTH, wide)
            self.matrix(prefix + "ffn_down_shexp", wide, WIDTH)

    def feed_forward(self, prefix, index):
        gate = self.spec["gate"]
        wide = self.spec["wide"][index] if self.spec["wide"] else WIDE
        if self.spec["experts"] and not (self.spec["latent"] and index == 0):
            return self.experts(prefix)
        if gate == "separate":
            self.matrix(prefix + "ffn_gate", WIDTH, wide)
        self.matrix(prefix + "ffn_up", WIDTH, wide * 2 if gate == "fused" else wide)
        return self.matrix(prefix + "ffn_down", wide, WIDTH)

    def layer(self, index):
        prefix = f"blk.{index}."
        norms = self.spec["norms"]
        if norms == "of sums":
            self.attention(prefix, index)
            self.norm(prefix + "attn_output_norm")
            self.feed_forward(prefix, index)
            return self.norm(prefix + "layer_output_norm")
        if norms != "after":
            self.norm(prefix + "attn_norm")
        self.attention(prefix, index)
        if norms != "before":
            self.norm(prefix + "post_attention_norm")
        if norms != "after" and self.spec["second_norm"]:
            self.norm(prefix + self.spec["ffn_norm"])
        self.feed_forward(prefix, index)
        if norms != "before":
            self.norm(prefix + "post_ffw_norm")
        if self.spec["windowed"]:
            self.matrix(prefix + "inp_gate", WIDTH, PER_LAYER)
            self.matrix(prefix + "proj", PER_LAYER, WIDTH)
            self.norm(prefix + "post_norm")
            self.vector(prefix + "layer_output_scale.weight", 1)
        return None

    def all_tensors(self):
        """(name, shape, format), in file order."""
        of_sums = self.spec["norms"] == "of sums"
        self.matrix("token_embd", WIDTH, TOKENS)
        if of_sums:
            self.matrix("token_types", WIDTH, self.spec["types"], "f32")
            self.norm("token_embd_norm")
        if self.spec["positions"]:
            self.matrix("position_embd", WIDTH, CONTEXT, "f32")
        if self.spec["windowed"]:
            self.matrix("per_layer_token_embd", PER_LAYER * self.spec["layers"], TOKENS)
            self.matrix("per_layer_model_proj", WIDTH, PER_LAYER * self.spec["layers"])
            self.vector("per_layer_proj_norm.weight", PER_LAYER)
        if self.spec["factors"]:
            self.vector(self.spec["factors"] + ".weight", (self.spec["rotated"] or self.spec["head_size"]) // 2)
        for index in range(self.spec["layers"]):
            self.layer(index)
        if not of_sums:
            self.norm(self.spec["last_norm"])
        if self.spec["dense"]:
            self.matrix("dense_2", WIDTH, self.spec["dense"])
            self.matrix("dense_3", self.spec["dense"], WIDTH)
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
        keys = {key: (U32, number) for key, number in numbers.items()}
        for key, own in (("attention.head_count_kv", spec["kv_heads"]), ("feed_forward_length", spec["wide"])):
            if own:
                keys[key] = (gguf.ARRAY, (gguf.INT32, own))
        keys |= {epsilon: (F32, 1e-5)} | spec["keys"]
        pairs = [gguf.pair("general.architecture", STRING, name), gguf.pair("general.name", STRING, f"random {name}")]
        pairs += [gguf.pair(f"{name}.{key}", kind, content) for key, (kind, content) in keys.items()]
        return pairs + spec["vocabulary"](TOKENS)


def draw(generator, name, shape, kind):
    """Bytes of a tensor: norms and factors above 1, biases and sinks small, activations near 1."""
    size = gguf.tensor_bytes(shape, kind)
    if name.endswith("ssm_a"):
        data = random_weights.draw(generator, size, kind, 0.5)
        data[3::4] = bytes(byte | 0x80 for byte in data[3::4])
        return data
    if name.endswith("norm.weight") or name.startswith("rope_"):
        return random_weights.draw(generator, size, kind, 1.5, False)
    if name.endswith(".bias") or "sinks" in name:
        return random_weights.draw(generator, size, kind, 0.1)
    large = 3.0 if name in ("token_embd.weight", "output.weight") else 1.0
    return random_weights.draw(generator, size, kind, large / math.sqrt(shape[0]))


def main():
    directory, wanted = sys.argv[1], sys.argv[2:] or list(MODELS)
    os.makedirs(directory, exist_ok=True)
    for seed, (name, (architecture, spec)) in enumerate(MODELS.items()):
        if name not in wanted:
            continue
        model, generator = Model(architecture, spec), random.Random(seed)
        tensors = model.all_tensors()
        infos, _ = gguf.layout(tensors)
        with open(os.path.join(directory, f"{name}.gguf"), "wb") as file:
            file.write(gguf.header(model.metadata(), infos))
            for tensor in tensors:
                data = draw(generator, *tensor)
                file.write(data + bytes(gguf.padded(len(data)) - len(data)))
    print(f"{directory}: {len(wanted)} models")


if __name__ == "__main__":
    main()
