#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes one malformed file per defect, and REASONS: the refusal (SISLM_LOAD_*) that each must meet; usage: malformed.py DIRECTORY"""

import os
import random
import struct
import sys

import gguf_writer as gguf
import random_weights
import vocabulary

WIDTH, WIDE, VOCABULARY = 32, 64, 40


class Model:
    """A sound llama model, small enough to commit dozens of it, that a defect is put into before it is written."""

    def __init__(self, layers=1):
        self.pairs = {
            "general.architecture": (gguf.STRING, "llama"),
            "general.name": (gguf.STRING, "base"),
            "general.alignment": (gguf.UINT32, gguf.ALIGNMENT),
            "llama.context_length": (gguf.UINT32, 64),
            "llama.embedding_length": (gguf.UINT32, WIDTH),
            "llama.block_count": (gguf.UINT32, layers),
            "llama.feed_forward_length": (gguf.UINT32, WIDE),
            "llama.attention.head_count": (gguf.UINT32, 4),
            "llama.attention.head_count_kv": (gguf.UINT32, 2),
            "llama.rope.dimension_count": (gguf.UINT32, 8),
            "llama.rope.freq_base": (gguf.FLOAT32, 10000.0),
            "llama.attention.layer_norm_rms_epsilon": (gguf.FLOAT32, 1e-5),
        }
        self.raw_pairs = vocabulary.sentencepiece(VOCABULARY, byte_tokens=False)
        self.raw_tail = []
        self.tensors = []
        layer = (
            ("attn_norm", (WIDTH,), "f32"), ("attn_q", (WIDTH, WIDTH), "q8_0"), ("attn_k", (WIDTH, 16), "q8_0"),
            ("attn_v", (WIDTH, 16), "q8_0"), ("attn_output", (WIDTH, WIDTH), "q4_0"), ("ffn_norm", (WIDTH,), "f32"),
            ("ffn_gate", (WIDTH, WIDE), "q4_0"), ("ffn_up", (WIDTH, WIDE), "q4_0"), ("ffn_down", (WIDE, WIDTH), "q4_0"))
        layers = [(f"blk.{number}.{name}", shape, kind) for number in range(layers) for name, shape, kind in layer]
        for name, shape, kind in (("token_embd", (WIDTH, VOCABULARY), "f16"), *layers, ("output_norm", (WIDTH,), "f32")):
            self.tensors.append({"name": name + ".weight", "shape": shape, "kind": kind})
        self.data, generator = bytearray(), random.Random(1)
        for tensor in self.tensors:
            size = gguf.tensor_bytes(tensor["shape"], tensor["kind"])
            tensor["offset"] = len(self.data)
            self.data += random_weights.draw(generator, size, tensor["kind"], 0.2) + bytes(gguf.padded(size) - size)
        self.header = {}
        self.cut = 0

    def add(self, name, shape, kind, data):
        """A tensor more, at the end."""
        self.tensors.append({"name": name, "shape": shape, "kind": kind, "offset": len(self.data)})
        self.data += data + bytes(gguf.padded(len(data)) - len(data))

    def narrow(self, kind, element):
        """Norms become of two bytes a value: `element` makes them from a float's four."""
        for tensor in [tensor for tensor in self.tensors if "norm" in tensor["name"]]:
            size, offset = gguf.tensor_bytes(tensor["shape"], "f32"), tensor["offset"]
            values = [bytes(self.data[at:at + 4]) for at in range(offset, offset + size, 4)]
            self.data[offset:offset + size] = b"".join(map(element, values)).ljust(size, b"\0")
            tensor["kind"] = kind

    def tensor(self, name):
        return next(tensor for tensor in self.tensors if tensor["name"] == name + ".weight")

    def strike(self, name):
        self.tensors.remove(self.tensor(name))

    def vocabulary(self, **changes):
        """Changes lists of the vocabulary: tokens, scores, token_type as (element type, list), or drops one (None)."""
        base = vocabulary.sentencepiece(VOCABULARY, byte_tokens=False)
        keys = ("model", "tokens", "scores", "token_type", "bos_token_id", "eos_token_id", "unknown_token_id",
                "add_bos_token", "add_eos_token", "add_space_prefix")
        self.raw_pairs = []
        for key, encoded in zip(keys, base):
            if key not in changes:
                self.raw_pairs.append(encoded)
            elif changes[key] is not None:
                self.raw_pairs.append(gguf.pair("tokenizer.ggml." + key, *changes[key]))

    def bytes(self):
        pairs = [gguf.pair(key, *content) for key, content in self.pairs.items()] + self.raw_pairs + self.raw_tail
        infos = [gguf.tensor_info(t["name"], t["shape"], t["kind"], t["offset"]) for t in self.tensors]
        whole = gguf.header(pairs, infos, **self.header) + bytes(self.data)
        return whole[:len(whole) - self.cut] if self.cut else whole


DEFECTS = []


def defect(name, reason, subject="-"):
    def add(edit):
        DEFECTS.append((name, reason, "-" if reason == "OK" else subject, edit))
        return edit
    return add


def header_defect(name, reason, **fields):
    defect(name, reason)(lambda model: model.header.update(fields))


def pair_defect(name, reason, key, kind=None, content=None):
    def edit(model):
        if kind is None:
            del model.pairs[key]
        else:
            model.pairs[key] = (kind, content)
    defect(name, reason, key)(edit)


def raw_defect(name, reason, encoded):
    """An extra metadata entry at the end of the metadata, as these bytes."""
    defect(name, reason)(lambda model: model.raw_tail.append(encoded))


def extra_defect(name, reason, subject, *extra, layers=1):
    """Further metadata entries (key, type, value) at the end of the metadata, in the place of any with their keys."""
    def edit(model):
        if layers != 1:
            model.__init__(layers)
        for key, kind, content in extra:
            model.pairs.pop(key, None)
            model.raw_tail.append(gguf.pair(key, kind, content))
    defect(name, reason, subject)(edit)


def vocabulary_defect(name, reason, key, content):
    defect(name, reason, "tokenizer.ggml." + key)(lambda model: model.vocabulary(**{key: content}))


def tensor_defect(name, reason, tensor, **changes):
    defect(name, reason, tensor + ".weight")(lambda model: model.tensor(tensor).update(changes))


def data_defect(name, tensor, at, value):
    def edit(model):
        offset = model.tensor(tensor)["offset"] + at
        model.data[offset:offset + len(value)] = value
    defect(name, "NOT_FINITE", tensor + ".weight")(edit)


# The file's head.
header_defect("magic", "NOT_GGUF", magic=b"GGML")
header_defect("version-1", "VERSION", version=1)
header_defect("version-4", "VERSION", version=4)
header_defect("version-big-endian", "VERSION", version=0x03000000)
header_defect("count-tensors-huge", "COUNT", tensor_count=1 << 63)
header_defect("count-tensors-max", "COUNT", tensor_count=(1 << 64) - 1)
header_defect("count-pairs-huge", "COUNT", pair_count=1 << 63)
header_defect("count-pairs-max", "COUNT", pair_count=(1 << 64) - 1)
header_defect("count-tensors-none", "TENSOR_MISSING", tensor_count=0)
header_defect("count-pairs-none", "KEY_MISSING,MALFORMED,COUNT,TRUNCATED", pair_count=0)
header_defect("count-pairs-one-more", "MALFORMED,COUNT,TRUNCATED", pair_count=23)
header_defect("count-tensors-one-more", "MALFORMED,COUNT,TRUNCATED,TENSOR_SHAPE,TENSOR_TYPE", tensor_count=12)
defect("truncated-data", "TRUNCATED,TENSOR_BOUNDS")(lambda model: setattr(model, "cut", 1))

# Structure of the metadata.
raw_defect("key-length-huge", "COUNT", struct.pack("<Q", 1 << 63) + b"x")
raw_defect("key-length-max", "COUNT", struct.pack("<Q", (1 << 64) - 1) + b"x")
raw_defect("key-empty", "MALFORMED,COUNT", gguf.pair("", gguf.UINT32, 1))
raw_defect("key-duplicate", "MALFORMED", gguf.pair("llama.block_count", gguf.UINT32, 1))
raw_defect("value-type-unknown", "MALFORMED", gguf.string("x") + struct.pack("<I", 13))
raw_defect("value-type-max", "MALFORMED", gguf.string("x") + struct.pack("<I", 0xFFFFFFFF))
raw_defect("string-length-huge", "COUNT,TRUNCATED", gguf.string("x") + struct.pack("<IQ", gguf.STRING, 1 << 62))
raw_defect("array-count-huge", "COUNT,TRUNCATED", gguf.string("x") + struct.pack("<IIQ", gguf.ARRAY, gguf.UINT64, 1 << 61))
raw_defect("array-type-unknown", "MALFORMED", gguf.string("x") + struct.pack("<IIQ", gguf.ARRAY, 77, 1))
raw_defect("array-nested", "MALFORMED,COUNT", gguf.string("x") + struct.pack("<I", gguf.ARRAY) + struct.pack("<IQ", gguf.ARRAY, 1) * 1000)

# Metadata that is needed, its types and ranges.
pair_defect("alignment-0", "KEY_VALUE", "general.alignment", gguf.UINT32, 0)
pair_defect("alignment-24", "KEY_VALUE", "general.alignment", gguf.UINT32, 24)
pair_defect("alignment-2-to-31", "KEY_VALUE", "general.alignment", gguf.UINT32, 1 << 31)
pair_defect("alignment-type", "KEY_TYPE", "general.alignment", gguf.STRING, "32")
pair_defect("architecture-missing", "KEY_MISSING", "general.architecture")
pair_defect("architecture-type", "KEY_TYPE", "general.architecture", gguf.UINT32, 1)
pair_defect("architecture-unknown", "ARCHITECTURE", "general.architecture", gguf.STRING, "mamba")
for short in ("context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count"):
    slug = short.replace("attention.", "").replace("_", "-")
    pair_defect(slug + "-missing", "KEY_MISSING", "llama." + short)
    pair_defect(slug + "-type", "KEY_TYPE", "llama." + short, gguf.STRING, "4")
    pair_defect(slug + "-0", "KEY_VALUE", "llama." + short, gguf.UINT32, 0)
    pair_defect(slug + "-max", "KEY_VALUE,COUNT,TENSOR_SHAPE,TENSOR_MISSING" if short != "context_length" else "KEY_VALUE,COUNT,LIMIT",
                "llama." + short, gguf.UINT32, 0xFFFFFFFF)
pair_defect("epsilon-missing", "KEY_MISSING", "llama.attention.layer_norm_rms_epsilon")
pair_defect("epsilon-type", "KEY_TYPE", "llama.attention.layer_norm_rms_epsilon", gguf.UINT32, 1)
pair_defect("epsilon-nan", "KEY_VALUE", "llama.attention.layer_norm_rms_epsilon", gguf.FLOAT32, float("nan"))
pair_defect("epsilon-negative", "KEY_VALUE", "llama.attention.layer_norm_rms_epsilon", gguf.FLOAT32, -1.0)
pair_defect("heads-do-not-divide", "KEY_VALUE,TENSOR_SHAPE", "llama.attention.head_count", gguf.UINT32, 3)
pair_defect("kv-heads-0", "KEY_VALUE", "llama.attention.head_count_kv", gguf.UINT32, 0)
pair_defect("kv-heads-do-not-divide", "KEY_VALUE", "llama.attention.head_count_kv", gguf.UINT32, 3)
pair_defect("rope-dimensions-odd", "KEY_VALUE", "llama.rope.dimension_count", gguf.UINT32, 7)
pair_defect("rope-dimensions-over-head", "KEY_VALUE", "llama.rope.dimension_count", gguf.UINT32, 64)
pair_defect("rope-base-0", "KEY_VALUE", "llama.rope.freq_base", gguf.FLOAT32, 0.0)
pair_defect("rope-base-infinite", "KEY_VALUE", "llama.rope.freq_base", gguf.FLOAT32, float("inf"))

# What asks for mathematics that are not there, and what only looks like it.
extra_defect("rope-scaling-linear", "OK", "-",
             ("llama.rope.scaling.type", gguf.STRING, "linear"), ("llama.rope.scaling.factor", gguf.FLOAT32, 4.0))
extra_defect("rope-scaling-without-type", "OK", "-", ("llama.rope.scale_linear", gguf.FLOAT32, 2.0))
extra_defect("rope-scaling-yarn", "OK", "-",
             ("llama.rope.scaling.factor", gguf.FLOAT32, 4.0), ("llama.rope.scaling.type", gguf.STRING, "yarn"))
extra_defect("rope-scaling-none", "OK", "-",
             ("llama.rope.scaling.factor", gguf.FLOAT32, 4.0), ("llama.rope.scaling.type", gguf.STRING, "none"))
extra_defect("rope-scaling-unknown", "UNSUPPORTED", "llama.rope.scaling.type",
             ("llama.rope.scaling.factor", gguf.FLOAT32, 4.0), ("llama.rope.scaling.type", gguf.STRING, "su"))
extra_defect("rope-attention-factor", "OK", "-", ("llama.rope.scaling.attn_factor", gguf.FLOAT32, 1.5))
extra_defect("rope-attention-factor-0", "KEY_VALUE", "llama.rope.scaling.attn_factor",
             ("llama.rope.scaling.attn_factor", gguf.FLOAT32, 0.0))
extra_defect("experts-of-none", "TENSOR_UNKNOWN", "blk.0.ffn_gate.weight",
             ("llama.expert_used_count", gguf.UINT32, 2), ("llama.expert_count", gguf.UINT32, 8))
extra_defect("experts-too-many-used", "KEY_VALUE", "llama.expert_used_count",
             ("llama.expert_used_count", gguf.UINT32, 9), ("llama.expert_count", gguf.UINT32, 8))
extra_defect("experts-too-many", "KEY_VALUE", "llama.expert_count",
             ("llama.expert_used_count", gguf.UINT32, 2), ("llama.expert_count", gguf.UINT32, 100000))
extra_defect("experts-none", "OK", "-", ("llama.expert_count", gguf.UINT32, 0), ("llama.expert_used_count", gguf.UINT32, 0))
extra_defect("attention-scale", "OK", "-", ("llama.attention.scale", gguf.FLOAT32, 0.1))
extra_defect("attention-scale-negative", "KEY_VALUE", "llama.attention.scale", ("llama.attention.scale", gguf.FLOAT32, -0.1))
extra_defect("attention-not-causal", "UNSUPPORTED", "llama.attention.causal", ("llama.attention.causal", gguf.BOOL, False))
extra_defect("attention-value-length", "UNSUPPORTED", "llama.attention.value_length",
             ("llama.attention.value_length", gguf.UINT32, 4))
extra_defect("soft-cap", "UNSUPPORTED", "llama.attn_logit_softcapping", ("llama.attn_logit_softcapping", gguf.FLOAT32, 50.0))
extra_defect("key-unknown", "UNSUPPORTED", "llama.a_new.idea", ("llama.a_new.idea", gguf.UINT32, 1))
extra_defect("key-of-another-architecture", "OK", "-", ("gemma.a_new.idea", gguf.UINT32, 1))
extra_defect("sliding-window", "OK", "-", ("llama.attention.sliding_window", gguf.UINT32, 16))
extra_defect("adapter", "UNSUPPORTED", "general.type", ("general.type", gguf.STRING, "adapter"))
extra_defect("split-first", "SPLIT", "split.count", ("split.count", gguf.UINT16, 2), ("split.no", gguf.UINT16, 0))
extra_defect("split-of-one", "OK", "-", ("split.count", gguf.UINT16, 1), ("split.no", gguf.UINT16, 0))


@defect("split-second", "SPLIT", "split.count")
def split_second(model):
    """It has no keys of the model, and the last tensor."""
    model.pairs.clear()
    model.raw_pairs, model.tensors = [], model.tensors[-1:]
    model.raw_tail = [gguf.pair("split.no", gguf.UINT16, 1), gguf.pair("split.count", gguf.UINT16, 2)]
    model.data = model.data[model.tensors[0]["offset"]:]
    model.tensors[0]["offset"] = 0


# Keys of layers as arrays, and keys in another order.
def u32s(*values):
    return gguf.ARRAY, (gguf.UINT32, list(values))


extra_defect("layers-alike", "OK", "-", ("llama.attention.head_count", *u32s(4, 4)),
             ("llama.attention.head_count_kv", gguf.ARRAY, (gguf.INT32, [2, 2])),
             ("llama.feed_forward_length", *u32s(WIDE, WIDE)), layers=2)
extra_defect("layers-differ", "TENSOR_SHAPE", "blk.1.attn_k.weight",
             ("llama.attention.head_count_kv", *u32s(2, 1)), layers=2)
extra_defect("layers-too-many", "KEY_VALUE", "llama.attention.head_count_kv",
             ("llama.attention.head_count_kv", *u32s(2, 2, 2)), layers=2)
extra_defect("layers-negative", "KEY_VALUE", "llama.feed_forward_length",
             ("llama.feed_forward_length", gguf.ARRAY, (gguf.INT32, [-1, -1])), layers=2)
extra_defect("layers-no-numbers", "KEY_TYPE", "llama.feed_forward_length",
             ("llama.feed_forward_length", gguf.ARRAY, (gguf.STRING, ["64"])))


@defect("keys-reversed", "OK")
def keys_reversed(model):
    model.pairs = dict(reversed(model.pairs.items()))
    model.raw_pairs.reverse()


@defect("architecture-last", "UNSUPPORTED", "llama.a_new.idea")
def architecture_last(model):
    """What stands before the architecture counts."""
    architecture = model.pairs.pop("general.architecture")
    model.pairs = {"llama.a_new.idea": (gguf.UINT32, 8), **model.pairs, "general.architecture": architecture}


# The vocabulary.
vocabulary_defect("tokenizer-missing", "KEY_MISSING", "model", None)
vocabulary_defect("tokenizer-unknown", "TOKENIZER", "model", (gguf.STRING, "rwkv"))
vocabulary_defect("tokens-missing", "KEY_MISSING", "tokens", None)
vocabulary_defect("tokens-type", "KEY_TYPE", "tokens", (gguf.ARRAY, (gguf.UINT32, list(range(VOCABULARY)))))
vocabulary_defect("tokens-no-array", "KEY_TYPE", "tokens", (gguf.UINT32, VOCABULARY))
vocabulary_defect("tokens-none", "KEY_VALUE,VOCABULARY,COUNT,TENSOR_SHAPE", "tokens", (gguf.ARRAY, (gguf.STRING, [])))
vocabulary_defect("tokens-too-few", "VOCABULARY,TENSOR_SHAPE,KEY_VALUE", "tokens", (gguf.ARRAY, (gguf.STRING, ["<unk>", "<s>", "</s>"])))
vocabulary_defect("tokens-too-long", "COUNT", "tokens", (gguf.ARRAY, (gguf.STRING, ["x" * 2000] * VOCABULARY)))
vocabulary_defect("scores-missing", "OK", "scores", None)
vocabulary_defect("scores-too-few", "VOCABULARY", "scores", (gguf.ARRAY, (gguf.FLOAT32, [0.0] * 3)))
vocabulary_defect("scores-type", "KEY_TYPE", "scores", (gguf.ARRAY, (gguf.UINT32, [0] * VOCABULARY)))
vocabulary_defect("scores-nan", "VOCABULARY", "scores", (gguf.ARRAY, (gguf.FLOAT32, [float("nan")] * VOCABULARY)))
vocabulary_defect("token-types-too-few", "VOCABULARY", "token_type", (gguf.ARRAY, (gguf.INT32, [1] * 3)))
vocabulary_defect("token-types-unknown", "VOCABULARY", "token_type", (gguf.ARRAY, (gguf.INT32, [99] * VOCABULARY)))
vocabulary_defect("bos-outside", "OK", "bos_token_id", (gguf.UINT32, VOCABULARY))
vocabulary_defect("eos-outside", "OK", "eos_token_id", (gguf.UINT32, 0xFFFFFFF0))
extra_defect("add-sep-token", "UNSUPPORTED", "tokenizer.ggml.add_sep_token", ("tokenizer.ggml.add_sep_token", gguf.BOOL, True))
extra_defect("tokenizer-key-unknown", "UNSUPPORTED", "tokenizer.ggml.normalizer.replace",
             ("tokenizer.ggml.normalizer.replace", gguf.BOOL, True))
extra_defect("eot-outside", "OK", "-", ("tokenizer.ggml.eot_token_id", gguf.UINT32, VOCABULARY))
extra_defect("eot-type", "KEY_TYPE", "tokenizer.ggml.eot_token_id", ("tokenizer.ggml.eot_token_id", gguf.STRING, "2"))
vocabulary_defect("add-eos-type", "KEY_TYPE", "add_eos_token", (gguf.UINT32, 1))
vocabulary_defect("add-bos-type", "KEY_TYPE", "add_bos_token", (gguf.UINT32, 1))

# Sound ones, for what ends a turn. DRAWN is the third token of sound's greedy answer to "a"; tests/guest/ends.sh sees to it.
DRAWN = 23


def drawn_token(name, text, kind):
    """A vocabulary in which the token DRAWN has another text and type."""
    tokens, _, types = vocabulary.sentencepiece_lists(VOCABULARY, byte_tokens=False)
    tokens[DRAWN], types[DRAWN] = text, kind
    defect(name, "OK")(lambda model: model.vocabulary(
        tokens=(gguf.ARRAY, (gguf.STRING, tokens)), token_type=(gguf.ARRAY, (gguf.INT32, types))))


drawn_token("ends-by-name", "<|im_end|>", 1)
drawn_token("control-drawn", "<|mark|>", 3)
extra_defect("ends-by-key", "OK", "-", ("tokenizer.ggml.eot_token_id", gguf.UINT32, DRAWN))
vocabulary_defect("add-eos", "OK", "add_eos_token", (gguf.BOOL, True))


# Tensors.
def unaligned(model):
    """The last tensor begins 8 bytes late: it overlaps none."""
    model.tensor("output_norm")["offset"] += 8
    model.data += bytes(32)


for name in ("token_embd", "output_norm", "blk.0.attn_norm", "blk.0.attn_q", "blk.0.attn_output", "blk.0.ffn_gate", "blk.0.ffn_down"):
    defect("tensor-missing-" + name.replace("blk.0.", ""), "TENSOR_MISSING", name + ".weight")(lambda model, name=name: model.strike(name))
defect("tensor-duplicate", "TENSOR_DUPLICATE,TENSOR_BOUNDS", "blk.0.attn_q.weight")(
    lambda model: model.tensors.append(dict(model.tensor("blk.0.attn_q"))))
defect("tensor-missing-second-layer", "TENSOR_MISSING", "blk.1.attn_k.weight")(
    lambda model: (model.__init__(2), model.strike("blk.1.attn_k")))
F32S = struct.pack("<4f", 1.0, 2.0, 4.0, 8.0)
for name, reason, tensor in (
        ("tensor-unknown", "TENSOR_UNKNOWN", "blk.0.attn_q_norm.weight"),
        ("tensor-of-gpt2", "TENSOR_UNKNOWN", "position_embd.weight"),
        ("tensor-beyond-layers", "TENSOR_UNKNOWN", "blk.1.attn_norm.weight"),
        ("tensor-rope-factors", "OK", "rope_freqs.weight"),
        ("tensor-router", "UNSUPPORTED", "blk.0.ffn_gate_inp.weight"),
        ("tensor-expert", "UNSUPPORTED", "blk.0.ffn_up_exps.weight")):
    defect(name, reason, tensor)(lambda model, tensor=tensor: model.add(tensor, (4,), "f32", F32S))
tensor_defect("tensor-type-unknown", "TENSOR_TYPE", "blk.0.attn_q", kind=999)
tensor_defect("tensor-type-unsupported", "TENSOR_TYPE", "blk.0.attn_q", kind=15)
tensor_defect("tensor-type-integer", "TENSOR_TYPE", "blk.0.attn_q", kind=26)
tensor_defect("tensor-norm-type", "VECTOR_TYPE", "output_norm", kind="q8_0")
tensor_defect("tensor-norm-integer", "VECTOR_TYPE,TENSOR_TYPE", "blk.0.ffn_norm", kind=26)
defect("tensor-norm-f16", "OK")(lambda model: model.narrow("f16", lambda four: struct.pack("<e", *struct.unpack("<f", four))))
defect("tensor-norm-bf16", "OK")(lambda model: model.narrow(30, lambda four: four[2:]))
tensor_defect("tensor-dimensions-0", "TENSOR_SHAPE,MALFORMED,COUNT", "blk.0.attn_q", shape=())
tensor_defect("tensor-dimensions-1", "TENSOR_SHAPE", "blk.0.attn_q", shape=(1024,))
tensor_defect("tensor-dimensions-3", "TENSOR_SHAPE", "blk.0.attn_q", shape=(32, 16, 2))
tensor_defect("tensor-dimensions-9", "TENSOR_SHAPE,MALFORMED,COUNT", "blk.0.attn_q", shape=(1,) * 9)
tensor_defect("tensor-extent-0", "TENSOR_SHAPE,MALFORMED", "blk.0.attn_q", shape=(32, 0))
tensor_defect("tensor-extents-overflow", "TENSOR_SHAPE,COUNT,TENSOR_BOUNDS", "blk.0.attn_q", shape=(1 << 32, 1 << 32))
tensor_defect("tensor-extent-max", "TENSOR_SHAPE,COUNT,TENSOR_BOUNDS", "blk.0.attn_q", shape=((1 << 64) - 32, 32))
tensor_defect("tensor-transposed", "TENSOR_SHAPE", "blk.0.ffn_gate", shape=(WIDE, WIDTH))
tensor_defect("tensor-vocabulary", "TENSOR_SHAPE,TENSOR_BOUNDS,VOCABULARY", "token_embd", shape=(WIDTH, VOCABULARY - 1))
tensor_defect("tensor-row-no-block", "TENSOR_SHAPE", "blk.0.attn_k", shape=(16, 32))
tensor_defect("tensor-row-no-block-q4_k", "TENSOR_SHAPE", "blk.0.ffn_down", kind="q4_k")
tensor_defect("tensor-row-no-block-q6_k", "TENSOR_SHAPE", "token_embd", kind="q6_k")
defect("tensor-offset-unaligned", "TENSOR_BOUNDS", "output_norm.weight")(lambda model: unaligned(model))
tensor_defect("tensor-offset-past-end", "TENSOR_BOUNDS,TRUNCATED", "output_norm", offset=1 << 20)
tensor_defect("tensor-offset-wraps", "TENSOR_BOUNDS,TRUNCATED", "output_norm", offset=(1 << 64) - 32)
tensor_defect("tensor-offset-last-byte", "TENSOR_BOUNDS,TRUNCATED", "blk.0.ffn_down", offset=8032)
tensor_defect("tensors-overlap", "TENSOR_BOUNDS", "blk.0.attn_k", offset=32)
tensor_defect("tensors-overlap-exactly", "TENSOR_BOUNDS", "blk.0.attn_v", offset=0)

# Weights.
data_defect("weight-f16-infinite", "token_embd", 66, b"\x00\x7c")
data_defect("weight-f16-nan", "token_embd", 128, b"\x01\xfe")
data_defect("weight-f32-nan", "output_norm", 4, b"\x00\x00\xc0\x7f")
data_defect("weight-f32-infinite", "blk.0.ffn_norm", 124, b"\x00\x00\x80\xff")
data_defect("weight-q8_0-scale", "blk.0.attn_q", 34 * 31, b"\x00\x7c")
data_defect("weight-q4_0-scale", "blk.0.ffn_down", 18 * 63, b"\x00\xfc")


def main():
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    files = [("sound", "OK", "-", Model().bytes()), ("empty", "TRUNCATED,NOT_GGUF", "-", b""),
             ("short-magic", "TRUNCATED,NOT_GGUF", "-", b"GGU"), ("short-head", "TRUNCATED", "-", Model().bytes()[:23]),
             ("text", "NOT_GGUF", "-", b"This is no model, only a line of text that is longer than a header.\n")]
    for name, reason, subject, edit in DEFECTS:
        model = Model()
        edit(model)
        files.append((name, reason, subject, model.bytes()))
    assert len({name for name, *_ in files}) == len(files)
    with open(os.path.join(directory, "REASONS"), "w", encoding="ascii") as table:
        table.write("# file (.gguf), the SISLM_LOAD_* it is refused with (any of them), key or tensor that it is about\n")
        for name, reason, subject, data in files:
            with open(os.path.join(directory, name + ".gguf"), "wb") as file:
                file.write(data)
            table.write(f"{name} {reason} {subject}\n")
    print(f"{directory}: {len(files)} files")


if __name__ == "__main__":
    main()
